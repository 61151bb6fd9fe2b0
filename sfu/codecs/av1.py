"""AV1 over RTP (AOM "RTP Payload Format For AV1", section 4.4): the aggregation header.

+-+-+-+-+-+-+-+-+
|Z|Y| W |N|-|-|-|     N: first packet of a coded video sequence
+-+-+-+-+-+-+-+-+
"""

from __future__ import annotations


def starts_keyframe(payload: bytes) -> bool:
    """The N bit: a new coded video sequence begins, so a decoder can start here."""
    return len(payload) > 1 and bool(payload[0] & 0x08) and not payload[0] & 0x80
