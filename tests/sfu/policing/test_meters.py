"""A publisher's pictures, measured by its key frames and held against its grant."""

from __future__ import annotations

from sfu.bots.media import Vp8Frames
from sfu.control.messages import Event, Grant, ProducerLimited
from sfu.forwarding.batch import PLAIN_TAIL
from sfu.policing.meters import Meters
from sfu.policing.police import INTERVAL
from sfu.producer import Producer
from sfu.rtp.parameters import Codec

VGA = 640 * 480
STEP = 0.1


class Publisher:
    """Simulcast of two encodings, ten frames a second, one packet each."""

    def __init__(self, *, encrypted: bool = False) -> None:
        self.now = 0.0
        self.told: list[Event] = []
        self.producer = Producer(
            producer_id="pr_1",
            transport_id="tp_1",
            mid="0",
            source="camera",
            kind="video",
            codec=Codec("video/VP8", 96, 90_000),
            rids=("q", "f"),
            ssrc=0,
            paused=False,
        )
        self.frames = [Vp8Frames(rank, packets_per_frame=1, payload_size=200) for rank in range(2)]
        self._sequences = [0, 0]
        self.meters = Meters(self.told.append)
        grant = Grant(source="camera", kind="video", max_pixels=VGA)
        self.meters.add(self.producer, grant, self.now, encrypted=encrypted)

    def resize(self, *sizes: tuple[int, int]) -> None:
        for frames, size in zip(self.frames, sizes, strict=True):
            frames.resize(*size)

    def send(self, seconds: float, *ranks: int) -> int:
        """Time passes, in which some encodings are sent; the ceiling at its end."""
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            for rank in ranks:
                (payload,) = self.frames[rank].next_frame(0)
                self._sequences[rank] += 1
                encoding = self.producer.encodings[rank]
                timestamp = round(90_000 * self.now)
                encoding.take(self._sequences[rank], 0x80, timestamp, 1, PLAIN_TAIL, payload, self.now)
                encoding.flush(self.now)
            self.producer.measure(self.now)
            self.meters.tick(self.now)
        return self.producer.ceiling


def test_the_encoding_whose_pictures_are_too_large_is_cut_and_its_owner_told_why() -> None:
    publisher = Publisher()
    publisher.resize((320, 180), (1280, 720))
    assert publisher.send(4.0, 0, 1) == 0
    assert publisher.told == [
        ProducerLimited(producer_id="pr_1", forwarded=1, encodings=2, reason="frame_size")
    ]


def test_what_was_cut_and_is_not_sent_stays_cut_until_the_publisher_chooses_other_sizes() -> None:
    publisher = Publisher()
    publisher.resize((320, 180), (1280, 720))
    publisher.send(4.0, 0, 1)
    assert publisher.send(10.0, 0) == 0, "nobody asks for it, so it is not sent"
    publisher.resize((160, 90), (640, 360))
    assert publisher.send(4.0, 0) == 1, "it may be smaller now"
    assert publisher.send(4.0, 0, 1) == 1


def test_a_size_that_is_hidden_behind_changes_below_it_counts_with_its_next_key_frame() -> None:
    publisher = Publisher()
    publisher.resize((320, 180), (1280, 720))
    publisher.send(4.0, 0, 1)
    publisher.frames[0].resize(160, 90)
    publisher.send(4.0, 0)
    publisher.frames[1].request_key_frame()
    assert publisher.send(2 * INTERVAL, 0, 1) == 0


def test_nothing_is_read_of_what_is_encrypted() -> None:
    publisher = Publisher(encrypted=True)
    publisher.resize((320, 180), (1280, 720))
    assert publisher.send(4.0, 0, 1) == 1
