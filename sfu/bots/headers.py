"""Where things are in an RTP header, found without taking it apart: the bots' own reading of it."""

from __future__ import annotations

import struct
from functools import lru_cache


@lru_cache(maxsize=512)
def run_layout(size: int, count: int, offset: int) -> struct.Struct:
    """Of `count` packets of `size` bytes: first byte, second byte, sequence number, SSRC, and what is before
    and at `offset`: the element's head and the transport-wide sequence number."""
    gap = "" if offset == 13 else f"{offset - 13}x"
    return struct.Struct("!" + f"BBH4xI{gap}BH{size - offset - 2}x" * count)


def header_length(packet: bytes) -> int | None:
    """Of an RTP packet, with CSRCs and header extension (RFC 3550 section 5.1); None where it is cut off."""
    length = 12 + 4 * (packet[0] & 0xF)
    if packet[0] & 0x10:
        if len(packet) < length + 4:
            return None
        length += 4 + 4 * int.from_bytes(packet[length + 2 : length + 4], "big")
    return length if length <= len(packet) else None


def element_offset(packet: bytes, number: int) -> int | None:
    """Where the value of a one-byte header extension begins (RFC 8285 section 4.2), None without it."""
    end = header_length(packet)
    start = 12 + 4 * (packet[0] & 0xF)
    if not number or end is None or not packet[0] & 0x10 or packet[start : start + 2] != b"\xbe\xde":
        return None
    at = start + 4
    while at < end:
        head = packet[at]
        if head == 0:
            at += 1
        elif head >> 4 == 15:
            return None
        elif head >> 4 == number:
            return at + 1
        else:
            at += 2 + (head & 0xF)
    return None
