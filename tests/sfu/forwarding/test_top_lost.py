"""A VP9 camera gives up its highest spatial layer between two key pictures (K-SVC)."""

from __future__ import annotations

import itertools
from collections.abc import Container

from sfu.codecs import vp9
from sfu.codecs.layering import TOP_MISSED
from sfu.forwarding.batch import PLAIN_TAIL
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.selector import aim_at
from sfu.layers import Layer
from tests.sfu.forwarding.decoding import decode
from tests.sfu.forwarding.world import Receiver, encoding
from tests.vectors import rtp
from tests.vectors.rtp import Recorded

TOP = Layer(2, 2)
FIRST_KEY, SPARED_FROM, LOST_AT, NEXT_KEY = 5, 9, 40, 72
"""Pictures of the capture: three layers begin, the receiver comes, the highest one is cut, a key picture."""
Picture = list[Recorded]


def shown(lost: Container[int] = ()) -> list[Picture]:
    """The capture, of which some pictures lack the highest layer; numbered as its encoder would."""
    capture = rtp.read("vp9_l3t3_key")
    groups = itertools.groupby(capture.packets, key=lambda one: one.timestamp)
    pictures = [list(group) for _, group in groups]
    pictures = [without_top(one) if number in lost else one for number, one in enumerate(pictures)]
    numbers = itertools.count(1)
    return [[one._replace(sequence=next(numbers)) for one in picture] for picture in pictures]


def without_top(picture: Picture) -> Picture:
    """As an encoder sends it that has given up the layer: the marker is at the end of the next one, and the
    structure of a key picture tells of two."""
    kept = [one for one in picture if vp9.parse_descriptor(one.payload).spatial < TOP.spatial]
    kept = [one._replace(marker=one is kept[-1], payload=_of_two_layers(one.payload)) for one in kept]
    return kept


def _of_two_layers(payload: bytes) -> bytes:
    descriptor = vp9.parse_descriptor(payload)
    structure = descriptor.scalability
    if structure is None:
        return payload
    assert len(structure.sizes) == 3
    start = payload.index(bytes.fromhex("00f00087"))  # 240 x 135, the first size
    head = payload[start - 1] & 0x1F | 1 << 5
    return payload[: start - 1] + bytes((head,)) + payload[start : start + 8] + payload[start + 12 :]


def begun() -> tuple[Encoding, Receiver, Leg]:
    """A receiver of the highest layer, which is spared the ones below between key pictures."""
    source, receiver = encoding("video/VP9"), Receiver()
    leg = receiver.leg()
    aim_at(leg, source.whole)
    for picture in shown()[FIRST_KEY:SPARED_FROM]:
        feed(source, picture)
    aim_at(leg, source.cut(TOP))
    return source, receiver, leg


def feed(source: Encoding, picture: Picture) -> None:
    for one in picture:
        source.take(one.sequence, 0x80 * one.marker, one.timestamp, 1, PLAIN_TAIL, one.payload, one.at)
    source.flush(picture[-1].at)


def test_its_end_is_noticed_by_the_pictures_and_a_key_frame_asked_for_at_once() -> None:
    source, _, leg = begun()
    pictures = shown(range(LOST_AT, LOST_AT + TOP_MISSED))
    for picture in pictures[SPARED_FROM : LOST_AT + TOP_MISSED - 1]:
        feed(source, picture)
    assert leg.carried, "it may be one or two that were left out"
    assert not source.keyframes.wanted
    feed(source, pictures[LOST_AT + TOP_MISSED - 1])
    assert not leg.carried
    assert source.keyframes.wanted
    assert source.reader.top.spatial == 1


def test_a_few_pictures_without_it_change_nothing() -> None:
    source, _, leg = begun()
    lost = [number for number in range(SPARED_FROM + 1, NEXT_KEY) if number % TOP_MISSED]
    for picture in shown(lost)[SPARED_FROM:NEXT_KEY]:
        feed(source, picture)
    assert leg.carried
    assert source.reader.top.spatial == 2


def test_the_receiver_goes_on_with_the_next_layer_from_the_key_picture_on() -> None:
    source, receiver, leg = begun()
    pictures = shown(range(LOST_AT, 1000))
    for picture in pictures[SPARED_FROM:LOST_AT]:
        feed(source, picture)
    last = receiver.receive()[-1].sequence
    for picture in pictures[LOST_AT:]:
        feed(source, picture)
    got = receiver.receive()
    assert leg.carried
    assert got[0].timestamp == pictures[NEXT_KEY][0].timestamp, "and nothing before"
    assert [one.sequence for one in got] == list(range(last + 1, last + 1 + len(got))), "no gap"
    frames = decode("video/VP9", got)
    assert len(frames) == len(pictures[NEXT_KEY:])
    assert {(frame.width, frame.height) for frame in frames} == {(480, 270)}
