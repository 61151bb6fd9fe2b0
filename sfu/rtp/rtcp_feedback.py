"""RTCP requests of receivers: NACK, PLI (RFC 4585), FIR (RFC 5104), REMB (draft-alvestrand-rmcat-remb-03)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from sfu.errors import RtcpError
from sfu.rtp.rtcp_reports import header

TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
FORMAT_NACK = 1
FORMAT_PLI, FORMAT_FIR, FORMAT_APPLICATION = 1, 4, 15
REMB_NAME = b"REMB"
MAX_MANTISSA = (1 << 18) - 1


def split_feedback(body: bytes) -> tuple[int, int, bytes]:
    """Sender's SSRC, media's SSRC and the rest, which all feedback begins with. Raises `RtcpError`."""
    if len(body) < 8:
        raise RtcpError("a feedback message is cut off")
    return int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"), body[8:]


@dataclass(frozen=True, slots=True)
class Nack:
    """Asks for packets again. `lost` are sequence numbers, each within 2^15 after the one before."""

    sender_ssrc: int
    media_ssrc: int
    lost: tuple[int, ...]

    @classmethod
    def from_body(cls, body: bytes) -> Nack:
        sender_ssrc, media_ssrc, rest = split_feedback(body)
        if len(rest) % 4:
            raise RtcpError("a NACK is not made of whole words")
        lost: list[int] = []
        for first, mask in struct.iter_unpack("!HH", rest):
            lost.append(first)
            while mask:
                bit = mask & -mask
                lost.append((first + bit.bit_length()) & 0xFFFF)
                mask ^= bit
        return cls(sender_ssrc, media_ssrc, tuple(lost))

    def to_bytes(self) -> bytes:
        body = struct.pack("!LL", self.sender_ssrc, self.media_ssrc)
        body += b"".join(struct.pack("!HH", first, mask) for first, mask in _nack_words(self.lost))
        return header(TRANSPORT_FEEDBACK, FORMAT_NACK, body)


def _nack_words(lost: Iterable[int]) -> list[tuple[int, int]]:
    """Each first sequence number with a mask of those of the sixteen after it that are lost too."""
    words: list[tuple[int, int]] = []
    for sequence in lost:
        distance = (sequence - words[-1][0]) & 0xFFFF if words else 0
        if 0 < distance <= 16 and 1 << distance - 1 > words[-1][1]:
            words[-1] = (words[-1][0], words[-1][1] | 1 << distance - 1)
        else:
            words.append((sequence, 0))
    return words


@dataclass(frozen=True, slots=True)
class Pli:
    """Picture loss: asks for a key frame."""

    sender_ssrc: int
    media_ssrc: int

    @classmethod
    def from_body(cls, body: bytes) -> Pli:
        sender_ssrc, media_ssrc, _ = split_feedback(body)
        return cls(sender_ssrc, media_ssrc)

    def to_bytes(self) -> bytes:
        return header(PAYLOAD_FEEDBACK, FORMAT_PLI, struct.pack("!LL", self.sender_ssrc, self.media_ssrc))


@dataclass(frozen=True, slots=True)
class Fir:
    """Asks for key frames of (SSRC, request number) each; a repeated number is the same request."""

    sender_ssrc: int
    entries: tuple[tuple[int, int], ...]

    @classmethod
    def from_body(cls, body: bytes) -> Fir:
        sender_ssrc, _, rest = split_feedback(body)
        if len(rest) % 8:
            raise RtcpError("a FIR is not made of whole entries")
        return cls(sender_ssrc, tuple(struct.iter_unpack("!LBxxx", rest)))

    def to_bytes(self) -> bytes:
        body = struct.pack("!LL", self.sender_ssrc, 0)
        body += b"".join(struct.pack("!LBxxx", ssrc, number & 0xFF) for ssrc, number in self.entries)
        return header(PAYLOAD_FEEDBACK, FORMAT_FIR, body)


@dataclass(frozen=True, slots=True)
class Remb:
    """The most a receiver thinks it can take, in bits per second, for all of `ssrcs` together.

    On the wire the rate has 18 significant bits.
    """

    sender_ssrc: int
    bitrate: int
    ssrcs: tuple[int, ...] = ()

    @classmethod
    def from_body(cls, body: bytes) -> Remb | None:
        """None for application feedback that is not REMB."""
        sender_ssrc, _, rest = split_feedback(body)
        if rest[:4] != REMB_NAME:
            return None
        if len(rest) < 8 or len(rest) < 8 + 4 * rest[4]:
            raise RtcpError("a REMB has fewer sources than it says")
        rate = int.from_bytes(rest[5:8], "big")
        ssrcs = struct.unpack_from(f"!{rest[4]}L", rest, 8)
        return cls(sender_ssrc, (rate & MAX_MANTISSA) << (rate >> 18), ssrcs)

    def to_bytes(self) -> bytes:
        exponent = max(self.bitrate.bit_length() - 18, 0)
        rate = exponent << 18 | self.bitrate >> exponent
        body = struct.pack("!LL", self.sender_ssrc, 0) + REMB_NAME + bytes([len(self.ssrcs)])
        body += rate.to_bytes(3, "big") + struct.pack(f"!{len(self.ssrcs)}L", *self.ssrcs)
        return header(PAYLOAD_FEEDBACK, FORMAT_APPLICATION, body)
