"""SRTP and SRTCP with AES-GCM (RFC 7714), the profile nearly every client and this server prefer.

A packet's nonce is its SSRC, rollover counter and sequence number, xored with the session salt; its header
is authenticated and not encrypted. QUIC seals its packets in that way too (RFC 9001 section 5.3): with an IV
that is fixed, here for each SSRC, and a number that counts. So opening or sealing a packet is one call to a
QUIC library's cipher, AWS-LC's AES-GCM in qh3. It takes little more than half the time of `cryptography`'s,
and less than a third of libsrtp's: the reason this module exists. It is held to the vectors of RFC 7714 and
to libsrtp, in both directions, by its tests.

Nothing is remembered about an SSRC before one of its packets has authenticated, so forged packets cost an
attempt at decryption and leave no trace.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from qh3._hazmat import AeadAes128Gcm, AeadAes256Gcm, CryptoError

from sfu.errors import SrtpError
from sfu.webrtc.srtp_profile import SessionKeys

TAG_LENGTH = 16
RTCP_HEADER_LENGTH = 8
RTCP_INDEX_LENGTH = 4
RTCP_ENCRYPTED = 1 << 31
RTCP_MAX_INDEX = RTCP_ENCRYPTED - 1
RTP_MAX_INDEX = (1 << 48) - 1

RTP_WINDOW = 1024
RTCP_WINDOW = 128
MAX_REMEMBERED = 64
"""SSRCs whose ciphers are kept for `seal_rtp`, and as many for `seal_rtcp`."""

Encrypt = Callable[[int, bytes, bytes], bytes]
"""(index, payload, header) -> payload encrypted, and the tag behind it."""
Decrypt = Callable[[int, bytes, bytes], bytes]
"""The reverse; raises `CryptoError` if it does not authenticate, and wants `TAG_LENGTH` bytes at least."""


class ReplayWindow:
    """Which of the last `size` packet indices of one SSRC were seen (RFC 3711 section 3.3.2).

    `seen[index % size]` holds index + 1, so a newer packet overwrites one that left the window and nothing
    has to be cleared. `used` orders windows by when they last moved. `decrypt` is the SSRC's own.
    """

    __slots__ = ("decrypt", "highest", "mask", "seen", "size", "used")

    def __init__(self, size: int, first: int, decrypt: Decrypt) -> None:
        assert size & (size - 1) == 0, "a window's size is a power of two"
        self.size = size
        self.mask = size - 1
        self.highest = first
        self.seen = array("Q", bytes(8 * size))
        self.seen[first & self.mask] = first + 1
        self.used = 0
        self.decrypt = decrypt

    def allows(self, index: int) -> bool:
        """Whether a packet with this index is neither too old nor a repetition."""
        return index > self.highest - self.size and self.seen[index & self.mask] != index + 1

    def remember(self, index: int) -> None:
        self.seen[index & self.mask] = index + 1
        if index > self.highest:
            self.highest = index


class GcmInbound:
    """Opens what one peer sends."""

    def __init__(self, keys: SessionKeys, max_ssrcs: int) -> None:
        self.auth_failures = 0
        self.replays = 0
        self._opened = 0
        self._max_ssrcs = max_ssrcs
        self._keys = keys
        self._rtp_windows: dict[int, ReplayWindow] = {}
        self._rtcp_windows: dict[int, ReplayWindow] = {}

    @property
    def ssrc_count(self) -> int:
        """Number of SSRCs whose RTP is being followed."""
        return len(self._rtp_windows)

    def open_rtp(self, data: bytes, header_length: int, ssrc: int, sequence: int) -> bytes | None:
        window = self._rtp_windows.get(ssrc)
        if window is None:
            index = sequence
            decrypt: Decrypt = _cipher(self._keys.rtp_key, self._keys.rtp_salt, ssrc).decrypt
        else:
            highest = window.highest
            # The index nearest to the highest one whose lower 16 bits are the sequence number
            # (RFC 3711 section 3.3.1); none is before the first rollover.
            index = highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
            if index < 0:
                index = sequence
            if index <= highest - RTP_WINDOW or window.seen[index & (RTP_WINDOW - 1)] == index + 1:
                self.replays += 1
                return None
            decrypt = window.decrypt
        if len(data) < header_length + TAG_LENGTH:
            self.auth_failures += 1
            return None
        try:
            payload = decrypt(index, data[header_length:], data[:header_length])
        except CryptoError:
            self.auth_failures += 1
            return None
        self._opened = opened = self._opened + 1
        if window is None:
            window = self._admit(self._rtp_windows, ssrc, ReplayWindow(RTP_WINDOW, index, decrypt))
        else:
            window.seen[index & (RTP_WINDOW - 1)] = index + 1
            if index > window.highest:
                window.highest = index
        window.used = opened
        return payload

    def open_rtcp(self, data: bytes) -> bytes | None:
        if len(data) < RTCP_HEADER_LENGTH + TAG_LENGTH + RTCP_INDEX_LENGTH:
            self.auth_failures += 1
            return None
        trailer = data[-RTCP_INDEX_LENGTH:]
        word = int.from_bytes(trailer, "big")
        index = word & RTCP_MAX_INDEX
        ssrc = int.from_bytes(data[4:8], "big")
        window = self._rtcp_windows.get(ssrc)
        if window is not None and not window.allows(index):
            self.replays += 1
            return None
        decrypt: Decrypt
        if window is None:
            decrypt = _cipher(self._keys.rtcp_key, self._keys.rtcp_salt, ssrc).decrypt
        else:
            decrypt = window.decrypt
        # Unencrypted RTCP is authenticated all the same (RFC 7714 section 9.3): then all of it is
        # associated data, and what is "decrypted" is empty.
        clear = RTCP_HEADER_LENGTH if word & RTCP_ENCRYPTED else len(data) - RTCP_INDEX_LENGTH - TAG_LENGTH
        try:
            decrypted = decrypt(index, data[clear:-RTCP_INDEX_LENGTH], data[:clear] + trailer)
        except CryptoError:
            self.auth_failures += 1
            return None
        self._opened += 1
        if window is None:
            window = self._admit(self._rtcp_windows, ssrc, ReplayWindow(RTCP_WINDOW, index, decrypt))
        else:
            window.remember(index)
        window.used = self._opened
        return data[:clear] + decrypted

    def _admit(self, windows: dict[int, ReplayWindow], ssrc: int, window: ReplayWindow) -> ReplayWindow:
        """Follow one more SSRC, forgetting the one idle for longest when there are too many."""
        if len(windows) >= self._max_ssrcs:
            del windows[min(windows, key=lambda known: windows[known].used)]
        windows[ssrc] = window
        return window


class GcmOutbound:
    """Seals what is sent to one peer."""

    def __init__(self, keys: SessionKeys) -> None:
        self._keys = keys
        self._rtp: dict[int, Encrypt] = {}
        self._rtcp: dict[int, Encrypt] = {}
        self._rtcp_index = 0

    def encrypt_of(self, ssrc: int) -> Encrypt:
        """The SSRC's own, for whoever seals many of its packets; indices are the caller's duty."""
        return _cipher(self._keys.rtp_key, self._keys.rtp_salt, ssrc).encrypt

    def seal_rtp(self, header: bytes, payload: bytes, extended_sequence: int) -> bytes:
        if extended_sequence > RTP_MAX_INDEX:
            raise SrtpError("an SSRC has used all its 2^48 packet indices; it needs new keys")
        ssrc = int.from_bytes(header[8:12], "big")
        encrypt = self._rtp.get(ssrc)
        if encrypt is None:
            encrypt = _remember(self._rtp, ssrc, self.encrypt_of(ssrc))
        return header + encrypt(extended_sequence, payload, header)

    def seal_rtcp(self, data: bytes) -> bytes:
        # One counter serves all SSRCs: it only has to grow, and the SSRC is part of the nonce as well.
        if self._rtcp_index > RTCP_MAX_INDEX:
            raise SrtpError("all 2^31 SRTCP indices are used; the association needs new keys")
        index = self._rtcp_index
        self._rtcp_index = index + 1
        trailer = (RTCP_ENCRYPTED | index).to_bytes(RTCP_INDEX_LENGTH, "big")
        ssrc = int.from_bytes(data[4:8], "big")
        encrypt = self._rtcp.get(ssrc)
        if encrypt is None:
            made = _cipher(self._keys.rtcp_key, self._keys.rtcp_salt, ssrc).encrypt
            encrypt = _remember(self._rtcp, ssrc, made)
        header = data[:RTCP_HEADER_LENGTH]
        return header + encrypt(index, data[RTCP_HEADER_LENGTH:], header + trailer) + trailer


def _cipher(key: bytes, salt: bytes, ssrc: int) -> AeadAes128Gcm | AeadAes256Gcm:
    """AES-GCM with the IV of one SSRC, which the cipher xors each index into (RFC 7714 sections 8.1, 9.1)."""
    iv = (int.from_bytes(salt, "big") ^ (ssrc << 48)).to_bytes(12, "big")
    return AeadAes128Gcm(key, iv) if len(key) == 16 else AeadAes256Gcm(key, iv)


def _remember(ciphers: dict[int, Encrypt], ssrc: int, encrypt: Encrypt) -> Encrypt:
    """For the next packet of that SSRC. They are cheap to make again, so all go when there are too many."""
    if len(ciphers) >= MAX_REMEMBERED:
        ciphers.clear()
    ciphers[ssrc] = encrypt
    return encrypt
