"""What meters make of the counters: rates, losses, frames and freezes, on real encodings and legs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.consumer import Consumer
from sfu.forwarding.batch import PLAIN_TAIL
from sfu.layers import Layer
from sfu.producer import Producer
from sfu.quality.meter import FreezeWatch
from sfu.rtp.parameters import Codec
from sfu.rtp.rtcp import ReportBlock
from tests.sfu.forwarding.world import Receiver, vp8

VP8 = Codec("video/VP8", 96, 90000, 1, (), ())
OPUS = Codec("audio/opus", 111, 48000, 2, (), ())


class World:
    """One producer, one consumer, and a publisher who sends frames of two packets, or audio packets."""

    def __init__(self, source: str = "camera") -> None:
        video = source != "microphone"
        self.producer = Producer(
            producer_id="pr",
            transport_id="tp",
            mid="0",
            source=source,
            kind="video" if video else "audio",
            codec=VP8 if video else OPUS,
            rids=(),
            ssrc=7,
            paused=False,
        )
        self.receiver = Receiver()
        self.consumer = Consumer(
            consumer_id="cs",
            transport_id="ts",
            producer=self.producer,
            leg=self.receiver.leg(),
            preferred=None,
            paused=False,
            on_layer=lambda consumer, layer: None,
        )
        self.consumer.negotiated = True
        self.consumer.set_target(Layer(0, 0), 0.0)
        self.now = 100.0
        self.scores: list[int] = []
        self.received: list[int] = []
        self.sequence = 0
        self._frame = 0

    def send(self, *, lost: bool = False) -> None:
        encoding = self.producer.encodings[0]
        self._frame += 1
        video = self.producer.kind == "video"
        key = self._frame == 1 or encoding.keyframes.wanted
        for number in range(2 if video else 1):
            self.sequence += 1
            if lost and number == 0:
                continue
            payload = vp8(key=key, size=94) if video else bytes(100)
            marker = 0x80 if number else 0
            stamp = round(self.now * self.producer.codec.clock_rate)
            encoding.take(self.sequence, marker, stamp, 1, PLAIN_TAIL, payload, self.now)
        encoding.flush(self.now)

    def run(self, seconds: float, *, rate: int = 25, lose_every: int = 0) -> None:
        for frame in range(round(seconds * rate)):
            self.now += 1 / rate
            self.send(lost=bool(lose_every) and frame % lose_every == lose_every - 1)
            self.tick()

    def stall(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.tick()

    def tick(self) -> None:
        self.producer.measure(self.now)
        found = self.producer.meter.poll(self.now)
        if found is not None:
            self.scores.append(found)
        found = self.consumer.meter.poll(self.now)
        if found is not None:
            self.received.append(found)

    def report(self, *, lost: float, jitter: float = 0.0) -> None:
        block = ReportBlock(
            ssrc=1,
            fraction_lost=round(lost * 256),
            lost=0,
            highest=0,
            jitter=round(jitter * self.producer.codec.clock_rate),
            lsr=0,
            dlsr=0,
        )
        self.consumer.handle_report(block, self.now)


def test_rates_and_frames_are_those_that_were_sent() -> None:
    world = World()
    world.run(6.0)
    for figures in (world.producer.meter.figures, world.consumer.meter.figures):
        assert figures.packet_rate == pytest.approx(50, rel=0.1)
        assert figures.frame_rate == pytest.approx(25, rel=0.1)
        assert figures.bitrate == pytest.approx(50 * 101 * 8, rel=0.1)
        assert (figures.loss, figures.frozen, figures.score) == (0, 0, 10)


def test_a_good_stream_has_nothing_to_tell() -> None:
    world = World()
    world.run(20.0)
    assert world.scores == world.received == []


def test_a_video_that_stands_still_is_told_and_told_when_it_is_back() -> None:
    world = World()
    world.run(6.0)
    world.stall(6.0)
    assert world.scores[-1] <= 3
    assert world.received[-1] <= 3
    assert world.producer.meter.figures.freezes == world.consumer.meter.figures.freezes == 1
    world.run(40.0)
    assert world.scores[-1] == world.received[-1] == 10


def test_a_freeze_is_said_to_have_begun_once_and_in_the_figures_of_its_beginning() -> None:
    world = World()
    world.run(6.0)
    begun: dict[str, list[int]] = {"in": [], "out": []}
    for _ in range(60):
        world.stall(0.1)
        for side, meter in (("in", world.producer.meter), ("out", world.consumer.meter)):
            if meter.settled_at == world.now:
                begun[side].append(meter.freezes_begun)
    assert begun == {"in": [0, 1, 0], "out": [0, 1, 0]}, "the first are of when it still moved"


def test_a_muted_publisher_is_no_bad_one() -> None:
    world = World()
    world.run(6.0)
    world.producer.pause()
    world.stall(20.0)
    world.producer.resume(world.now)
    world.run(6.0)
    assert world.scores == world.received == []


def test_figures_of_a_muted_stream_are_those_of_silence_until_it_is_back() -> None:
    world = World()
    world.run(6.0)
    world.stall(1.0)
    world.producer.pause()
    world.stall(20.0)
    figures = world.consumer.meter.figures
    assert (figures.bitrate, figures.packet_rate, figures.frozen, figures.freezes) == (0, 0, 0, 1)
    world.producer.resume(world.now)
    world.run(6.0)
    assert world.consumer.meter.figures.packet_rate == pytest.approx(50, rel=0.1)


def test_a_publisher_whom_nobody_receives_need_not_send() -> None:
    world = World()
    world.run(6.0)
    world.consumer.pause()
    world.stall(20.0)
    assert world.scores == world.received == []


def test_silence_of_a_microphone_is_no_freeze() -> None:
    world = World("microphone")
    world.run(6.0, rate=50)
    world.run(20.0, rate=2)
    assert world.producer.meter.figures.freezes == 0
    assert world.scores == []


def test_who_never_sent_anything_gives_no_receiver_a_bad_path() -> None:
    world = World("microphone")
    world.stall(20.0)
    assert (world.scores, world.received) == ([], [])
    world.run(4.0, rate=50)
    world.stall(4.0)
    assert world.received, "what began and then stops is told"


def test_losses_of_audio_on_the_way_in_count() -> None:
    world = World("microphone")
    world.run(20.0, rate=50, lose_every=5)
    assert world.producer.meter.figures.loss == pytest.approx(0.2, abs=0.03)
    assert world.scores[-1] <= 5


def test_what_a_receiver_reports_lost_counts_for_it_alone() -> None:
    world = World()
    world.run(4.0)
    world.report(lost=0.1)
    world.run(8.0)
    assert world.scores == []
    assert world.received[-1] <= 5


def test_a_receiver_that_keeps_asking_for_pictures_does_not_see_well() -> None:
    world = World()
    world.run(4.0)
    for _ in range(10):
        world.consumer.request_keyframe()
        world.run(1.0)
    assert world.received[-1] < 9


def test_a_freeze_is_counted_once_however_long_it_takes() -> None:
    watch = FreezeWatch(0.5)
    for step in range(100):
        watch.poll(10.0, 10.0 + step / 10, expected=True)
    assert watch.count == 1
    assert watch.seconds == pytest.approx(9.4, abs=0.2)


def test_what_was_not_expected_before_has_its_time_to_come() -> None:
    watch = FreezeWatch(0.5)
    watch.poll(10.0, 50.0, expected=False)
    watch.poll(10.0, 50.1, expected=True)
    watch.poll(10.0, 50.4, expected=True)
    assert not watch.frozen


turns = st.lists(
    st.tuples(st.sampled_from((0.02, 0.1, 0.1, 0.4, 1.0)), st.booleans(), st.booleans()), max_size=40
)
"""How long after the one before, whether something came in between, and whether more is expected."""


@given(turns)
def test_freezes_are_the_same_whether_each_turn_looks_closely_or_only_those_without_packets(
    turns: list[tuple[float, bool, bool]],
) -> None:
    swift, careful = FreezeWatch(0.5), FreezeWatch(0.5)
    now = last = 10.0
    expected = False
    for elapsed, came, expects in turns:
        now += elapsed
        if came:
            last = now - elapsed / 2
        careful.poll(last, now, expected=expects)
        if not (expected and expects and swift.goes_on(last, now)):
            swift.poll(last, now, expected=expects)
        expected = expects
        assert (swift.count, swift.seconds, swift.frozen) == (careful.count, careful.seconds, careful.frozen)


def test_a_receiver_paused_for_a_moment_and_back_has_its_time_to_wait_for_a_picture() -> None:
    world = World()
    world.run(3)
    world.consumer.pause()
    world.stall(0.3)
    world.consumer.resume(world.now)
    world.stall(0.4)
    assert world.consumer.meter.freezes_begun == 0
    world.run(4)
    assert world.consumer.meter.figures.freezes == 0


def test_what_passed_is_counted_for_whoever_looks_less_often() -> None:
    world = World("microphone")
    world.run(20.0, rate=50, lose_every=5)
    came = world.producer.meter.poll_passed()
    assert came.packets == pytest.approx(800, rel=0.15)
    assert came.octets == 100 * came.packets
    assert came.lost == pytest.approx(came.packets / 4, rel=0.15)
    gone = world.consumer.meter.poll_passed()
    assert gone.packets == pytest.approx(came.packets, rel=0.02)
    world.report(lost=0.25)
    world.run(4.0, rate=50)
    gone = world.consumer.meter.poll_passed()
    assert gone.lost == pytest.approx(gone.packets / 4, rel=0.2), "but for the last two seconds"
    world.stall(10.0)
    assert world.consumer.meter.poll_passed().frozen > 5.0
    assert world.producer.meter.poll_passed().frozen > 5.0
