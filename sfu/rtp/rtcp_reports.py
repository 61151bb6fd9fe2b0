"""RTCP reports: sender and receiver reports, names, farewells (RFC 3550 section 6), extended ones (RFC 3611).

Times are as on the wire: `ntp` in 64 bits, seconds since 1900 in the upper half; `lsr` and `lrr` are the
middle 32 bits of such a time, `dlsr` and `dlrr` delays in 1/65536 s.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sfu.errors import RtcpError

SENDER_REPORT, RECEIVER_REPORT, SDES, BYE, EXTENDED_REPORT = 200, 201, 202, 203, 207
CNAME = 1
BLOCK_RRTR, BLOCK_DLRR = 4, 5
MAX_LOST, MIN_LOST = (1 << 23) - 1, -(1 << 23)

_REPORT_BLOCK = struct.Struct("!LLLLLL")
_SENDER_INFO = struct.Struct("!LQLLL")


def header(packet_type: int, count: int, body: bytes) -> bytes:
    """A packet of a body whose length is a multiple of four."""
    return struct.pack("!BBH", 0x80 | count, packet_type, len(body) // 4) + body


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says about one stream. `fraction_lost` is in 1/256, `jitter` in timestamp units.

    `lost` is cumulative and may be negative (duplicates); `highest` is the extended sequence number.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int

    def to_bytes(self) -> bytes:
        lost = max(MIN_LOST, min(self.lost, MAX_LOST)) & 0xFFFFFF
        losses = self.fraction_lost << 24 | lost
        return _REPORT_BLOCK.pack(self.ssrc, losses, self.highest, self.jitter, self.lsr, self.dlsr)


@dataclass(frozen=True, slots=True)
class SenderReport:
    """`rtp_timestamp` is the instant `ntp` on the stream's own clock."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    reports: tuple[ReportBlock, ...] = ()

    @classmethod
    def from_body(cls, count: int, body: bytes) -> SenderReport:
        if len(body) < _SENDER_INFO.size:
            raise RtcpError("a sender report is cut off")
        ssrc, ntp, rtp_timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
        blocks = _parse_blocks(count, body[_SENDER_INFO.size :])
        return cls(ssrc, ntp, rtp_timestamp, packets, octets, blocks)

    def to_bytes(self) -> bytes:
        info = _SENDER_INFO.pack(
            self.ssrc,
            self.ntp,
            self.rtp_timestamp,
            self.packet_count & 0xFFFFFFFF,
            self.octet_count & 0xFFFFFFFF,
        )
        return header(SENDER_REPORT, len(self.reports), info + b"".join(b.to_bytes() for b in self.reports))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    reports: tuple[ReportBlock, ...] = ()

    @classmethod
    def from_body(cls, count: int, body: bytes) -> ReceiverReport:
        if len(body) < 4:
            raise RtcpError("a receiver report is cut off")
        return cls(int.from_bytes(body[:4], "big"), _parse_blocks(count, body[4:]))

    def to_bytes(self) -> bytes:
        body = self.ssrc.to_bytes(4, "big") + b"".join(block.to_bytes() for block in self.reports)
        return header(RECEIVER_REPORT, len(self.reports), body)


def _parse_blocks(count: int, data: bytes) -> tuple[ReportBlock, ...]:
    """The report blocks; a profile's extensions behind them are ignored."""
    if len(data) < count * _REPORT_BLOCK.size:
        raise RtcpError("a report has fewer blocks than it says")
    return tuple(_parse_block(data, n * _REPORT_BLOCK.size) for n in range(count))


def _parse_block(data: bytes, offset: int) -> ReportBlock:
    ssrc, losses, highest, jitter, lsr, dlsr = _REPORT_BLOCK.unpack_from(data, offset)
    lost = losses & 0xFFFFFF
    if lost > MAX_LOST:
        lost -= 1 << 24
    return ReportBlock(ssrc, losses >> 24, lost, highest, jitter, lsr, dlsr)


