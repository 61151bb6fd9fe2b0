"""Synthetic media, held against aiortc's descriptor parser."""

from __future__ import annotations

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor

from sfu.bots.media import MIN_VIDEO_PAYLOAD, OpusFrames, Vp8Frames
from sfu.bots.stamp import parse_stamp
from sfu.codecs.frame_size import UNKNOWN, size_test


def is_key_frame(payload: bytes) -> bool:
    descriptor, data = VpxPayloadDescriptor.parse(payload)
    return bool(descriptor.partition_start) and data[0] & 1 == 0 and data[3:6] == b"\x9d\x01\x2a"


def test_a_frame_has_the_packets_and_sizes_asked_for() -> None:
    frame = Vp8Frames(3, packets_per_frame=16, payload_size=1100).next_frame(0)
    assert [len(payload) for payload in frame] == [1100] * 16


def test_only_the_first_packet_of_a_frame_begins_a_partition() -> None:
    frame = Vp8Frames(3, packets_per_frame=4, payload_size=200).next_frame(0)
    assert [VpxPayloadDescriptor.parse(payload)[0].partition_start for payload in frame] == [1, 0, 0, 0]


def test_the_first_frame_and_the_one_after_a_request_are_key_frames() -> None:
    frames = Vp8Frames(3, packets_per_frame=2, payload_size=200)
    kinds = [is_key_frame(frames.next_frame(0)[0]) for _ in range(3)]
    frames.request_key_frame()
    kinds += [is_key_frame(frames.next_frame(0)[0]) for _ in range(2)]
    assert kinds == [True, False, False, True, False]


def test_another_size_comes_with_a_key_frame_that_tells_it() -> None:
    frames = Vp8Frames(3, packets_per_frame=2, payload_size=200)
    sizes = [size_test("video/VP8")(frames.next_frame(0)[0], None) for _ in range(2)]
    frames.resize(320, 180)
    sizes += [size_test("video/VP8")(frames.next_frame(0)[0], None) for _ in range(2)]
    assert sizes == [(1280, 720), UNKNOWN, (320, 180), UNKNOWN]


def test_picture_ids_count_frames() -> None:
    frames = Vp8Frames(3, packets_per_frame=2, payload_size=200)
    seen = [
        VpxPayloadDescriptor.parse(payload)[0].picture_id
        for _ in range(3)
        for payload in frames.next_frame(0)
    ]
    assert seen == [0, 0, 1, 1, 2, 2]


def test_only_base_layer_frames_move_tl0picidx() -> None:
    frames = Vp8Frames(3, packets_per_frame=1, payload_size=200, temporal_layers=2)
    descriptors = [VpxPayloadDescriptor.parse(frames.next_frame(0)[0])[0] for _ in range(4)]
    assert [one.tid[0] for one in descriptors] == [0, 1, 0, 1]
    assert [one.tl0picidx for one in descriptors] == [1, 1, 2, 2]


def test_every_packet_carries_its_own_stamp() -> None:
    frames = Vp8Frames(3, packets_per_frame=2, payload_size=200)
    stamps = [parse_stamp(payload) for payload in frames.next_frame(5) + frames.next_frame(6)]
    assert [(one.stream_id, one.counter, one.sent_ns) for one in stamps if one] == [
        (3, 0, 5),
        (3, 1, 5),
        (3, 2, 6),
        (3, 3, 6),
    ]


def test_audio_is_one_packet_of_the_size_asked_for() -> None:
    frames = OpusFrames(4, payload_size=100)
    payload = frames.next_frame(9)[0]
    stamp = parse_stamp(payload)
    assert len(payload) == 100
    assert stamp is not None
    assert (stamp.stream_id, stamp.counter) == (4, 0)


def test_a_payload_too_small_for_its_stamp_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        Vp8Frames(3, packets_per_frame=1, payload_size=MIN_VIDEO_PAYLOAD - 1)


@pytest.mark.parametrize("payload", [b"", b"x" * 23, b"x" * 24, b"x" * 100])
def test_what_bears_no_stamp_has_none(payload: bytes) -> None:
    assert parse_stamp(payload) is None
