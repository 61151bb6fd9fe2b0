"""A receiver's consumers under an estimate that the test sets; legs, encodings and sealing are real."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sfu.bandwidth.allocator import Tile
from sfu.consumer import Consumer
from sfu.downlink import ANNOUNCE_AFTER, BEGINNING, Downlink
from sfu.pressure import MEASURES, NO_MEASURES, Level
from sfu.producer import Producer
from sfu.rtp.parameters import Codec
from tests.sfu.forwarding.test_recorded import capture, turns
from tests.sfu.forwarding.test_recorded import feed as play_turn
from tests.sfu.forwarding.world import Receiver, feed, vp8

AV1 = Codec("video/AV1", 45, 90000, 1, (), ())
VP8 = Codec("video/VP8", 96, 90000, 1, (), ())
OPUS = Codec("audio/opus", 111, 48000, 2, (), ())
BASE_SIZE = 180
"""Of a packet of the lowest encoding: with 50 a second about 100 kbit/s; each next one has four times."""


@dataclass
class FakeController:
    estimate: float | None = None
    crowded: bool = False
    outdated: bool = False

    def is_outdated(self, now: float) -> bool:
        return self.outdated


class World:
    def __init__(self) -> None:
        self.controller = FakeController()
        self.measures = NO_MEASURES
        self.told: list[tuple[str, str]] = []
        self.downlink = Downlink(
            self.controller,
            on_paused=lambda one: self.told.append((f"paused: {one.lacks}", one.id)),
            on_resumed=lambda one: self.told.append(("resumed", one.id)),
        )
        self.receiver = Receiver()
        self.producers: list[Producer] = []
        self.consumers: dict[str, Consumer] = {}
        self.layers: list[tuple[str, int]] = []
        self.now = 0.0
        self.silent: set[tuple[str, int]] = set()
        """(producer id, spatial) of encodings that are not being sent."""
        self._sequence = 0

    def add(
        self,
        name: str,
        *,
        encodings: int = 3,
        source: str = "camera",
        peer: str = "",
        video_codec: Codec = VP8,
    ) -> Consumer:
        video = source in ("camera", "screen")
        producer = Producer(
            producer_id=f"pr-{name}",
            transport_id=peer or f"tp-{name}",
            mid="0",
            source=source,
            kind="video" if video else "audio",
            codec=video_codec if video else OPUS,
            rids=tuple("qhf"[:encodings]) if encodings > 1 else (),
            ssrc=1,
            paused=False,
        )
        for encoding in producer.encodings:
            # These tests count packets; the publisher's key frame comes whenever it is asked for.
            encoding.stream.ssrc = 100 + encoding.spatial
        ssrc = 1000 + 2 * len(self.consumers)
        consumer = Consumer(
            consumer_id=name,
            transport_id="tp-sub",
            producer=producer,
            leg=self.receiver.leg(ssrc),
            preferred=None,
            paused=False,
            on_layer=lambda one, spatial: self.layers.append((one.id, spatial)),
        )
        consumer.negotiated = True
        self.producers.append(producer)
        self.consumers[name] = consumer
        self.downlink.touch()
        return consumer

    def run(self, seconds: float) -> None:
        for step in range(round(seconds * 50)):
            self.now += 0.02
            self._sequence += 1
            for producer in self.producers:
                for encoding in producer.encodings:
                    if (producer.id, encoding.spatial) not in self.silent:
                        size = BASE_SIZE * 4**encoding.spatial
                        packet = (self._sequence & 0xFFFF, self._sequence * 1800, vp8(key=True, size=size))
                        feed(encoding, packet, now=self.now)
            if step % 5 == 4:
                self.downlink.poll(self.now, self.consumers, self.measures)

    def play(self, name: str, recording: str) -> None:
        """Instead of `run`: a recorded camera, alone."""
        (producer,) = (one for one in self.producers if one.id == f"pr-{name}")
        polled_at = self.now
        for turn in turns(capture(recording).packets):
            play_turn(producer.encodings[0], turn)
            self.now = turn[-1].at
            if self.now - polled_at >= 0.1:
                polled_at = self.now
                producer.encodings[0].measure(self.now)
                self.downlink.poll(self.now, self.consumers, self.measures)

    def sent_to(self, name: str) -> int:
        """Packets since the last call."""
        ssrc = self.consumers[name].leg.ssrc
        return sum(packet.ssrc == ssrc for packet in self.receiver.receive())

    def current(self, name: str) -> int | None:
        leg = self.consumers[name].leg
        carried = leg.encoding is not None and leg in leg.encoding.legs
        return leg.encoding.spatial if carried and leg.encoding is not None else None


def test_without_an_estimate_the_best_is_sent() -> None:
    world = World()
    world.add("a")
    world.run(1.0)
    assert world.current("a") == 2


def test_a_short_estimate_takes_the_layer_down_and_a_long_one_brings_it_back() -> None:
    world = World()
    world.add("a")
    world.run(2.0)
    world.controller.estimate = 600_000.0
    world.run(0.5)
    assert world.current("a") == 1
    world.controller.estimate = 3_000_000.0
    world.run(0.5)
    assert world.current("a") == 2


def test_a_video_without_bandwidth_is_paused_its_receiver_is_told_and_told_when_it_is_back() -> None:
    world = World()
    world.add("a")
    world.add("voice", source="microphone", encodings=1)
    world.run(2.0)
    world.controller.estimate = 50_000.0
    world.run(0.5)
    assert world.current("a") is None
    assert world.current("voice") == 0
    assert world.told == []
    world.run(ANNOUNCE_AFTER)
    assert world.told == [("paused: bandwidth", "a")]
    world.controller.estimate = 3_000_000.0
    world.run(0.5)
    assert world.current("a") == 2
    assert world.told == [("paused: bandwidth", "a"), ("resumed", "a")]


def test_what_is_sent_goes_on_while_there_is_news_of_the_path_that_was_not_read_and_nothing_is_added() -> (
    None
):
    world = World()
    world.add("a")
    world.run(2.0)
    world.controller.estimate = 600_000.0
    world.run(0.5)
    world.controller.estimate = 50_000.0
    world.controller.outdated = True
    world.run(2.0)
    assert world.current("a") == 1
    world.controller.outdated = False
    world.run(0.5)
    assert world.current("a") is None


def test_while_the_estimate_is_a_guess_every_video_gets_its_lowest_layer() -> None:
    world = World()
    world.controller.estimate = 50_000.0
    world.add("a")
    world.add("b", encodings=1)
    world.run(1.0)
    assert (world.current("a"), world.current("b")) == (0, 0)
    world.run(BEGINNING)
    assert (world.current("a"), world.current("b")) == (None, None)


def test_what_cannot_be_seen_is_not_sent_and_nobody_is_told_of_a_pause() -> None:
    world = World()
    consumer = world.add("a")
    world.run(1.0)
    consumer.tile = Tile(0, 0)
    world.downlink.touch()
    world.run(0.2)
    world.sent_to("a")
    world.run(3.0)
    assert world.sent_to("a") == 0
    assert world.told == []
    consumer.tile = Tile(1280, 720)
    world.downlink.touch()
    world.run(0.3)
    assert world.current("a") == 2


def test_a_small_tile_gets_a_small_layer() -> None:
    world = World()
    consumer = world.add("a")
    consumer.tile = Tile(300, 170)
    world.run(1.0)
    assert world.current("a") == 0
    consumer.tile = Tile(640, 360)
    world.downlink.touch()
    world.run(0.3)
    assert world.current("a") == 1


def test_the_speakers_picture_is_the_last_to_suffer() -> None:
    world = World()
    world.add("a", peer="tp-1")
    world.add("b", peer="tp-2")
    world.add("voice", source="microphone", encodings=1, peer="tp-2")
    world.run(2.0)
    world.controller.estimate = 640_000.0
    world.run(0.5)
    assert (world.current("a"), world.current("b")) == (1, 0)
    world.downlink.set_dominant("pr-voice")
    world.run(0.5)
    assert (world.current("a"), world.current("b")) == (0, 1)


def test_a_layer_that_is_not_sent_is_waited_for_on_the_next_best() -> None:
    world = World()
    world.silent = {("pr-a", 2)}
    consumer = world.add("a")
    world.run(0.5)
    assert world.current("a") == 1
    assert consumer.leg.target is world.producers[0].encodings[2].whole, (
        "so that its publisher hears that it is wanted"
    )
    world.silent.clear()
    world.run(0.5)
    assert world.current("a") == 2


def test_a_layer_that_its_publisher_gave_up_is_left_at_once() -> None:
    world = World()
    world.add("a")
    world.run(5.0)
    world.silent = {("pr-a", 2)}
    world.run(2.5)
    assert world.current("a") == 1


def test_a_muted_producers_share_goes_to_others() -> None:
    world = World()
    world.add("a")
    world.add("b")
    world.run(2.0)
    world.controller.estimate = 2_200_000.0
    world.run(0.5)
    assert {world.current("a"), world.current("b")} == {1, 2}
    loser = "a" if world.current("a") == 1 else "b"
    winner = next(one for one in world.producers if one.id != f"pr-{loser}")
    winner.pause()
    world.run(0.5)
    assert world.current(loser) == 2


def test_what_is_asked_for_is_known_beyond_what_is_granted() -> None:
    world = World()
    world.add("a")
    world.run(3.0)
    best = world.downlink.wanted
    world.controller.estimate = 50_000.0
    world.run(1.0)
    assert world.current("a") is None
    assert world.downlink.wanted > best
    world.controller.estimate = world.downlink.wanted
    world.run(0.5)
    assert world.current("a") == 2, "who probes for what is wanted and finds it, has found enough"


def test_for_voices_alone_nothing_is_divided_anew_however_little_is_known_of_the_path() -> None:
    world = World()
    for name in ("a", "b", "c"):
        world.add(name, encodings=1, source="microphone")
    world.controller.estimate = 10_000
    world.run(5)
    before = world.downlink.allocation
    world.run(1)
    assert before is not None
    assert before.spent > world.controller.estimate
    assert world.downlink.allocation is before
    world.add("camera", encodings=1)
    world.run(0.1)
    assert world.downlink.allocation is not before, "beside video there is something to choose"


def test_under_pressure_the_unseen_is_paused_at_once_and_its_receiver_told_why() -> None:
    world = World()
    world.add("seen").tile = Tile(1280, 720)
    world.add("unseen")
    world.add("voice", source="microphone")
    world.run(1.0)
    world.measures = MEASURES[Level.UNSEEN]
    world.run(0.2)
    assert world.told == [("paused: overload", "unseen")]
    for name in world.consumers:
        world.sent_to(name)
    world.run(1.0)
    assert world.sent_to("unseen") == 0
    world.run(1.0)
    assert (world.current("seen"), world.current("unseen")) == (2, None)
    world.measures = NO_MEASURES
    world.run(1.0)
    assert world.told[1:] == [("resumed", "unseen")]
    assert world.current("unseen") == 2


def test_at_the_highest_pressure_voices_go_on_without_a_gap() -> None:
    world = World()
    world.add("face")
    world.add("voice", source="microphone")
    world.run(1.0)
    world.sent_to("voice")
    world.measures = MEASURES[Level.ESSENTIAL]
    world.run(2.0)
    assert world.sent_to("voice") == 100
    assert world.current("face") is None


def test_another_reason_is_told_in_place_of_the_first() -> None:
    world = World()
    world.add("a")
    world.run(2.5)
    world.controller.estimate = 10_000.0
    world.run(1.5)
    world.measures = MEASURES[Level.ESSENTIAL]
    world.run(0.5)
    assert world.told == [("paused: bandwidth", "a"), ("paused: overload", "a")]


def step_down(world: World, estimate: float, *, crowded: bool) -> None:
    """The estimate falls while the lower encodings have no key frame to switch at."""
    world.add("a")
    world.run(2.0)
    world.silent |= {("pr-a", 0), ("pr-a", 1)}
    world.controller.estimate = estimate
    world.controller.crowded = crowded
    world.run(0.3)


def test_on_a_full_path_what_is_given_up_stops_before_the_lesser_layer_is_there() -> None:
    world = World()
    step_down(world, 400_000.0, crowded=True)
    assert world.current("a") is None
    assert world.consumers["a"].leg.target is not None, "and is waited for"
    world.silent.clear()
    world.run(0.2)
    assert world.current("a") == 1


def test_on_a_path_without_a_queue_the_picture_goes_on_until_the_lesser_layer_is_there() -> None:
    world = World()
    step_down(world, 400_000.0, crowded=False)
    assert world.current("a") == 2


def test_what_is_but_a_little_too_much_goes_on_until_the_lesser_layer_is_there() -> None:
    world = World()
    step_down(world, 1_500_000.0, crowded=True)
    assert world.current("a") == 2


def test_a_key_frame_is_asked_for_while_a_receiver_is_still_connecting() -> None:
    world = World()
    consumer = world.add("a", encodings=1)
    world.receiver.egress.path = None
    lowest = consumer.producer.encodings[0]
    consumer.handle_negotiated(96, 97, 0, 0.0)
    assert lowest.pending_requests
    assert [lowest.keyframes.poll(now) for now in (0.0, 1.0)] == [True, False], (
        "when it is there it asks itself"
    )


def test_nothing_is_asked_for_ahead_of_a_receiver_that_has_paused_it() -> None:
    world = World()
    consumer = world.add("a", encodings=1)
    world.receiver.egress.path = None
    consumer.pause()
    consumer.handle_negotiated(96, 97, 0, 0.0)
    assert not consumer.producer.encodings[0].pending_requests


def test_what_is_on_the_wire_is_told_of_videos_only() -> None:
    world = World()
    world.add("video", encodings=1)
    world.add("audio", source="microphone")
    world.run(1.0)
    assert {name for name, _ in world.layers} == {"video"}


@pytest.mark.parametrize("described", [True, False])
def test_layers_that_its_receiver_can_make_nothing_of_are_not_counted_for_it(described: bool) -> None:
    world = World()
    consumer = world.add("a", encodings=1, video_codec=AV1)
    consumer.leg.wide = described
    world.play("a", "av1_l3t3_key")
    allocation = world.downlink.allocation
    assert allocation is not None
    grant = allocation.grants["a"]
    assert grant.layer is not None
    assert (grant.layer.spatial > 0) is described
    (cost,) = (one.bitrate for one in consumer.producer.supply.available if one.layer == grant.layer)
    assert allocation.spent == pytest.approx(cost)
