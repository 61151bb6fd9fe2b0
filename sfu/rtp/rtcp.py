"""RTCP (RFC 3550 section 6) and its feedback messages, parsed from compound or reduced-size packets.

The values live in modules by family: reports in `rtcp_reports`, requests in `rtcp_feedback`, transport-wide
congestion control in `transport_feedback`. Each prints itself with `to_bytes()`; a compound packet is the
concatenation.
"""

from __future__ import annotations

from collections.abc import Callable

from sfu.errors import RtcpError
from sfu.rtp.rtcp_feedback import (
    FORMAT_APPLICATION,
    FORMAT_FIR,
    FORMAT_NACK,
    FORMAT_PLI,
    PAYLOAD_FEEDBACK,
    TRANSPORT_FEEDBACK,
    Fir,
    Nack,
    Pli,
    Remb,
)
from sfu.rtp.rtcp_reports import (
    BYE,
    EXTENDED_REPORT,
    RECEIVER_REPORT,
    SDES,
    SENDER_REPORT,
    Bye,
    ReceiverReport,
    ReportBlock,
    Sdes,
    SenderReport,
    XrDlrr,
    XrRrtr,
    parse_extended_report,
)
from sfu.rtp.transport_feedback import FORMAT_TRANSPORT_CC, TransportFeedback, build_transport_feedback

__all__ = [
    "Bye",
    "Fir",
    "Nack",
    "Pli",
    "ReceiverReport",
    "Remb",
    "ReportBlock",
    "RtcpError",
    "RtcpPacket",
    "Sdes",
    "SenderReport",
    "TransportFeedback",
    "XrDlrr",
    "XrRrtr",
    "build_transport_feedback",
    "parse_rtcp",
]

RtcpPacket = (
    SenderReport | ReceiverReport | Sdes | Bye | Nack | TransportFeedback | Pli | Fir | Remb | XrRrtr | XrDlrr
)

HEADER_LENGTH = 4

_PARSERS: dict[int, Callable[[int, bytes], RtcpPacket]] = {
    SENDER_REPORT: SenderReport.from_body,
    RECEIVER_REPORT: ReceiverReport.from_body,
    SDES: Sdes.from_body,
    BYE: Bye.from_body,
}
_FEEDBACK_PARSERS: dict[tuple[int, int], Callable[[bytes], RtcpPacket | None]] = {
    (TRANSPORT_FEEDBACK, FORMAT_NACK): Nack.from_body,
    (TRANSPORT_FEEDBACK, FORMAT_TRANSPORT_CC): TransportFeedback.from_body,
    (PAYLOAD_FEEDBACK, FORMAT_PLI): Pli.from_body,
    (PAYLOAD_FEEDBACK, FORMAT_FIR): Fir.from_body,
    (PAYLOAD_FEEDBACK, FORMAT_APPLICATION): Remb.from_body,
}


def parse_rtcp(data: bytes) -> list[RtcpPacket]:
    """All packets of a compound, in order; those of kinds nobody here knows are left out.

    Raises `RtcpError` when anything in it is malformed.
    """
    if not data:
        raise RtcpError("an RTCP packet is empty")
    packets: list[RtcpPacket] = []
    offset = 0
    while offset < len(data):
        if len(data) - offset < HEADER_LENGTH or data[offset] >> 6 != 2:
            raise RtcpError("not an RTCP packet of version 2")
        end = offset + HEADER_LENGTH + 4 * int.from_bytes(data[offset + 2 : offset + 4], "big")
        if end > len(data):
            raise RtcpError("an RTCP packet is longer than its datagram")
        body = data[offset + HEADER_LENGTH : end]
        if data[offset] & 0x20:
            body = _without_padding(body, is_last=end == len(data))
        packets += _parse_one(data[offset + 1], data[offset] & 0x1F, body)
        offset = end
    return packets


def is_transport_feedback(data: bytes) -> bool:
    """Whether a datagram is one packet of transport-wide feedback and nothing else, by its header alone."""
    return (
        len(data) >= 4
        and data[1] == TRANSPORT_FEEDBACK
        and data[0] & 0x1F == FORMAT_TRANSPORT_CC
        and 4 * ((data[2] << 8 | data[3]) + 1) == len(data)
    )


def _without_padding(body: bytes, *, is_last: bool) -> bytes:
    """Only the last packet of a compound may be padded (RFC 3550 section 6.4.1), by its last byte's number.

    That should be a multiple of four, but transport-wide feedback is padded by one to three.
    """
    padding = body[-1] if body else 0
    if not is_last or not 0 < padding <= len(body):
        raise RtcpError("the padding of an RTCP packet is wrong")
    return body[:-padding]


def _parse_one(packet_type: int, count: int, body: bytes) -> list[RtcpPacket]:
    """The packets in one body; more than one only for extended reports. `count` is also the format."""
    if packet_type == EXTENDED_REPORT:
        return [*parse_extended_report(body)]
    if packet_type in _PARSERS:
        return [_PARSERS[packet_type](count, body)]
    parse_feedback = _FEEDBACK_PARSERS.get((packet_type, count))
    packet = None if parse_feedback is None else parse_feedback(body)
    return [] if packet is None else [packet]
