"""Where the packets of a codec count their pictures, for whoever has to make them go on after a switch.

VP8 and VP9 count in the payload; AV1, H.264 and H.265 in the dependency descriptor, where there is one: the
first element of the extension tail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sfu.codecs import dependency, vp8, vp9
from sfu.codecs.counters import Counters
from sfu.rtp.negotiation import SUBSCRIBE_EXTENSIONS
from sfu.rtp.parameters import ExtensionUri

TAIL, PAYLOAD = 4, 5
"""The fields of a packet that counters may stand in."""
DESCRIPTOR_ID = SUBSCRIBE_EXTENSIONS[ExtensionUri.DEPENDENCY_DESCRIPTOR]
DESCRIPTOR_START = 2
"""Behind the id and the length of a two-byte element (RFC 8285 section 4.3)."""


class Numbers(NamedTuple):
    """`find` looks into the field of that position."""

    field: int
    find: Callable[[bytes], Counters | None]


def find_descriptor(tail: bytes) -> bytes | None:
    """The dependency descriptor of a tail in the two-byte form."""
    if len(tail) < DESCRIPTOR_START + dependency.MANDATORY_BYTES or tail[0] != DESCRIPTOR_ID:
        return None
    return tail[DESCRIPTOR_START : DESCRIPTOR_START + tail[1]]


def _find_in_descriptor(tail: bytes) -> Counters | None:
    return dependency.find_counters(tail, DESCRIPTOR_START) if find_descriptor(tail) is not None else None


def _find_none(_data: bytes) -> None:
    return None


NO_NUMBERS = Numbers(PAYLOAD, _find_none)
_NUMBERS = {
    "video/vp8": Numbers(PAYLOAD, vp8.find_counters),
    "video/vp9": Numbers(PAYLOAD, vp9.find_counters),
    "video/av1": Numbers(TAIL, _find_in_descriptor),
    "video/h264": Numbers(TAIL, _find_in_descriptor),
    "video/h265": Numbers(TAIL, _find_in_descriptor),
}


def numbers_of(mime: str) -> Numbers:
    return _NUMBERS.get(mime.lower(), NO_NUMBERS)
