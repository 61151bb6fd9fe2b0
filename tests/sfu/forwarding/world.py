"""A little world around the fan-out: a publisher's packets go in, a receiver's decrypted packets come out.

The socket is ours to fake; sealing and opening are the real thing, so whatever arrives here would have
arrived at a client.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Any

from sfu.forwarding.batch import PLAIN_TAIL
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Egress, Leg
from sfu.forwarding.selector import aim
from sfu.subscribe_transport import SubscribeTransport
from sfu.transport import TransportState
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp, SrtpProfile

TWCC_TAG = 0x21


@dataclass(frozen=True)
class Received:
    sequence: int
    timestamp: int
    ssrc: int
    payload_type: int
    marker: bool
    extension: bytes
    payload: bytes


class FakePath:
    """Takes whole datagrams, as a TCP path does."""

    reliable = True
    address = ("tcp", "192.0.2.1", 1)

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def send(self, data: bytes) -> None:
        self._receiver.datagrams.append(data)


class Receiver:
    """A client's end: takes what `sendmsg` was given, cut as the kernel would cut it."""

    def __init__(self, profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM, *, twcc: bool = True) -> None:
        key, salt = os.urandom(profile.key_length), os.urandom(profile.salt_length)
        self.inbound = InboundSrtp(profile, key, salt)
        self.datagrams: list[bytes] = []
        self.calls = 0
        self.full = False
        self.refuse_segments = False
        self.egress = Egress()
        self.egress.outbound = OutboundSrtp(profile, key, salt)
        self.egress.path = FakePath(self)
        self.egress.sendto = self._sendto
        self.egress.sendmsg = self._sendmsg
        self.egress.transport_tag = TWCC_TAG if twcc else 0

    def stand_in(self, transport: SubscribeTransport) -> None:
        """Let what the transport sends arrive here, as if its client were connected."""
        assert isinstance(self.egress.outbound, OutboundSrtp)
        egress = transport.egress
        egress.outbound = transport.association.outbound = self.egress.outbound
        egress.path, egress.sendto, egress.sendmsg = self.egress.path, self._sendto, self._sendmsg
        transport.state = TransportState.CONNECTED
        transport.association.consented = True

    def leg(self, ssrc: int = 1000, *, first_index: int = 1) -> Leg:
        leg = Leg(self.egress, ssrc=ssrc, rtx_ssrc=ssrc + 1, first_index=first_index)
        leg.prepare(payload_type=96, rtx_payload_type=97)
        return leg

    def _sendto(self, data: bytes, _address: Any) -> int:
        return self._sendmsg([data], [], 0, _address)

    def _sendmsg(self, buffers: list[bytes], control: list[Any], _flags: int, _address: Any) -> int:
        if self.full:
            raise BlockingIOError
        if control and self.refuse_segments:
            raise OSError(22, "Invalid argument")
        self.calls += 1
        data = b"".join(buffers)
        size = struct.unpack("=H", control[0][2])[0] if control else len(data)
        assert size, "a segment of no bytes"
        self.datagrams += [data[start : start + size] for start in range(0, len(data), size)]
        return len(data)

    def receive(self) -> list[Received]:
        """Everything that arrived since the last call, opened. Fails the test if anything does not open."""
        packets = [self._open(data) for data in self.datagrams]
        self.datagrams.clear()
        return packets

    def _open(self, data: bytes) -> Received:
        first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        header = 12
        extension = b""
        if first & 0x10:
            words = int.from_bytes(data[14:16], "big")
            extension = data[16 : 16 + 4 * words]
            header = 16 + 4 * words
        payload = self.inbound.open_rtp(data, header, ssrc, sequence)
        assert payload is not None, "a packet did not authenticate"
        return Received(sequence, timestamp, ssrc, second & 0x7F, bool(second & 0x80), extension, payload)


def encoding(mime: str = "video/VP8", *, spatial: int = 0, ssrc: int = 7) -> Encoding:
    return Encoding(
        mime=mime,
        clock_rate=48000 if mime.startswith("audio") else 90000,
        spatial=spatial,
        rid=None,
        ssrc=ssrc,
        on_switch=lambda leg: None,
    )


def vp8(*, key: bool = False, start: bool = True, picture: int = 0, tl0: int = 0, size: int = 20) -> bytes:
    descriptor = bytes((0x90 if start else 0x80, 0xE0, 0x80 | picture >> 8, picture & 0xFF, tl0, 0x20))
    return descriptor + (b"\x10" if key else b"\x11") + bytes(size)


def feed(target: Encoding, *packets: tuple[int, int, bytes], now: float = 0.0) -> None:
    """(sequence, timestamp, payload) in one turn of the loop."""
    for sequence, timestamp, payload in packets:
        target.take(sequence, 0, timestamp, 1, PLAIN_TAIL, payload, now)
    target.flush(now)


__all__ = ["TWCC_TAG", "Received", "Receiver", "aim", "encoding", "feed", "vp8"]
