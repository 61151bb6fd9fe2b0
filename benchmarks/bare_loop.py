"""What Python can do at best on this machine: packets sealed and sent to many sockets, and nothing else.

One payload after the other gets a header and AES-GCM for each of `receivers` destinations, and goes out in
bursts with UDP_SEGMENT, as the server's fan-out does, without a server around it. Figures of other machines
can be compared as ratios to this one. The targets of docs/performance.md were set beside a loop that sealed
with `cryptography`; the server's own cipher, which is cheaper, shows what is left to gain.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sfu.webrtc.srtp import Encrypt, OutboundSrtp, SrtpProfile

SOL_UDP, UDP_SEGMENT = 17, 103
HEADER = struct.Struct("!BBHII")


def microseconds_per_packet(
    *, receivers: int, burst: int, payload_size: int, seconds: float, our_cipher: bool = False
) -> float:
    """CPU of this process per packet sent, sealed by `cryptography` or as the server does."""
    with contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(_bound_socket()) for _ in range(receivers)]
        addresses = [sink.getsockname() for sink in sinks]
        ciphers = [_our_cipher() if our_cipher else _usual_cipher() for _ in sinks]
        sender = stack.enter_context(_bound_socket())
        payloads = [os.urandom(payload_size) for _ in range(burst)]
        control = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", HEADER.size + payload_size + 16))]
        sent = sequence = 0
        begun, deadline = time.process_time(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            for address, encrypt in zip(addresses, ciphers, strict=True):
                packets = []
                for offset, payload in enumerate(payloads):
                    number = sequence + offset
                    header = HEADER.pack(0x80, 96, number & 0xFFFF, 0, 1)
                    packets.append(header + encrypt(number, payload, header))
                sender.sendmsg(packets, control, 0, address)
            sequence += burst
            sent += burst * receivers
        return (time.process_time() - begun) * 1e6 / sent


def nanoseconds_per_step(steps: int = 300_000, times: int = 3) -> float:
    """How fast this machine runs Python at the moment: the least time of a trivial loop's step.

    Shared machines change speed from one second to the next: on the one of docs/performance.md a step takes
    64 or 132 ns, and every other figure doubles with it.
    """
    best = float("inf")
    for _ in range(times):
        begun, value = time.process_time(), 0
        for step in range(steps):
            value = (value ^ step) + 1
        best = min(best, time.process_time() - begun)
    return best * 1e9 / steps


def _usual_cipher() -> Encrypt:
    seal = AESGCM(os.urandom(16)).encrypt

    def encrypt(number: int, payload: bytes, header: bytes) -> bytes:
        return seal(number.to_bytes(12, "big"), payload, header)

    return encrypt


def _our_cipher() -> Encrypt:
    return OutboundSrtp(SrtpProfile.AEAD_AES_128_GCM, os.urandom(16), os.urandom(12)).encrypt_of(1)


def _bound_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock
