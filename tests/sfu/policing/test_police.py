"""Who sends more than was granted is cut from above, and comes back when it keeps to it."""

from __future__ import annotations

from collections.abc import Sequence

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

    def send(self, seconds: float, *encodings: tuple[float, float]) -> list[int]:
        """The ceilings meanwhile."""
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
        return [Sample(int(o), int(f)) for o, f in zip(self._octets, self._frames, strict=True)]


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


def test_too_many_frames_are_cut_like_too_many_bits() -> None:
    sender = Sender(Police(1, Limits(max_frame_rate=15)))
    assert sender.send(4.0, (MEGABIT, 30))[-1] == NOTHING
    assert sender.send(8.0, (MEGABIT, 15))[-1] == 0


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
