"""Redundant audio (RFC 2198): a packet that carries earlier payloads besides its own.

       0                   1                   2                   3
      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
      |1|  block PT   |     timestamp offset      |   block length    |  one for each earlier payload
      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
      |0|  block PT   |                                                  the packet's own
      +-+-+-+-+-+-+-+-+
      the payloads in the same order, the own one up to the end

Whoever lost a packet finds it in the next one, without a round trip. Timestamp offsets are in units of the
RTP clock, before the packet's own timestamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sfu.errors import CodecError

MAX_OFFSET: Final = (1 << 14) - 1
"""341 ms at 48 kHz."""
MAX_LENGTH: Final = (1 << 10) - 1
MAX_EARLIER: Final = 8
"""Earlier payloads that one packet may have here; browsers send one or two."""
EARLIER_HEADER: Final = 4


class Earlier(NamedTuple):
    """A payload sent before: how long before, and its bytes."""

    offset: int
    payload: bytes


class RedPayload(NamedTuple):
    """`earlier` goes from the oldest to the latest."""

    primary: bytes
    earlier: tuple[Earlier, ...]


def parse_red(payload: bytes, payload_type: int) -> RedPayload:
    """Take a redundant payload apart. Every block has to be of `payload_type`, the codec's own.

    Raises `CodecError` for a payload that is cut short, has blocks of another type, more than `MAX_EARLIER`
    of them, or nothing of its own. Earlier blocks may be empty (nothing was sent then) and are left out.
    """
    size = len(payload)
    position = 0
    blocks: list[tuple[int, int]] = []
    while True:
        if position >= size:
            raise CodecError("a redundant payload ends within its headers")
        lead = payload[position]
        if lead & 0x7F != payload_type:
            raise CodecError("a redundant payload has a block of another codec")
        if not lead & 0x80:
            position += 1
            break
        if position + EARLIER_HEADER > size or len(blocks) == MAX_EARLIER:
            raise CodecError("a redundant payload has a header that is cut short, or too many")
        fields = int.from_bytes(payload[position + 1 : position + EARLIER_HEADER], "big")
        blocks.append((fields >> 10, fields & MAX_LENGTH))
        position += EARLIER_HEADER
    earlier: list[Earlier] = []
    for offset, length in blocks:
        end = position + length
        if end > size:
            raise CodecError("a redundant payload has a block that is cut short")
        if length and offset:
            earlier.append(Earlier(offset, payload[position:end]))
        position = end
    if position == size:
        raise CodecError("a redundant payload has nothing of its own")
    return RedPayload(payload[position:], tuple(earlier))


def to_red(primary: bytes, earlier: Sequence[Earlier], payload_type: int) -> bytes:
    """Print a redundant payload, the earlier ones given from the oldest to the latest.

    Their offsets are 1 to `MAX_OFFSET` and their lengths 1 to `MAX_LENGTH`.
    """
    headers = b"".join(
        bytes((0x80 | payload_type,)) + (offset << 10 | len(data)).to_bytes(3, "big")
        for offset, data in earlier
    )
    return headers + bytes((payload_type,)) + b"".join(data for _, data in earlier) + primary