@dataclass(frozen=True, slots=True)
class Sdes:
    """The canonical names of sources, as (SSRC, cname); other items, and sources without, are left out."""

    cnames: tuple[tuple[int, str], ...]

    @classmethod
    def from_body(cls, count: int, body: bytes) -> Sdes:
        cnames: list[tuple[int, str]] = []
        offset = 0
        for _ in range(count):
            if offset + 4 > len(body):
                raise RtcpError("a source description has fewer chunks than it says")
            ssrc = int.from_bytes(body[offset : offset + 4], "big")
            cname, offset = _parse_chunk(body, offset + 4)
            if cname is not None:
                cnames.append((ssrc, cname))
        return cls(tuple(cnames))

    def to_bytes(self) -> bytes:
        body = b""
        for ssrc, cname in self.cnames:
            name = cname.encode()[:255]
            items = bytes([CNAME, len(name)]) + name
            body += ssrc.to_bytes(4, "big") + items + bytes(4 - len(items) % 4)
        return header(SDES, len(self.cnames), body)


def _parse_chunk(body: bytes, offset: int) -> tuple[str | None, int]:
    """The cname among the items from `offset` on, and where the next chunk begins."""
    cname: str | None = None
    while offset < len(body) and body[offset] != 0:
        if offset + 2 > len(body) or (end := offset + 2 + body[offset + 1]) > len(body):
            raise RtcpError("an item of a source description is cut off")
        if body[offset] == CNAME and cname is None:
            try:
                cname = body[offset + 2 : end].decode()
            except UnicodeDecodeError as error:
                raise RtcpError("a cname is not UTF-8") from error
        offset = end
    if offset >= len(body):
        raise RtcpError("a chunk of a source description does not end")
    return cname, offset + 4 - offset % 4


@dataclass(frozen=True, slots=True)
class Bye:
    """These sources send no more. A reason, if one was given, is left out."""

    ssrcs: tuple[int, ...]

    @classmethod
    def from_body(cls, count: int, body: bytes) -> Bye:
        if len(body) < 4 * count:
            raise RtcpError("a farewell has fewer sources than it says")
        return cls(struct.unpack_from(f"!{count}L", body))

    def to_bytes(self) -> bytes:
        return header(BYE, len(self.ssrcs), struct.pack(f"!{len(self.ssrcs)}L", *self.ssrcs))


@dataclass(frozen=True, slots=True)
class XrRrtr:
    """A receiver's own time, so that it can measure round trips (RFC 3611 section 4.4)."""

    sender_ssrc: int
    ntp: int

    def to_bytes(self) -> bytes:
        block = struct.pack("!BBHQ", BLOCK_RRTR, 0, 2, self.ntp)
        return header(EXTENDED_REPORT, 0, self.sender_ssrc.to_bytes(4, "big") + block)


@dataclass(frozen=True, slots=True)
class XrDlrr:
    """The answer to `XrRrtr`: (SSRC, last receiver report, delay since then) each (RFC 3611 section 4.5)."""

    sender_ssrc: int
    reports: tuple[tuple[int, int, int], ...]

    def to_bytes(self) -> bytes:
        block = struct.pack("!BBH", BLOCK_DLRR, 0, 3 * len(self.reports))
        block += b"".join(struct.pack("!LLL", *report) for report in self.reports)
        return header(EXTENDED_REPORT, 0, self.sender_ssrc.to_bytes(4, "big") + block)


def parse_extended_report(body: bytes) -> list[XrRrtr | XrDlrr]:
    """The blocks we know of one extended report."""
    if len(body) < 4:
        raise RtcpError("an extended report is cut off")
    sender_ssrc = int.from_bytes(body[:4], "big")
    blocks: list[XrRrtr | XrDlrr] = []
    offset = 4
    while offset < len(body):
        kind, length = body[offset], int.from_bytes(body[offset + 2 : offset + 4], "big")
        content = body[offset + 4 : offset + 4 + 4 * length]
        if len(content) < 4 * length:
            raise RtcpError("a block of an extended report is cut off")
        if kind == BLOCK_RRTR:
            if length != 2:
                raise RtcpError("a receiver reference time is not 64 bits")
            blocks.append(XrRrtr(sender_ssrc, int.from_bytes(content, "big")))
        elif kind == BLOCK_DLRR:
            if length % 3:
                raise RtcpError("a delay since the last receiver report is not made of three words")
            blocks.append(XrDlrr(sender_ssrc, tuple(struct.iter_unpack("!LLL", content))))
        offset += 4 + 4 * length
    return blocks
