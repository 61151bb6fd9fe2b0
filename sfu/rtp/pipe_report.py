"""What the ends of a pipe tell each other about its encodings: RTCP APP packets (RFC 3550 section 6.7).

     0                   1                   2                   3
    |V=2|0| subtype |    PT=204     |            length             |
    |                    SSRC of the end that says it               |
    |                         name: "RPIP"                          |
    |      SSRC of an encoding      |             value             |  as often as it takes

Each entry stands on its own and is repeated, so that a lost packet costs time and nothing else. A packet
without entries says that its sender is there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sfu.errors import RtcpError
from sfu.layers import LAYERS, WHOLE, Layer
from sfu.rtp.rtcp_reports import header

APPLICATION_DEFINED = 204
NAME = b"RPIP"
WANTED = 1
"""From the receiving end: how much of the encoding its receivers there want (`from_wish`)."""
SENT = 2
"""From the sending end: the encoding's bitrate in bits per second (1 at least) where the publisher sends it
at present, whether it is carried or not; 0 where it does not."""
VOICE = 3
"""From the sending end, of audio where only the loudest is forwarded: how loud it is, carried or not, and
what its origin makes of that (`sfu.loudest.Voice`). An end that does not know this subject passes it over."""
RATE = 4
"""From the sending end: a layer of an encoding that is wanted, and what it takes with all that it depends on
(`from_rate`); of `WHOLE`, what everything takes. 0 where a layer is not sent any more."""
CARRIED = 5
"""From the sending end: which layer of the encoding goes through the pipe, from the next key frame on at the
latest, and which spatial layer is the highest there is (`from_carried`)."""
MAX_ENTRIES = 128
"""In one packet, so that it fits a datagram."""

MAX_RATE = (1 << 26) - 1
"""Bits per second of a layer; more is said as that."""

_PREFIX = 12
_ENTRY = struct.Struct("!LL")


@dataclass(frozen=True, slots=True)
class PipeReport:
    """`entries` are (SSRC of an encoding, value)."""

    subject: int
    sender_ssrc: int
    entries: tuple[tuple[int, int], ...] = ()

    def to_bytes(self) -> bytes:
        body = self.sender_ssrc.to_bytes(4, "big") + NAME
        body += b"".join(_ENTRY.pack(ssrc, value) for ssrc, value in self.entries)
        return header(APPLICATION_DEFINED, self.subject, body)

    @classmethod
    def parse(cls, data: bytes) -> PipeReport:
        """Read a packet that is nothing else. Raises `RtcpError`."""
        if not is_pipe_report(data):
            raise RtcpError("not a report of a pipe")
        if (len(data) - _PREFIX) % _ENTRY.size or 4 * (int.from_bytes(data[2:4], "big") + 1) != len(data):
            raise RtcpError("a pipe's report is cut off")
        entries = tuple(_ENTRY.iter_unpack(data[_PREFIX:]))
        return cls(data[0] & 0x1F, int.from_bytes(data[4:8], "big"), entries)


def is_pipe_report(data: bytes) -> bool:
    """By its header alone."""
    return (
        len(data) >= _PREFIX
        and data[0] & 0xE0 == 0x80
        and data[1] == APPLICATION_DEFINED
        and data[8:_PREFIX] == NAME
    )


def reports(subject: int, sender_ssrc: int, entries: Sequence[tuple[int, int]]) -> Iterator[PipeReport]:
    """As many packets as the entries need, one at least."""
    for start in range(0, max(1, len(entries)), MAX_ENTRIES):
        yield PipeReport(subject, sender_ssrc, tuple(entries[start : start + MAX_ENTRIES]))


def from_wish(layer: Layer | None) -> int:
    """0 for nothing, 1 for all of an encoding, else 2 and the layer's bit."""
    if layer is None:
        return 0
    return 1 if layer == WHOLE else 2 + layer.bit


def to_wish(value: int) -> Layer | None:
    """Raises `RtcpError` for what is no layer."""
    if value == 0:
        return None
    if value == 1:
        return WHOLE
    if value - 2 >= WHOLE.bit:
        raise RtcpError("a pipe's report speaks of a layer that there cannot be")
    return LAYERS[value - 2]


def from_rate(layer: Layer, bitrate: int) -> int:
    """The layer's bit in the six highest bits, bits per second in the others."""
    return layer.bit << 26 | min(bitrate, MAX_RATE)


def to_rate(value: int) -> tuple[Layer, int]:
    return LAYERS[value >> 26], value & MAX_RATE


def from_carried(layer: Layer | None, top: int) -> int:
    """The highest spatial layer, and the wish that is fulfilled in the lowest eight bits."""
    return top << 8 | from_wish(layer)


def to_carried(value: int) -> tuple[Layer | None, int]:
    """(layer, highest spatial layer). Raises `RtcpError`."""
    if value >> 8 > WHOLE.spatial:
        raise RtcpError("a pipe's report speaks of a layer that there cannot be")
    return to_wish(value & 0xFF), value >> 8
