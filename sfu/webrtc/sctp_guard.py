"""Which SCTP packets (RFC 9260) the stack behind it may see. Pure.

aiortc's SCTP is made for peers that mean well: a parameter of length zero sends its parser into an endless
loop, a SACK that spans 65,535 chunks costs it as many steps, a stream for every id is a table for every id.
Whoever sends us SCTP is authenticated, but may still be hostile. So each packet passes here first: what is
not well-formed to the last length raises `SctpError`, and what is left is described by a `Summary`, of which
the association judges the parts that depend on its state.

    packet: source port(2) destination port(2) verification tag(4) CRC32c(4), then chunks
    chunk:  type(1) flags(1) length(2) body, padded to 4
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from sfu.errors import SctpError

MAX_PACKET = 2048
"""Bytes. WebRTC's SCTP keeps to about 1,200, since DTLS is not to be fragmented (RFC 8261 section 5)."""
MAX_STREAMS = 256
MAX_PARAMETERS = 32
MAX_FORWARDED_STREAMS = 64

COMMON_HEADER = 12
CHUNK_HEADER = 4

DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN = range(8)
SHUTDOWN_ACK, ERROR, COOKIE_ECHO, COOKIE_ACK = 8, 9, 10, 11
SHUTDOWN_COMPLETE, RECONFIG, FORWARD_TSN = 14, 130, 192

_SMALLEST = {
    DATA: 13,
    INIT: 16,
    INIT_ACK: 16,
    SACK: 12,
    SHUTDOWN: 4,
    COOKIE_ECHO: 1,
    FORWARD_TSN: 4,
}
"""Body lengths; a DATA chunk carries at least one byte (section 3.3.1)."""
_PARAMETERS_AT = {INIT: 16, INIT_ACK: 16, HEARTBEAT: 0, HEARTBEAT_ACK: 0, ABORT: 0, ERROR: 0, RECONFIG: 0}
"""Where the type-length-value parameters of a chunk begin."""
_RESET_OUTGOING, _RECONFIG_RESPONSE, _ADD_OUTGOING = 13, 16, 17
_SMALLEST_RECONFIG = {_RESET_OUTGOING: 12, _RECONFIG_RESPONSE: 8, _ADD_OUTGOING: 8}


@dataclass(slots=True)
class Summary:
    """What a well-formed packet holds. `acknowledged` are (cumulative TSN, end of the last gap block)."""

    chunks: int = 0
    init: bool = False
    tsns: list[int] = field(default_factory=list)
    """Of the DATA chunks."""
    acknowledged: list[tuple[int, int]] = field(default_factory=list)
    forwarded: bool = False
    """Whether a FORWARD TSN is in it."""


def inspect(packet: bytes) -> Summary:
    """Raises `SctpError` for a packet that is not well-formed, or larger than any that we take."""
    if not COMMON_HEADER + CHUNK_HEADER <= len(packet) <= MAX_PACKET:
        raise SctpError("an SCTP packet is shorter than its headers, or too long")
    summary = Summary()
    position = COMMON_HEADER
    while position < len(packet):
        if len(packet) - position < CHUNK_HEADER:
            raise SctpError("an SCTP packet ends within a chunk's header")
        kind, _, length = struct.unpack_from("!BBH", packet, position)
        if length < CHUNK_HEADER or position + length > len(packet):
            raise SctpError("an SCTP chunk is shorter than its header or longer than its packet")
        _inspect_chunk(kind, packet[position + CHUNK_HEADER : position + length], summary)
        position += length + -length % 4
    if summary.init and summary.chunks > 1:
        raise SctpError("an INIT is not alone in its packet")
    return summary


def _inspect_chunk(kind: int, body: bytes, summary: Summary) -> None:
    summary.chunks += 1
    if len(body) < _SMALLEST.get(kind, 0):
        raise SctpError(f"an SCTP chunk of type {kind} is cut short")
    if kind in _PARAMETERS_AT:
        _inspect_parameters(kind, body[_PARAMETERS_AT[kind] :])
    if kind == DATA:
        tsn, stream = struct.unpack_from("!LH", body)
        _check_stream(stream)
        summary.tsns.append(tsn)
    elif kind == SACK:
        summary.acknowledged.append(_inspect_sack(body))
    elif kind == FORWARD_TSN:
        _inspect_forward_tsn(body)
        summary.forwarded = True
    elif kind in (INIT, INIT_ACK):
        summary.init = summary.init or kind == INIT
        if not any(body[:4]):
            raise SctpError("an SCTP initiate tag is zero")


def _check_stream(stream: int) -> None:
    if stream >= MAX_STREAMS:
        raise SctpError(f"SCTP stream {stream} was never negotiated")


def _inspect_parameters(kind: int, parameters: bytes) -> None:
    position = count = 0
    while position < len(parameters):
        if len(parameters) - position < CHUNK_HEADER:
            raise SctpError("an SCTP parameter is cut short")
        name, length = struct.unpack_from("!HH", parameters, position)
        count += 1
        if length < CHUNK_HEADER or position + length > len(parameters) or count > MAX_PARAMETERS:
            raise SctpError("SCTP parameters have a wrong length, or there are too many")
        if kind == RECONFIG:
            _check_reconfig(name, length - CHUNK_HEADER)
        position += length + -length % 4


def _check_reconfig(name: int, length: int) -> None:
    odd = name == _RESET_OUTGOING and length % 2
    if length < _SMALLEST_RECONFIG.get(name, 0) or odd:
        raise SctpError("an SCTP reconfiguration parameter is cut short")


def _inspect_sack(body: bytes) -> tuple[int, int]:
    """Gap blocks are apart and in order (section 3.3.4), so their ends bound what there is to look at."""
    cumulative, _, gaps, duplicates = struct.unpack_from("!LLHH", body)
    if len(body) != 12 + 4 * (gaps + duplicates):
        raise SctpError("a SACK is not as long as it says")
    last = 0
    for start, end in struct.iter_unpack("!HH", body[12 : 12 + 4 * gaps]):
        if not last < start <= end:
            raise SctpError("the gap blocks of a SACK overlap or are out of order")
        last = end
    return cumulative, last


def _inspect_forward_tsn(body: bytes) -> None:
    if len(body) % 4 or len(body) > 4 * (1 + MAX_FORWARDED_STREAMS):
        raise SctpError("a FORWARD TSN has a wrong length")
    for stream, _ in struct.iter_unpack("!HH", body[4:]):
        _check_stream(stream)
