"""H.264 and H.265 without a dependency descriptor: pictures that no other refers to are given up first."""

from __future__ import annotations

import itertools
from functools import lru_cache

import pytest

from sfu.codecs import keyframe_test
from sfu.codecs.h264 import is_droppable
from sfu.codecs.h265 import DroppableTest
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
TSA_N = 2
"""Of the capture's second temporal layer all, and none of the first (H.265, table 7-1)."""


@lru_cache
def pictures(name: str) -> list[list[Recorded]]:
    """Those of a capture, its descriptors left out, from a key frame on."""
    capture = rtp.read(name)
    groups = itertools.groupby(capture.packets, key=lambda one: one.timestamp)
    found = [list(group) for _, group in groups]
    is_key = keyframe_test(capture.mime)
    return found[next(number for number, one in enumerate(found) if is_key(one[0].payload)) :]


def feed(source: Encoding, picture: list[Recorded]) -> None:
    for one in picture:
        marker, payload = 0x80 * one.marker, one.payload
        source.take(one.sequence, marker, one.timestamp, 1, WIDE_PLAIN_TAIL, payload, one.at)
    source.flush(picture[-1].at)
    source.measure(picture[-1].at)


def forwarded(changes: dict[int, Layer], name: str = "h264_l1t3") -> tuple[list[Received], Encoding, Leg]:
    """`h264_l1t3` is what Chromium sends with three temporal layers."""
    source, receiver = encoding(rtp.read(name).mime), Receiver()
    leg = receiver.leg()
    leg.wide = True
    leg.prepare(payload_type=96, rtx_payload_type=97)
    aim_at(leg, source.whole)
    for number, picture in enumerate(pictures(name)):
        if number in changes:
            aim_at(leg, source.cut(changes[number]))
        feed(source, picture)
    return receiver.receive(), source, leg


def digests(packets: list[Received]) -> dict[int, bytes]:
    stamps = list(dict.fromkeys(one.timestamp for one in packets))
    frames = decode("video/H264", packets)
    assert len(frames) == len(stamps)
    return {stamp: bytes(frame.to_ndarray()) for stamp, frame in zip(stamps, frames, strict=True)}


@pytest.mark.parametrize("name", ["h264_l1t3", "h265_l1t2"])
def test_they_are_a_layer_above_the_rest(name: str) -> None:
    _, source, _ = forwarded({}, name)
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


def shown(packets: list[Received]) -> list[bytes]:
    """The pictures as H.265 shows them: not in the order that they come in."""
    frames = decode("video/H265", packets)
    assert len(frames) == len({one.timestamp for one in packets})
    return [bytes(frame.to_ndarray()) for frame in frames]


@pytest.mark.parametrize("back", [None, KNOWN_AFTER + 15])
def test_who_does_without_them_of_h265_is_shown_the_rest_of_the_same_pixels(back: int | None) -> None:
    everything, _, _ = forwarded({}, "h265_l1t2")
    changes = {KNOWN_AFTER: BASE} if back is None else {KNOWN_AFTER: BASE, back: WHOLE}
    got, _, _ = forwarded(changes, "h265_l1t2")
    sequences = [one.sequence for one in got]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences))), "no gap"
    stamps = [picture[0].timestamp for picture in pictures("h265_l1t2")][KNOWN_AFTER:back]
    above = {one.timestamp for one in rtp.read("h265_l1t2").packets if one.payload[0] >> 1 == TSA_N}
    whole, rest = shown(everything), shown(got)
    assert len(whole) - len(rest) == len(above & set(stamps)) > 5
    remaining = iter(whole)
    assert all(picture in remaining for picture in rest), "another picture, or in another order"


@pytest.mark.parametrize("name", ["h264_high", "h265_main"])
def test_a_stream_without_such_pictures_has_one_layer(name: str) -> None:
    capture = rtp.read(name)
    source = encoding(capture.mime)
    for one in capture.packets:
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


def sequence(top: int) -> str:
    """A parameter set of that many temporal layers above the first."""
    return bytes((0x42, 0x01, top << 1, 0x01)).hex()


@pytest.mark.parametrize(
    ("above", "payload", "droppable"),
    [
        (0, "0001d0", True),
        (0, "0201d0", False),
        (0, "1001d0", True),
        (0, "0002d0", False),
        (1, "0001d0", False),
        (1, "0402d0", True),
        (1, "0602d0", False),
        (1, "620282d0", True),
        (1, "620202d0", True),
        (1, "620283d0", False),
        (1, "620182d0", False),
        (1, "600200030402d000030402d0", True),
        (1, "600200030402d000030602d0", False),
        (1, "600100030201d000030402d0", False),
        (1, "6002", False),
        (1, "500180", True),
        (1, "4e0180", False),
        (1, "2c01d0", False),
        (1, "04", False),
        (1, "", False),
        (None, "0001d0", False),
    ],
    ids=str,
)
def test_only_slices_of_the_highest_layer_of_h265_that_say_so_are(
    above: int | None, payload: str, *, droppable: bool
) -> None:
    test = DroppableTest()
    if above is not None:
        assert not test(bytes.fromhex(sequence(above)))
    assert test(bytes.fromhex(payload)) is droppable


def test_what_comes_behind_the_slices_of_h265_stays_or_goes_with_them() -> None:
    reader = encoding("video/H265").reader
    reader.read(0, 0x80, WIDE_PLAIN_TAIL, bytes.fromhex(sequence(0)))
    for stamp, slices, layer in ((3000, "0001d0", DROPPABLE), (6000, "0201d0", BASE)):
        for marker, payload in ((0, slices), (0x80, "500180")):
            assert reader.read(stamp, marker, WIDE_PLAIN_TAIL, bytes.fromhex(payload)).layer == layer


def test_a_picture_that_begins_with_something_else_is_kept_as_a_whole() -> None:
    """What comes before the slices would be left without them."""
    source = encoding("video/H264")
    reader = source.reader
    assert reader.read(3000, 0, WIDE_PLAIN_TAIL, b"\x06\xaa").layer == BASE
    assert reader.read(3000, 0x80, WIDE_PLAIN_TAIL, b"\x01\xaa").layer == BASE
    assert reader.read(6000, 0x80, WIDE_PLAIN_TAIL, b"\x01\xaa").layer == DROPPABLE
