"""Sender reports towards receivers (RFC 3550 section 6.4.1), on the publisher's clock.

The publisher's NTP time is passed on, extrapolated from its last sender report, so that audio and video of
one publisher stay in sync at the receiver however often the encoding changed.
"""

from __future__ import annotations

from sfu.forwarding.leg import Leg
from sfu.rtp.rtcp import SenderReport


def sender_report(leg: Leg, now: float) -> SenderReport | None:
    """The leg's report for this moment; None before packets went out or the publisher reported."""
    encoding = leg.encoding
    if encoding is None or leg.packets == 0 or not encoding.stream.sender_ntp:
        return None
    stream = encoding.stream
    elapsed = now - stream.sender_arrival
    timestamp = stream.sender_timestamp + round(elapsed * stream.clock_rate) + leg.timestamp_offset
    return SenderReport(
        ssrc=leg.ssrc,
        ntp=(stream.sender_ntp + int(elapsed * 4294967296.0)) & 0xFFFF_FFFF_FFFF_FFFF,
        rtp_timestamp=timestamp & 0xFFFFFFFF,
        packet_count=leg.packets & 0xFFFFFFFF,
        octet_count=leg.octets & 0xFFFFFFFF,
        reports=(),
    )
