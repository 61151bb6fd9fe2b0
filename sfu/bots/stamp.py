"""What a bot writes into every packet it sends, so that whoever receives it can tell what became of it.

The stamp is the end of the RTP payload, where no server has a reason to touch it (a codec's descriptor, which
one may rewrite, is at the start): a magic number, the stream it belongs to, its place in that stream and the
moment it was sent. Sender and receiver share a machine, so the monotonic clock compares.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = 0x526F7354  # "RosT"
_LAYOUT = struct.Struct("!IIQQ")
STAMP_LENGTH = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class Stamp:
    """`counter` numbers the packets of `stream_id` from 0; `sent_ns` is CLOCK_MONOTONIC in nanoseconds."""

    stream_id: int
    counter: int
    sent_ns: int


def to_stamp(stream_id: int, counter: int, sent_ns: int) -> bytes:
    return _LAYOUT.pack(MAGIC, stream_id, counter, sent_ns)


def parse_stamp(payload: bytes) -> Stamp | None:
    """The stamp at the end of an RTP payload, None where there is none."""
    offset = len(payload) - STAMP_LENGTH
    if offset < 0:
        return None
    magic, stream_id, counter, sent_ns = _LAYOUT.unpack_from(payload, offset)
    return Stamp(stream_id, counter, sent_ns) if magic == MAGIC else None
