"""RTP packets (RFC 3550 section 5.1) as values: for bots, tests and whatever leaves the forwarding loop.

The loop itself works on bytes; what it needs from here are `header_length` and `strip_padding`, which check
every length they read.

     0                   1                   2                   3
    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
    |                           timestamp                           |
    |                             SSRC                              |
    |                 CSRC, CC of them; extension, if X             |
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sfu.errors import RtpError
from sfu.rtp.extensions import build_extensions, parse_extensions

FIXED_LENGTH = 12
MAX_CSRCS = 15
_HEADER = struct.Struct("!BBHLL")


def header_length(data: bytes) -> int:
    """Where the payload of a packet begins. Raises `RtpError` when its header does not fit into `data`."""
    size = len(data)
    if size < FIXED_LENGTH or data[0] >> 6 != 2:
        raise RtpError("not an RTP packet of version 2")
    length = FIXED_LENGTH + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        if length + 4 > size:
            raise RtpError("the header of an RTP packet is cut off")
        length += 4 + 4 * (data[length + 2] << 8 | data[length + 3])
    if length > size:
        raise RtpError("the header of an RTP packet is longer than the packet")
    return length


def strip_padding(payload: bytes) -> bytes:
    """The decrypted payload of a packet whose padding bit is set, without the padding. Raises `RtpError`."""
    padding = payload[-1] if payload else 0
    if not 0 < padding <= len(payload):
        raise RtpError("the padding of an RTP packet is longer than its payload, or zero")
    return payload[:-padding]


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet in plain text. `extensions` are (id, value); `padding` counts bytes behind the payload."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extensions: tuple[tuple[int, bytes], ...] = ()
    padding: int = 0

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """Read a packet. Raises `RtpError`."""
        start = header_length(data)
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        csrc_count = first & 0x0F
        extensions: tuple[tuple[int, bytes], ...] = ()
        if first & 0x10:
            block = FIXED_LENGTH + 4 * csrc_count
            profile = int.from_bytes(data[block : block + 2], "big")
            extensions = tuple(parse_extensions(profile, data[block + 4 : start]))
        payload = data[start:]
        stripped = strip_padding(payload) if first & 0x20 else payload
        return cls(
            payload_type=second & 0x7F,
            sequence=sequence,
            timestamp=timestamp,
            ssrc=ssrc,
            payload=stripped,
            marker=bool(second & 0x80),
            csrcs=struct.unpack_from(f"!{csrc_count}L", data, FIXED_LENGTH),
            extensions=extensions,
            padding=len(payload) - len(stripped),
        )

    def header_bytes(self) -> bytes:
        """The header alone, as SRTP wants it. Raises `RtpError` when a field does not fit."""
        if len(self.csrcs) > MAX_CSRCS or not 0 <= self.padding <= 255 or not 0 <= self.payload_type <= 127:
            raise RtpError("an RTP packet has at most 15 CSRCs, 255 bytes of padding and 128 payload types")
        first = 0x80 | len(self.csrcs)
        if self.padding:
            first |= 0x20
        if self.extensions:
            first |= 0x10
        second = self.payload_type | (0x80 if self.marker else 0)
        try:
            fixed = _HEADER.pack(first, second, self.sequence, self.timestamp, self.ssrc)
            sources = struct.pack(f"!{len(self.csrcs)}L", *self.csrcs)
        except struct.error as error:
            raise RtpError(f"a field of an RTP packet is out of range: {error}") from error
        return fixed + sources + build_extensions(self.extensions)

    def body_bytes(self) -> bytes:
        """The payload with its padding: what SRTP encrypts."""
        if not self.padding:
            return self.payload
        return self.payload + bytes(self.padding - 1) + bytes([self.padding])

    def to_bytes(self) -> bytes:
        return self.header_bytes() + self.body_bytes()

    def extension(self, id_: int) -> bytes | None:
        return next((value for known, value in self.extensions if known == id_), None)
