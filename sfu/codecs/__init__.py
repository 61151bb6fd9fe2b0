"""What the node reads of a payload: is this a key frame, and which layer is it.

Pure functions on payload bytes. Payloads come from outside and may be anything: a test answers False for
what it cannot read, parsers raise `CodecError` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from sfu.codecs import av1, h264, h265, opus, vp8, vp9

KeyframeTest = Callable[[bytes], bool]

_TESTS: dict[str, KeyframeTest] = {
    "audio/opus": opus.starts_keyframe,
    "video/vp8": vp8.starts_keyframe,
    "video/vp9": vp9.starts_keyframe,
    "video/h264": h264.starts_keyframe,
    "video/h265": h265.starts_keyframe,
    "video/av1": av1.starts_keyframe,
}


_READABLE_ENCRYPTED = frozenset({"audio/opus", "video/vp8", "video/vp9"})
"""What is read of these stands before the encrypted part: in the payload descriptor, and of VP8 in the first
byte of the frame, which senders leave clear. AV1, H.264 and H.265 are packetized by what is in the frame."""


def finds_keyframes_of_encrypted(mime: str) -> bool:
    """Whether payloads that are encrypted end to end can be forwarded like others."""
    return mime.lower() in _READABLE_ENCRYPTED


def keyframe_test(mime: str) -> KeyframeTest:
    """The test for the first packet of a key frame. A codec unknown here has none that is ever found."""
    return _TESTS.get(mime.lower(), _never)


def _never(_payload: bytes) -> bool:
    return False
