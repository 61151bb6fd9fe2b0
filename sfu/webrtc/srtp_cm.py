"""SRTP and SRTCP with AES-CM and HMAC-SHA1 (RFC 3711), through libsrtp: for clients without AES-GCM.

libsrtp follows each SSRC's rollover counter and replay window, and, like ours, makes state for an SSRC only
after one of its packets has authenticated. How many it may follow is bounded here.

Sealing calls libsrtp itself: what its binding does anew for each packet takes more than a quarter of the
time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pylibsrtp import ERRORS, Error, Policy, Session
from pylibsrtp._binding import ffi, lib

from sfu.errors import SrtpError

Unprotectable: type[Exception] = Error
"""What `CmOutbound.protect` raises for an index sent before, or too far from the last one to follow."""
WINDOW = 1024
MIN_RTP_LENGTH = 12 + 10
MAX_LENGTH = 1500
"""libsrtp's binding works in a buffer of this size, trailers included."""
MAX_TRAILER = 16 + 128
"""The longest tag and MKI that libsrtp may append."""
OUTBOUND_BUFFER = 2048
"""Ours instead towards receivers: libsrtp wants room for the longest trailer there is, so that 1,500 bytes
would hold packets of 1,356, and encoders such as GStreamer's fill 1,400."""
MAX_PROTECTED = OUTBOUND_BUFFER - MAX_TRAILER


class CmInbound:
    """Opens what one peer sends."""

    def __init__(self, key: bytes, salt: bytes, max_ssrcs: int) -> None:
        self.auth_failures = 0
        self.replays = 0
        self._opened = 0
        self._max_ssrcs = max_ssrcs
        self._last_used: dict[int, int] = {}
        self._session = Session(_policy(key, salt, Policy.SSRC_ANY_INBOUND))

    @property
    def ssrc_count(self) -> int:
        """Number of SSRCs libsrtp is following."""
        return len(self._last_used)

    def open_rtp(self, data: bytes, header_length: int, ssrc: int, sequence: int) -> bytes | None:
        packet = self._open(self._session.unprotect, data, ssrc)
        return None if packet is None else packet[header_length:]

    def open_rtcp(self, data: bytes) -> bytes | None:
        return self._open(self._session.unprotect_rtcp, data, int.from_bytes(data[4:8], "big"))

    def _open(self, unprotect: Callable[[bytes], bytes], data: bytes, ssrc: int) -> bytes | None:
        if len(data) > MAX_LENGTH:
            self.auth_failures += 1
            return None
        try:
            packet = unprotect(data)
        except Error as error:
            if "replay" in str(error) or "too old" in str(error):
                self.replays += 1
            else:
                self.auth_failures += 1
            return None
        self._opened += 1
        if ssrc not in self._last_used and len(self._last_used) >= self._max_ssrcs:
            idle = min(self._last_used, key=self._last_used.__getitem__)
            self._session.remove_stream(idle)
            del self._last_used[idle]
        self._last_used[ssrc] = self._opened
        return packet


class CmOutbound:
    """Seals what is sent to one peer."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        session = _OutboundSession(_policy(key, salt, Policy.SSRC_ANY_OUTBOUND))
        self.protect = session.sealer()
        self._protect_rtcp = cast("Callable[[bytes], bytes]", session.protect_rtcp)

    def seal_rtp(self, header: bytes, payload: bytes, extended_sequence: int) -> bytes:
        try:
            return self.protect(header + payload)
        except (Error, ValueError) as error:
            raise SrtpError(f"cannot seal RTP packet {extended_sequence}: {error}") from error

    def seal_rtcp(self, data: bytes) -> bytes:
        try:
            return self._protect_rtcp(data)
        except (Error, ValueError) as error:
            raise SrtpError(f"cannot seal RTCP: {error}") from error


class _OutboundSession(Session):
    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self._cdata = ffi.new("char[]", OUTBOUND_BUFFER)
        self._buffer = ffi.buffer(self._cdata)

    def sealer(self) -> Callable[[bytes], bytes]:
        """What `protect` does, with everything looked up and allocated before."""
        handle: Any = self._srtp[0]
        data, buffer, length = self._cdata, self._buffer, ffi.new("int *")
        seal = lib.srtp_protect

        def protect(packet: bytes, _kept: Session = self) -> bytes:
            size = len(packet)
            if size > MAX_PROTECTED:
                raise ValueError("packet is too long")
            buffer[:size] = packet
            length[0] = size
            status = seal(handle, data, length)
            if status:
                raise Error(ERRORS[status])
            return cast("bytes", buffer[: length[0]])

        return protect


def _policy(key: bytes, salt: bytes, ssrc_type: int) -> Policy:
    policy = Policy(key=key + salt, ssrc_type=ssrc_type, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80)
    policy.allow_repeat_tx = False
    policy.window_size = WINDOW
    return policy
