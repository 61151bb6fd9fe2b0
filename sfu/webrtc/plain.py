"""Media in the clear, in the shape of SRTP: for pipes between nodes of one machine, whose packets never leave
the loopback interface. Nothing else may use it; `sfu.pipes` refuses it for any other address.
"""

from __future__ import annotations

from collections.abc import Callable

from sfu.webrtc.srtp import Encrypt, InboundSrtp, OutboundSrtp

RTCP_HEADER_LENGTH = 8


class PlainInbound:
    """Takes packets as they come; the shape of `InboundSrtp`."""

    auth_failures = 0
    replays = 0

    def open_rtp(self, data: bytes, header_length: int, _ssrc: int, _sequence: int) -> bytes | None:
        return data[header_length:]

    def open_rtcp(self, data: bytes) -> bytes | None:
        return data if len(data) >= RTCP_HEADER_LENGTH else None


class PlainOutbound:
    """Sends packets as they are; the shape of `OutboundSrtp` with AES-GCM, as the forwarding loop has it."""

    is_gcm = True
    overhead = 0
    protect: Callable[[bytes], bytes]

    def encrypt_of(self, _ssrc: int) -> Encrypt:
        return _leave_clear

    def seal_rtp(self, header: bytes, payload: bytes, _extended_sequence: int) -> bytes:
        return header + payload

    def seal_rtcp(self, data: bytes) -> bytes:
        return data


def _leave_clear(_index: int, payload: bytes, _header: bytes) -> bytes:
    return payload


Inbound = InboundSrtp | PlainInbound
Outbound = OutboundSrtp | PlainOutbound
