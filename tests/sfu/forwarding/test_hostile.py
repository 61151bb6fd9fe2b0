"""Whatever a publisher sends and receivers do: nothing breaks, no index is sealed twice, all numbers go on,
and nobody gets anything else because of what another receiver does."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from functools import lru_cache

import pytest

from sfu.codecs.layering import MAX_MASKS, DescribedReader
from sfu.forwarding.cut import MAX_GAPS, MAX_PICTURES
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.history import VIDEO_PACKETS
from sfu.forwarding.leg import Epoch
from sfu.forwarding.retransmit import retransmit
from tests.sfu.forwarding.hostile import (
    LAYERS,
    Action,
    Damage,
    Guest,
    House,
    Story,
    plan,
    spoil,
    with_keyframes,
)
from tests.sfu.forwarding.world import Received
from tests.vectors import rtp
from tests.vectors.rtp import Capture, Recorded

GUESTS = 5
WORST = Damage(lost=0.05, late=0.08, doubled=0.08, cut_short=0.03, forged=0.15, jumps=0.004)
RESTLESS = ("aim", "aim", "aim", "leave", "nack", "pad", "stall")
SEEDS = range(2)


@lru_cache
def capture(name: str) -> Capture:
    return with_keyframes(rtp.read(name))


def speech(packets: int = 600) -> Capture:
    """Opus as it comes, with a level; some of it is silence."""
    chance = random.Random(packets)
    return Capture(
        "speech",
        "audio/opus",
        "made up",
        tuple(
            Recorded(
                0,
                65300 + n & 0xFFFF,
                n == 0,
                960 * n,
                n / 50,
                b"\x01\x01\x30\x00",
                chance.randbytes(chance.choice((1, 60, 90))),
            )
            for n in range(packets)
        ),
    )


def content(one: Guest) -> list[Received]:
    """What it got, whether extensions that hold nothing were spelt out or not."""
    return [replace(packet, extension=packet.extension.rstrip(b"\0")) for packet in one.media]


def epoch_of(one: Guest, sequence: int) -> Epoch | None:
    return one.leg.epoch_of(one.leg.highest_index - (one.leg.highest_index - sequence & 0xFFFF))


def publisher_whims(story: Story, seed: int) -> list[Action]:
    chance = random.Random(f"whims {seed}")
    turns = sorted(chance.sample(range(20, len(story.turns)), 4))
    return [Action(turn, None, what) for turn, what in zip(turns, itertools.cycle(("pause", "resume")))]


def assert_bounded(encoding: Encoding, house: House) -> None:
    assert len(encoding.cuts) <= len(LAYERS)
    assert len(encoding.pending) == 0
    assert len(encoding.waiting) <= len(house.guests)
    for cut in encoding.cuts:
        assert len(cut._gaps) <= MAX_GAPS and len(cut._pictures) <= MAX_PICTURES
    if isinstance(encoding.reader, DescribedReader):
        assert len(encoding.reader._masks) <= MAX_MASKS
    for one in house.guests:
        begun = [epoch.start for epoch in one.leg.epochs]
        assert len(begun) < 3 or begun[1] > begun[-1] - VIDEO_PACKETS, "what cannot be sent again is kept"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", rtp.names())
def test_on_the_worst_of_days_nothing_is_raised_and_no_index_sealed_twice(name: str, seed: int) -> None:
    chance = random.Random(seed)
    story = spoil(capture(name), WORST, seed, restarts=chance.sample(range(300), 2))
    house = House(story, GUESTS)
    house.tell([*publisher_whims(story, seed), *plan(story, GUESTS, seed, often=0.06, what=RESTLESS)])
    sent = [one.leg.packets for one in house.guests]
    assert sum(sent) > 0, f"a story in which next to nothing happens: {sent}"
    for encoding in house.encodings:
        assert_bounded(encoding, house)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_holds_of_speech_with_and_without_redundancy(seed: int) -> None:
    story = spoil(speech(), WORST._replace(forged=0.0), seed, restarts=(200, 400))
    house = House(story, GUESTS)
    restless = ("redundancy", "redundancy", "leave", "aim", "stall", "pad", "nack")
    house.tell([*publisher_whims(story, seed), *plan(story, GUESTS, seed, often=0.1, what=restless)])
    assert sum(one.leg.packets for one in house.guests) > 500


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", rtp.names())
def test_what_was_not_lost_on_the_way_here_is_not_missing_at_any_receiver(name: str, seed: int) -> None:
    """Late, doubled and overtaken packets, and changes of layer: what is missing can be had again."""
    story = spoil(capture(name), Damage(late=0.1, doubled=0.1), seed)
    house = House(story, GUESTS)
    house.tell(plan(story, GUESTS, seed, what=("aim",)))
    for one in house.guests:
        assert one.leg.packets > 20
        retransmit(one.leg, one.missing(), house.now + 10.0)
        one.got += one.receiver.receive()
        left = [epoch for sequence in one.missing() if (epoch := epoch_of(one, sequence)) is not None]
        cuts = [cut for encoding in house.encodings for cut in (encoding.whole, *encoding.cuts)]
        given_up = [epoch for epoch in left if epoch.history not in {cut.history for cut in cuts}]
        assert left == given_up, "only with a cut that nobody is on are its gaps given up"
        assert len(left) <= 8


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", rtp.names())
def test_a_restless_receiver_changes_nothing_for_the_others(name: str, seed: int) -> None:
    story = spoil(capture(name), Damage(lost=0.02, late=0.05, doubled=0.05, forged=0.02), seed)
    actions = plan(story, GUESTS, seed, what=("aim", "leave", "nack"))
    calm = [action for action in actions if action.who != 0]
    with_them, without = House(story, GUESTS), House(story, GUESTS)
    with_them.tell([*calm, *plan(story, 1, seed + 100, often=0.2, what=RESTLESS)])
    without.tell([*calm, Action(0, 0, "leave")])
    for one, same in zip(with_them.guests[1:], without.guests[1:], strict=True):
        assert one.leg.packets > 0
        assert content(one) == content(same)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", rtp.names())
def test_time_goes_forward_through_every_change(name: str, seed: int) -> None:
    story = spoil(capture(name), Damage(lost=0.03, doubled=0.03), seed, restarts=(150,))
    house = House(story, GUESTS)
    house.tell(plan(story, GUESTS, seed, what=("aim", "aim", "leave")))
    for one in house.guests:
        order = sorted(one.media, key=lambda packet: packet.sequence - one.leg.first_index & 0xFFFF)
        for before, after in itertools.pairwise(order):
            step = after.timestamp - before.timestamp & 0xFFFFFFFF
            assert step < 1 << 31, f"{before.timestamp} before {after.timestamp}"
