"""Finding the first packet of a key frame in each codec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.codecs import keyframe_test


@pytest.mark.parametrize(
    ("mime", "payload"),
    [
        ("video/H264", b"\x65\x88"),
        ("video/H264", b"\x67\x42\xe0\x1f"),
        ("video/H264", b"\x78\x00\x02\x67\x42\x00\x02\x68\xce\x00\x02\x65\x88"),
        ("video/H264", b"\x78\x00\x02\x09\x10\x00\x02\x65\x88"),
        ("video/H264", b"\x7c\x85\x88"),
        ("video/H265", b"\x40\x01\x0c\x01"),
        ("video/H265", b"\x42\x01\x01\x01"),
        ("video/H265", b"\x26\x01\xaf"),
        ("video/H265", b"\x28\x01\xaf"),
        ("video/H265", b"\x2a\x01\xaf"),
        ("video/H265", b"\x20\x01\xaf"),
        ("video/H265", b"\x62\x01\x94\xaf"),
        ("video/H265", b"\x62\x01\xa0\x0c"),
        ("video/H265", b"\x60\x01\x00\x03\x46\x01\x10\x00\x03\x28\x01\xaf"),
        ("video/VP9", b"\x88\x12\x00"),
        ("video/VP9", b"\xa8\x81\x23\x00\x01"),
        ("video/AV1", b"\x18\x0a\x0b"),
        ("audio/opus", b"\x78"),
    ],
)
def test_a_key_frame_is_recognised(mime: str, payload: bytes) -> None:
    assert keyframe_test(mime)(payload)


@pytest.mark.parametrize(
    ("mime", "payload"),
    [
        ("video/H264", b"\x41\x9a"),
        ("video/H264", b"\x7c\x05\x88"),
        ("video/H264", b"\x7c\x81\x88"),
        ("video/H264", b"\x78\x00\x02\x41\x9a"),
        ("video/H265", b"\x02\x01\xd0"),
        ("video/H265", b"\x44\x01\xc1"),
        ("video/H265", b"\x28\x01\x2f"),
        ("video/H265", b"\x62\x01\x14\xaf"),
        ("video/H265", b"\x62\x01\x94\x2f"),
        ("video/H265", b"\x62\x01\x94"),
        ("video/H265", b"\x62\x01\x81\xd0"),
        ("video/H265", b"\x60\x01\x00\x03\x46\x01\x10\x00\x03\x02\x01\xd0"),
        ("video/H265", b"\x60\x01\x00\x02\x28"),
        ("video/H265", b"\x64\x01\x28\xaf"),
        ("video/H265", b"\x28\x01"),
        ("video/VP9", b"\xc8\x12\x00"),
        ("video/VP9", b"\x80\x12\x00"),
        ("video/VP9", b"\xa8\x12\x02\x01"),
        ("video/AV1", b"\x10\x0a\x0b"),
        ("video/AV1", b"\x98\x0a\x0b"),
        ("video/unknown", b"\x65"),
    ],
)
def test_other_packets_are_not(mime: str, payload: bytes) -> None:
    assert not keyframe_test(mime)(payload)


@given(
    st.sampled_from(["video/VP8", "video/VP9", "video/H264", "video/H265", "video/AV1", "audio/opus"]),
    st.binary(max_size=80),
)
def test_hostile_payloads_are_answered_not_raised(mime: str, payload: bytes) -> None:
    assert keyframe_test(mime)(payload) in (True, False)
