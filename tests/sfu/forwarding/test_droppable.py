"""H.264 without a dependency descriptor: pictures that no other refers to are given up first."""

from __future__ import annotations

import itertools
from functools import lru_cache

import pytest

from sfu.codecs.h264 import is_droppable
from sfu.codecs.layering import DROPPABLE
from sfu.forwarding.batch import WIDE_PLAIN_TAIL
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.selector import aim_at
from sfu.layers import BASE, WHOLE, Layer
from tests.sfu.forwarding.decoding import decode
from tests.sfu.forwarding.world import Received, Receiver, encoding
from tests.vectors import rtp
from tests.vectors.rtp import Recorded

KNOWN_AFTER = 40
"""Pictures."""


@lru_cache
def pictures() -> list[list[Recorded]]:
    """What Chromium sends with three temporal layers, its descriptors left out, from a key frame on."""
    groups = itertools.groupby(rtp.read("h264_l1t3").packets, key=lambda one: one.timestamp)
    found = [list(group) for _, group in groups]
    return found[next(number for number, one in enumerate(found) if one[0].payload[0] & 0x1F in (7, 24)) :]


def feed(source: Encoding, picture: list[Recorded]) -> None:
    for one in picture:
        marker, payload = 0x80 * one.marker, one.payload
        source.take(one.sequence, marker, one.timestamp, 1, WIDE_PLAIN_TAIL, payload, one.at)
    source.flush(picture[-1].at)
    source.measure(picture[-1].at)


def forwarded(changes: dict[int, Layer]) -> tuple[list[Received], Encoding, Leg]:
    source, receiver = encoding("video/H264"), Receiver()
    leg = receiver.leg()
    leg.wide = True
    leg.prepare(payload_type=96, rtx_payload_type=97)
    aim_at(leg, source.whole)
    for number, picture in enumerate(pictures()):
        if number in changes:
            aim_at(leg, source.cut(changes[number]))
        feed(source, picture)
    return receiver.receive(), source, leg


def digests(packets: list[Received]) -> dict[int, bytes]:
    stamps = list(dict.fromkeys(one.timestamp for one in packets))
    frames = decode("video/H264", packets)
    assert len(frames) == len(stamps)
    return {stamp: bytes(frame.to_ndarray()) for stamp, frame in zip(stamps, frames, strict=True)}


def test_they_are_a_layer_above_the_rest() -> None:
    _, source, _ = forwarded({})
    assert source.reader.top == DROPPABLE
    assert [rate.layer for rate in source.rates] == [BASE, DROPPABLE]


@pytest.mark.parametrize("changes", [{KNOWN_AFTER: BASE}, {KNOWN_AFTER: BASE, KNOWN_AFTER + 30: WHOLE}])
def test_who_does_without_them_decodes_the_rest_to_the_same_pixels(changes: dict[int, Layer]) -> None:
    everything, _, _ = forwarded({})
    got, _, _ = forwarded(changes)
    assert len(got) < len(everything)
    sequences = [one.sequence for one in got]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences))), "no gap"
    whole, rest = digests(everything), digests(got)
    assert len(rest) < len(whole)
    assert all(whole[stamp] == picture for stamp, picture in rest.items())


def test_a_stream_without_such_pictures_has_one_layer() -> None:
    source = encoding("video/H264")
    for one in rtp.read("h264_high").packets:
        feed(source, [one])
    assert source.reader.top == BASE


@pytest.mark.parametrize(
    ("payload", "droppable"),
    [
        ("01aa", True),
        ("21aa", False),
        ("1c81aa", True),
        ("1c01aa", True),
        ("3c81aa", False),
        ("1c85aa", False),
        ("18000201aa000201bb", True),
        ("18000201aa000221bb", False),
        ("18000206aa000201bb", False),
        ("06aa", False),
        ("05aa", False),
        ("18", False),
        ("01", False),
        ("", False),
    ],
    ids=str,
)
def test_only_slices_that_say_so_are(payload: str, *, droppable: bool) -> None:
    assert is_droppable(bytes.fromhex(payload)) is droppable


def test_a_picture_that_begins_with_something_else_is_kept_as_a_whole() -> None:
    """What comes before the slices would be left without them."""
    source = encoding("video/H264")
    reader = source.reader
    assert reader.read(3000, 0, WIDE_PLAIN_TAIL, b"\x06\xaa").layer == BASE
    assert reader.read(3000, 0x80, WIDE_PLAIN_TAIL, b"\x01\xaa").layer == BASE
    assert reader.read(6000, 0x80, WIDE_PLAIN_TAIL, b"\x01\xaa").layer == DROPPABLE
