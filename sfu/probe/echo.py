"""Does a datagram to an address come back here? A STUN server of one's own, and a client that asks it.

The answer says from where the request was seen to come, as any STUN server's does (RFC 8489 section 2), and
is signed with a key of this process, so that nobody else's answer counts.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from sfu.errors import StunError
from sfu.webrtc.stun import (
    BINDING_REQUEST,
    BINDING_SUCCESS,
    XOR_MAPPED_ADDRESS,
    build_stun,
    encode_xor_address,
    parse_stun,
)

ANSWER_WITHIN: Final = 1.5
AGAIN_AFTER: Final = 0.3


class UdpEcho:
    """Answers on some addresses of this machine, for as long as `listening` lasts."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.answered = 0

    @classmethod
    @contextmanager
    def listening(cls, hosts: Sequence[str], port: int) -> Iterator[UdpEcho]:
        """In the running loop. Raises `OSError` when the port is taken."""
        echo = cls(secrets.token_bytes(16))
        loop = asyncio.get_running_loop()
        with ExitStack() as stack:
            for host in hosts:
                sock = stack.enter_context(_udp(host))
                sock.bind((host, port))
                loop.add_reader(sock.fileno(), echo._handle_readable, sock)
                stack.callback(loop.remove_reader, sock.fileno())
            yield echo

    async def reaches(self, host: str, port: int) -> bool:
        """Whether what is sent to that address arrives at this echo, and its answer back."""
        loop = asyncio.get_running_loop()
        with _udp(host) as sock:
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    sock.connect((host, port))
                    while True:
                        transaction = secrets.token_bytes(12)
                        await loop.sock_sendall(sock, self.request(transaction))
                        try:
                            async with asyncio.timeout(AGAIN_AFTER):
                                answer = await loop.sock_recv(sock, 2048)
                        except TimeoutError:
                            continue
                        if self.is_answer(answer, transaction):
                            return True
            except OSError:  # a TimeoutError too: nobody there, or no way to it
                return False

    def request(self, transaction: bytes) -> bytes:
        return build_stun(BINDING_REQUEST, transaction, [], key=self._key)

    def is_answer(self, data: bytes, transaction: bytes) -> bool:
        try:
            message = parse_stun(data)
        except StunError:
            return False
        expected = message.type == BINDING_SUCCESS and message.transaction_id == transaction
        return expected and message.verify_integrity(self._key)

    def _handle_readable(self, sock: socket.socket) -> None:
        try:
            data, address = sock.recvfrom(2048)
            message = parse_stun(data)
            if message.type == BINDING_REQUEST and message.verify_integrity(self._key):
                mapped = (XOR_MAPPED_ADDRESS, encode_xor_address(address, message.transaction_id))
                answer = build_stun(BINDING_SUCCESS, message.transaction_id, [mapped], key=self._key)
                sock.sendto(answer, address)
                self.answered += 1
        except (OSError, StunError):
            return  # somebody else's datagram, or nobody there any more


def _udp(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock
