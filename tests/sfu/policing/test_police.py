"""Who sends more than was granted is cut from above, and comes back when it keeps to it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sfu.forwarding.batch import PLAIN_TAIL
from sfu.forwarding.history import History
from sfu.policing.police import HOLD, INTERVAL, NOTHING, WINDOW, Limits, Police, Sample, count_frames

MEGABIT = 1_000_000


class Sender:
    """Sends encodings at given rates, in bits and frames a second."""

    def __init__(self, police: Police) -> None:
        self.police = police
        self.now = 0.0
        self._octets: list[float] = []
        self._frames: list[float] = []
        self._pixels: Sequence[int] = []

    def send(self, seconds: float, *encodings: tuple[float, float], pixels: Sequence[int] = ()) -> list[int]:
        """The ceilings meanwhile."""
        self._pixels = pixels or [0] * len(encodings)
        self._octets = self._octets or [0.0] * len(encodings)
        self._frames = self._frames or [0.0] * len(encodings)
        ceilings = []
        for _ in range(round(seconds / INTERVAL)):
            self.now += INTERVAL
            for rank, (bitrate, frame_rate) in enumerate(encodings):
                self._octets[rank] += bitrate * INTERVAL / 8
                self._frames[rank] += frame_rate * INTERVAL
            self.police.handle_samples(self._samples(), self.now)
            ceilings.append(self.police.ceiling)
        return ceilings

    def _samples(self) -> Sequence[Sample]:
        columns = zip(self._octets, self._frames, self._pixels, strict=True)
        return [Sample(int(octets), int(frames), pixels) for octets, frames, pixels in columns]


def test_who_keeps_to_the_limit_is_left_alone_through_short_bursts() -> None:
    sender = Sender(Police(1, Limits(max_bitrate=MEGABIT, max_frame_rate=30)))
    sender.send(5.0, (MEGABIT, 30))
    assert set(sender.send(INTERVAL, (1.8 * MEGABIT, 45))) == {0}
    assert set(sender.send(5.0, (MEGABIT, 31))) == {0}


def test_a_single_stream_above_the_limit_is_cut_and_comes_back() -> None:
    sender = Sender(Police(1, Limits(max_bitrate=MEGABIT)))
    sender.send(3.0, (MEGABIT, 30))
    assert sender.send(WINDOW, (3 * MEGABIT, 30))[-1] == NOTHING
    assert set(sender.send(10.0, (3 * MEGABIT, 30))) == {NOTHING}, "as long as it goes on"
    back = sender.send(WINDOW + HOLD + 1.0, (MEGABIT / 2, 30))
    assert back[0] == NOTHING
    assert back[-1] == 0


def test_of_a_simulcast_the_highest_go_first() -> None:
    sender = Sender(Police(3, Limits(max_bitrate=MEGABIT)))
    assert sender.send(4.0, (MEGABIT / 5, 30), (MEGABIT / 2, 30), (4 * MEGABIT, 30))[-1] == 1
    assert sender.send(4.0, (MEGABIT / 5, 30), (4 * MEGABIT, 30), (4 * MEGABIT, 30))[-1] == 0
    assert sender.send(8.0, (MEGABIT / 5, 30), (MEGABIT / 5, 30), (MEGABIT / 5, 30))[-1] == 2


def test_what_hovers_just_above_the_limit_does_not_flap() -> None:
    sender = Sender(Police(1, Limits(max_bitrate=MEGABIT)))
    sender.send(4.0, (2 * MEGABIT, 30))
    assert set(sender.send(20.0, (1.15 * MEGABIT, 30))[4:]) == {NOTHING}


@pytest.mark.parametrize("limits", [Limits(max_bitrate=MEGABIT), Limits(max_frame_rate=20)])
def test_a_quarter_above_the_limit_is_still_forwarded_and_more_is_not(limits: Limits) -> None:
    for times, ceiling in ((1.24, 0), (1.26, NOTHING)):
        sender = Sender(Police(1, limits))
        assert sender.send(30.0, (times * MEGABIT, times * 20))[-1] == ceiling, f"{times} times the limit"


def test_too_many_frames_are_cut_like_too_many_bits() -> None:
    sender = Sender(Police(1, Limits(max_frame_rate=15)))
    assert sender.send(4.0, (MEGABIT, 30))[-1] == NOTHING
    assert sender.send(8.0, (MEGABIT, 15))[-1] == 0


HD, FHD = 1280 * 720, 1920 * 1080


def test_pictures_that_are_too_large_are_cut_whatever_they_take() -> None:
    sender = Sender(Police(3, Limits(max_bitrate=MEGABIT, max_pixels=HD)))
    little = (MEGABIT / 10, 30.0)
    assert sender.send(4.0, *3 * [little], pixels=(HD // 16, HD // 4, HD))[-1] == 2
    assert sender.send(INTERVAL, *3 * [little], pixels=(FHD // 16, FHD // 4, FHD)) == [1]
    assert sender.police.reason == "frame_size"
    assert sender.send(INTERVAL, *3 * [little], pixels=(FHD // 4, FHD, 4 * FHD)) == [0]
    assert sender.send(INTERVAL, *3 * [little], pixels=(FHD, 4 * FHD, 4 * FHD)) == [NOTHING]
    back = sender.send(HOLD + 2 * INTERVAL, *3 * [little], pixels=(HD // 16, HD // 4, HD))
    assert (back[0], back[-1]) == (NOTHING, 2)
    assert sender.police.reason is None


def test_another_shape_at_the_same_width_is_no_larger_picture() -> None:
    sender = Sender(Police(1, Limits(max_pixels=HD)))
    assert sender.send(4.0, (MEGABIT, 30), pixels=(1280 * 960,))[-1] == 0
    assert sender.send(4.0, (MEGABIT, 30), pixels=(720 * 1280,))[-1] == 0
    assert sender.send(4.0, (MEGABIT, 30), pixels=(1440 * 1080,))[-1] == NOTHING


def test_the_reason_is_what_is_exceeded() -> None:
    for limits, reason in (
        (Limits(max_bitrate=MEGABIT), "bitrate"),
        (Limits(max_frame_rate=15), "frame_rate"),
        (Limits(max_pixels=HD), "frame_size"),
    ):
        sender = Sender(Police(1, limits))
        sender.send(4.0, (2 * MEGABIT, 30), pixels=(FHD,))
        assert sender.police.reason == reason


def test_an_encoding_above_the_granted_one_is_never_forwarded() -> None:
    police = Police(3, Limits(max_spatial=1))
    assert police.ceiling == 1
    assert set(Sender(police).send(8.0, (1.0, 1), (1.0, 1), (1.0, 1))) == {1}


def test_a_narrower_limit_applies_from_the_next_look_on() -> None:
    police = Police(1, Limits(max_bitrate=4 * MEGABIT))
    sender = Sender(police)
    sender.send(4.0, (3 * MEGABIT, 30))
    police.change(Limits(max_bitrate=MEGABIT))
    assert sender.send(INTERVAL, (3 * MEGABIT, 30)) == [NOTHING]


def test_frames_are_counted_once_however_the_packets_are_looked_at() -> None:
    history = History(64)
    for sequence in range(100, 130):
        history.put((sequence, 0, sequence // 3, 1, PLAIN_TAIL, b""))
    whole = count_frames(history, 100, 130)
    assert whole == len({sequence // 3 for sequence in range(100, 130)})
    assert sum(count_frames(history, start, start + 5) for start in range(100, 130, 5)) == whole
