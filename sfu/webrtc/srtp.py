"""SRTP as the rest of the node sees it: one object that opens what a peer sends, one that seals what it gets.

Which cipher works underneath is settled once, when DTLS has chosen the profile; the methods are then bound to
that cipher's, so no packet asks again. Opening never raises: a packet that does not authenticate or was seen
before is None and counted. Each direction has its own master key, so a node's `InboundSrtp` is made of the
client's key and its `OutboundSrtp` of the server's.

Keys must never meet the same packet index twice with different content. For RTP that is the caller's duty:
an SSRC's extended sequence only grows, and a retransmission has its own SSRC (RFC 4588).
"""

from __future__ import annotations

from collections.abc import Callable

from sfu.webrtc.srtp_cm import CmInbound, CmOutbound
from sfu.webrtc.srtp_gcm import Encrypt, GcmInbound, GcmOutbound
from sfu.webrtc.srtp_profile import SessionKeys, SrtpKeys, SrtpProfile

__all__ = ["Encrypt", "InboundSrtp", "OutboundSrtp", "SrtpKeys", "SrtpProfile"]

MAX_SSRCS = 256


class InboundSrtp:
    """Opens what one peer sends.

    `open_rtp(data, header_length, ssrc, sequence)` gives the payload, RTP padding included; the first
    arguments must be those of the packet in `data`. `open_rtcp(data)` gives the compound packet. Both give
    None, and count it in `auth_failures` or `replays`, when the packet does not authenticate or is a replay.
    Of at most `max_ssrcs` SSRCs rollover counters and replay windows are kept; beyond that, the one idle for
    longest is forgotten.
    """

    __slots__ = ("_cipher", "open_rtcp", "open_rtp", "profile")

    def __init__(self, profile: SrtpProfile, key: bytes, salt: bytes, *, max_ssrcs: int = MAX_SSRCS) -> None:
        self.profile = profile
        self._cipher: GcmInbound | CmInbound = (
            GcmInbound(SessionKeys.derive(key, salt), max_ssrcs)
            if profile.is_gcm
            else CmInbound(key, salt, max_ssrcs)
        )
        self.open_rtp: Callable[[bytes, int, int, int], bytes | None] = self._cipher.open_rtp
        self.open_rtcp: Callable[[bytes], bytes | None] = self._cipher.open_rtcp

    @property
    def auth_failures(self) -> int:
        return self._cipher.auth_failures

    @property
    def replays(self) -> int:
        return self._cipher.replays

    @property
    def ssrc_count(self) -> int:
        """Number of SSRCs whose RTP is being followed."""
        return self._cipher.ssrc_count


class OutboundSrtp:
    """Seals what is sent to one peer.

    `seal_rtp(header, payload, extended_sequence)` and `seal_rtcp(data)` give the packet for the wire, with
    either cipher, and raise `SrtpError` when a key is used up or the packet is too long. The forwarding loop
    goes lower: with `is_gcm`, `header + encrypt_of(ssrc)(extended_sequence, payload, header)` is the packet;
    otherwise `protect(header + payload)` is, which raises `Unprotectable` for an index sent before and
    `ValueError` above 1,904 bytes.
    """

    __slots__ = (
        "encrypt_of",
        "is_gcm",
        "overhead",
        "profile",
        "protect",
        "seal_rtcp",
        "seal_rtp",
    )

    encrypt_of: Callable[[int], Encrypt]
    protect: Callable[[bytes], bytes]

    def __init__(self, profile: SrtpProfile, key: bytes, salt: bytes) -> None:
        self.profile = profile
        self.is_gcm = profile.is_gcm
        self.overhead = profile.overhead
        cipher: GcmOutbound | CmOutbound
        if profile.is_gcm:
            cipher = GcmOutbound(SessionKeys.derive(key, salt))
            self.encrypt_of = cipher.encrypt_of
        else:
            cipher = CmOutbound(key, salt)
            self.protect = cipher.protect
        self.seal_rtp: Callable[[bytes, bytes, int], bytes] = cipher.seal_rtp
        self.seal_rtcp: Callable[[bytes], bytes] = cipher.seal_rtcp
