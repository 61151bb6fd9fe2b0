"""What browsers and other encoders really send, forwarded at every layer: a receiver can decode all it gets,
to the same pixels as if it had been at that layer from the start."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator
from functools import lru_cache

import av
import pytest
from av.video.frame import VideoFrame

from sfu.codecs import dependency, vp8, vp9
from sfu.codecs.layering import reader_for
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.numbers import DESCRIPTOR_ID, find_descriptor
from sfu.forwarding.selector import aim_at, detach
from sfu.layers import Layer
from sfu.rtp.extensions import TWO_BYTE_PROFILE, parse_extensions
from tests.sfu.forwarding.decoding import decode, pictures
from tests.sfu.forwarding.world import Received, Receiver, encoding
from tests.vectors import rtp
from tests.vectors.rtp import Capture, Recorded

av.logging.set_level(av.logging.PANIC)
SIMULCAST = [name for name in rtp.names() if name.endswith("_simulcast")]
PLAIN = ["vp8_libvpx", "h264_baseline", "h264_high", "h265_main", "av1_svt"]
REORDERED = ["h265_l1t2"]
"""Its pictures are shown in another order than they are sent in: see `test_droppable`."""
LAYERED = [name for name in rtp.names() if name not in (*SIMULCAST, *PLAIN, *REORDERED)]
LEARNT_AFTER = 1.2
"""Seconds of a capture after which its layers are known."""
Turn = list[Recorded]
Choice = tuple[int, Layer]
"""An encoding and a layer of it."""


@lru_cache
def capture(name: str) -> Capture:
    """From its first key frame on."""
    whole = rtp.read(name)
    reader = reader_for(whole.mime, find_descriptor)
    for start, one in enumerate(whole.packets):
        if reader.read(one.timestamp, 0, one.tail, one.payload).key:
            return whole._replace(packets=whole.packets[start:])
    raise AssertionError("a capture without a key frame")


@lru_cache
def choices(name: str) -> list[Choice]:
    found = set()
    for encoding_index in {one.encoding for one in capture(name).packets}:
        reader = reader_for(capture(name).mime, find_descriptor)
        for one in capture(name).packets:
            if one.encoding == encoding_index:
                layer = reader.read(one.timestamp, 0, one.tail, one.payload).layer
                found.add((encoding_index, layer))
    return sorted(found)


@lru_cache
def unfinished(name: str) -> frozenset[int]:
    """Timestamps of pictures without an end: Chromium drops what waits to be sent when a key frame comes, and
    a capture ends somewhere."""
    ends = {(one.encoding, one.timestamp): one.marker for one in capture(name).packets}
    return frozenset(stamp for (_, stamp), marker in ends.items() if not marker)


def turns(packets: tuple[Recorded, ...]) -> Iterator[Turn]:
    """As they come in one by one loop turn: what arrived within a millisecond, of one picture."""
    for _, group in itertools.groupby(packets, key=lambda one: (one.encoding, one.timestamp)):
        yield list(group)


def feed(target: Encoding, turn: Turn) -> None:
    for one in turn:
        size = 1 + len(one.tail) // 4
        tail = one.tail if target.is_wide else b"\0"
        words = size if target.is_wide else 1
        target.take(one.sequence, 0x80 * one.marker, one.timestamp, words, tail, one.payload, one.at)
    target.flush(turn[-1].at)


def digest(frame: VideoFrame) -> str:
    return f"{frame.width}x{frame.height} {hashlib.sha1(frame.to_ndarray().tobytes()).hexdigest()}"


@lru_cache
def reference(name: str, choice: Choice) -> dict[int, str]:
    """The picture at each timestamp, of a decoder that was given this layer from the first key frame on.

    Taken from the capture by the masks alone, without the fan-out.
    """
    of, layer = choice
    whole = capture(name)
    reader = reader_for(whole.mime, find_descriptor)
    kept: list[Received] = []
    for one in whole.packets:
        if one.encoding != of:
            continue
        mark = reader.read(one.timestamp, 0x80 * one.marker, one.tail, one.payload)
        if mark.needed >> layer.bit & 1:
            final = bool(mark.final >> layer.bit & 1)
            kept.append(Received(one.sequence, one.timestamp, 1, 96, final, b"", one.payload))
    frames = decode(whole.mime, kept, unfinished(name))
    stamps = [group[0].timestamp for group in pictures(kept, unfinished(name))]
    return dict(zip(stamps, map(digest, frames), strict=True))


def forwarded(name: str, changes: dict[int, Choice], begin: int = 0) -> tuple[list[Received], Leg]:
    """What a receiver gets that is aimed at these, from the n-th picture on each; at first at all of one."""
    whole = capture(name)
    sources = [
        encoding(whole.mime, spatial=one, ssrc=7 + one)
        for one in range(1 + max(packet.encoding for packet in whole.packets))
    ]
    receiver = Receiver()
    leg = receiver.leg(first_index=60000)
    leg.wide = sources[0].is_wide
    leg.prepare(payload_type=96, rtx_payload_type=97)
    aim_at(leg, sources[begin].whole)
    for number, turn in enumerate(turns(whole.packets)):
        if number in changes:
            of, layer = changes[number]
            aim_at(leg, sources[of].cut(layer))
        feed(sources[turn[0].encoding], turn)
        for source in sources:
            source.measure(turn[-1].at)
    return receiver.receive(), leg


def learnt_at(name: str) -> int:
    """The picture after which the layers of a capture are known."""
    return next(n for n, turn in enumerate(turns(capture(name).packets)) if turn[0].at > LEARNT_AFTER)


def assert_in_order(name: str, got: list[Received]) -> None:
    """Whatever counts goes on without a gap, or with those that dropping pictures may leave."""
    mime = capture(name).mime
    sequences = [one.sequence for one in got]
    assert sequences == [(sequences[0] + n) & 0xFFFF for n in range(len(got))]
    stamps = [one.timestamp for one in got]
    assert all((after - before) & 0xFFFFFFFF < 1 << 31 for before, after in itertools.pairwise(stamps))
    firsts = [next(group) for _, group in itertools.groupby(got, key=lambda one: one.timestamp)]
    if mime == "video/VP8":
        found = [vp8.parse_descriptor(one.payload) for one in firsts]
        gaps = _gaps([one.picture_id or 0 for one in found])
        assert len(gaps) <= len(dropped_pictures(name)), f"pictures {gaps} are missing"
        base = [one.tl0 or 0 for one in found]
        assert all(after - before & 0xFF in (0, 1) for before, after in itertools.pairwise(base))
    if mime == "video/VP9":
        numbers = [vp9.parse_descriptor(one.payload).picture_id or 0 for one in firsts]
        assert all(0 < after - before & 0x7FFF <= 8 for before, after in itertools.pairwise(numbers))
    if mime in ("video/AV1", "video/H264"):
        assert_references_there(got)


def _gaps(numbers: list[int]) -> list[int]:
    return [after for before, after in itertools.pairwise(numbers) if after - before & 0x7FFF != 1]


@lru_cache
def dropped_pictures(name: str) -> list[int]:
    """VP8 pictures that Chromium numbered and never sent, because a key frame came."""
    gaps = []
    for of in {one.encoding for one in capture(name).packets}:
        firsts = [turn[0] for turn in turns(capture(name).packets) if turn[0].encoding == of]
        gaps += _gaps([vp8.parse_descriptor(one.payload).picture_id or 0 for one in firsts])
    return gaps


def assert_references_there(got: list[Received]) -> None:
    """Every frame a descriptor refers to was sent, under the number that it is referred to by."""
    structure = None
    there: set[int] = set()
    for one in got:
        elements = dict(parse_extensions(TWO_BYTE_PROFILE, one.extension))
        frame = dependency.parse_descriptor(elements[DESCRIPTOR_ID], structure)
        structure = frame.structure or structure
        if frame.structure is not None:
            there.clear()
        assert all((frame.number - fdiff) & 0xFFFF in there for fdiff in frame.frame.fdiffs)
        there.add(frame.number)


def assert_same_pixels(name: str, got: list[Received]) -> None:
    """Every picture is that of some layer at its time."""
    left_out = unfinished(name)
    frames = [digest(frame) for frame in decode(capture(name).mime, got, left_out)]
    groups = pictures(got, left_out)
    assert len(frames) == len(groups), "a picture that was sent was not shown"
    known = [reference(name, choice) for choice in choices(name)]
    for group, frame in zip(groups, frames, strict=True):
        assert frame in {one.get(group[0].timestamp) for one in known}


@pytest.mark.parametrize("name", LAYERED)
def test_every_layer_of_a_capture_can_be_had(name: str) -> None:
    start = learnt_at(name)
    totals = []
    for choice in choices(name):
        got, leg = forwarded(name, {start: choice})
        assert leg.cut is not None and leg.target is None, f"{choice} was not reached"
        assert_in_order(name, got)
        totals.append(sum(len(one.payload) for one in got))
    top = choices(name)[-1][1].spatial
    rates = [total for total, (_, layer) in zip(totals, choices(name), strict=True) if layer.spatial == top]
    assert rates == sorted(rates) and rates[0] < rates[-1]


@pytest.mark.parametrize("name", LAYERED)
def test_changing_at_any_time_between_any_layers_never_breaks_the_picture(name: str) -> None:
    chance = random.Random(name)
    count = len(list(turns(capture(name).packets)))
    places = chance.sample(range(learnt_at(name), count), 12)
    got, _ = forwarded(name, {place: chance.choice(choices(name)) for place in places})
    assert_in_order(name, got)
    assert_same_pixels(name, got)


@pytest.mark.parametrize("name", PLAIN)
def test_who_left_and_comes_back_goes_on_with_the_next_key_frame(name: str) -> None:
    """Of encoders without layers, packetized by others than a browser."""
    whole = capture(name)
    source, receiver = encoding(whole.mime), Receiver()
    leg = receiver.leg(first_index=60000)
    leg.wide = source.is_wide
    leg.prepare(payload_type=96, rtx_payload_type=97)
    aim_at(leg, source.whole)
    for number, turn in enumerate(turns(whole.packets)):
        if number == 10:
            detach(leg)
        if number == 20:
            aim_at(leg, source.whole)
        feed(source, turn)
    got = receiver.receive()
    sequences = [one.sequence for one in got]
    assert sequences == [(sequences[0] + n) & 0xFFFF for n in range(len(got))]
    pictures_there = len({one.timestamp for one in whole.packets})
    assert 10 < len({one.timestamp for one in got}) < pictures_there - 10
    shown = list(reference(name, choices(name)[0]).values())
    frames = [digest(frame) for frame in decode(whole.mime, got)]
    assert frames == [*shown[:10], *shown[-(len(frames) - 10) :]]


@pytest.mark.parametrize("to", [0, 1])
@pytest.mark.parametrize("name", SIMULCAST)
def test_between_encodings_everything_counts_on_and_every_picture_is_one_of_theirs(
    name: str, to: int
) -> None:
    chance = random.Random(name)
    count = len(list(turns(capture(name).packets)))
    start = learnt_at(name)
    there = [one for one in choices(name) if one[0] == to]
    switched = {start: there[-1]}
    later = chance.sample(range(start + (count - start) * 2 // 3, count), 4)
    got, leg = forwarded(name, switched | {place: chance.choice(there) for place in later}, begin=1 - to)
    assert leg.encoding is not None and leg.encoding.spatial == to
    assert len(leg.epochs) >= 2
    assert_in_order(name, got)
    frames = [digest(frame) for frame in decode(capture(name).mime, got)]
    shown = {frame for choice in choices(name) for frame in reference(name, choice).values()}
    assert frames and set(frames) <= shown
