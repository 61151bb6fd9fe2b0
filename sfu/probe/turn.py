"""A TURN client (RFC 8656), as much of it as asking a server what it allows takes.

    async with TurnClient.connect("192.0.2.1", 3478, transport="udp") as turn:
        relayed = await turn.allocate(username, password)
        await turn.create_permission(("198.51.100.7", 40000))

The long-term credential mechanism (RFC 8489 section 9.2) takes two rounds: the first request is refused with
realm and nonce, the second is signed. What the server refuses is raised as `TurnRefusedError` with its code.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, Literal, Protocol, Self

from sfu.errors import StunError
from sfu.webrtc.stun import (
    ERROR_CODE,
    HEADER_LENGTH,
    NONCE,
    REALM,
    USERNAME,
    StunMessage,
    build_stun,
    decode_xor_address,
    encode_xor_address,
    is_stun,
    parse_stun,
)

ALLOCATE: Final = 0x0003
REFRESH: Final = 0x0004
SEND_INDICATION: Final = 0x0016
DATA_INDICATION: Final = 0x0017
CREATE_PERMISSION: Final = 0x0008
CHANNEL_BIND: Final = 0x0009
SUCCESS: Final = 0x0100
REFUSED: Final = 0x0110

CHANNEL_NUMBER: Final = 0x000C
LIFETIME: Final = 0x000D
XOR_PEER_ADDRESS: Final = 0x0012
DATA: Final = 0x0013
XOR_RELAYED_ADDRESS: Final = 0x0016
REQUESTED_ADDRESS_FAMILY: Final = 0x0017
REQUESTED_TRANSPORT: Final = 0x0019
UDP: Final = 17
FIRST_CHANNEL: Final = 0x4000

UNAUTHENTICATED: Final = 401
STALE_NONCE: Final = 438
ANSWER_WITHIN: Final = 3.0
"""Seconds, over all attempts of a request."""
AGAIN_AFTER: Final = 0.5
ALLOCATION_MISMATCH: Final = 437
MOST_PORTS: Final = 3
"""That an allocation is asked for from."""

PeerAddress = tuple[str, int]


class TurnRefusedError(Exception):
    """The server answered no: `code` is that of RFC 8656 section 19, for example 403 or 486."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class _Wire(Protocol):
    async def send(self, message: bytes) -> None: ...

    async def receive(self) -> bytes: ...

    def close(self) -> None: ...


class TurnClient:
    """One allocation at one server. Requests run one after the other."""

    def __init__(self, wire: _Wire, reopen: Callable[[], Awaitable[_Wire]], *, reliable: bool) -> None:
        self._wire = wire
        self._reopen = reopen
        self._reliable = reliable
        self._username = ""
        self._password = ""
        self._realm = b""
        self._nonce = b""
        self._data: list[tuple[PeerAddress, bytes]] = []

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        host: str,
        port: int,
        *,
        transport: Literal["udp", "tcp"] = "udp",
        tls: ssl.SSLContext | None = None,
    ) -> AsyncIterator[Self]:
        """Raises `OSError` where there is nobody. An allocation that was made is given back at the end."""

        async def reopen() -> _Wire:
            return await (
                _Stream.open(host, port, tls) if transport == "tcp" else _Datagrams.open(host, port)
            )

        client = cls(await reopen(), reopen, reliable=transport == "tcp")
        try:
            yield client
        finally:
            await client._give_back()
            client._wire.close()

    async def allocate(self, username: str, password: str, *, family: int = 4) -> PeerAddress:
        """The relayed address. Raises `TurnRefusedError`, `TimeoutError`, `StunError`, `OSError`.

        Where the server still has an allocation of whoever had our port before, it is asked from another one
        (RFC 8656 section 7.4, on 437).
        """
        self._username, self._password = username, password
        attributes = [(REQUESTED_TRANSPORT, bytes([UDP, 0, 0, 0]))]
        if family == 6:
            attributes.append((REQUESTED_ADDRESS_FAMILY, b"\x02\0\0\0"))
        for left in reversed(range(MOST_PORTS)):
            try:
                answer = await self._request(ALLOCATE, attributes)
                break
            except TurnRefusedError as error:
                if error.code != ALLOCATION_MISMATCH or not left:
                    raise
            self._wire.close()
            self._nonce = b""
            self._wire = await self._reopen()
        relayed = answer.attributes.get(XOR_RELAYED_ADDRESS)
        if relayed is None:
            raise StunError("the answer to Allocate has no relayed address")
        return decode_xor_address(relayed, answer.transaction_id)

    async def create_permission(self, peer: PeerAddress) -> None:
        await self._request(CREATE_PERMISSION, [], peer=peer)

    async def bind_channel(self, peer: PeerAddress, *, number: int = FIRST_CHANNEL) -> None:
        await self._request(CHANNEL_BIND, [(CHANNEL_NUMBER, number.to_bytes(2, "big") + b"\0\0")], peer=peer)

    async def refresh(self, lifetime: int) -> None:
        await self._request(REFRESH, [(LIFETIME, lifetime.to_bytes(4, "big"))])

    async def send(self, peer: PeerAddress, data: bytes) -> None:
        """A Send indication: nobody says what became of it."""
        transaction = secrets.token_bytes(12)
        attributes = [(XOR_PEER_ADDRESS, encode_xor_address(peer, transaction)), (DATA, data)]
        await self._wire.send(build_stun(SEND_INDICATION, transaction, attributes))

    async def receive(self, *, within: float = ANSWER_WITHIN) -> tuple[PeerAddress, bytes]:
        """The next datagram that a peer sent. Raises `TimeoutError`."""
        async with asyncio.timeout(within):
            while not self._data:
                self._handle_indication(await self._wire.receive())
        return self._data.pop(0)

    # --- inside --------------------------------------------------------------------------------------

    async def _request(
        self, method: int, attributes: Iterable[tuple[int, bytes]], *, peer: PeerAddress | None = None
    ) -> StunMessage:
        attributes = list(attributes)
        for _ in range(3):
            answer = await self._exchange(method, attributes, peer)
            if answer.type == method | SUCCESS:
                return answer
            code, realm, nonce = answer.error_code, answer.attributes.get(REALM), answer.attributes.get(NONCE)
            first_refusal = code == UNAUTHENTICATED and not self._nonce
            if not (first_refusal or code == STALE_NONCE) or nonce is None:
                reason = answer.attributes.get(ERROR_CODE, b"")[4:].decode("utf-8", "replace")
                raise TurnRefusedError(code or 0, reason)
            self._realm, self._nonce = realm or self._realm, nonce
        raise TurnRefusedError(STALE_NONCE, "every nonce is stale")

    async def _exchange(
        self, method: int, attributes: list[tuple[int, bytes]], peer: PeerAddress | None
    ) -> StunMessage:
        transaction = secrets.token_bytes(12)
        if peer is not None:
            attributes = [(XOR_PEER_ADDRESS, encode_xor_address(peer, transaction)), *attributes]
        key = None
        if self._nonce:
            credentials = [(USERNAME, self._username.encode()), (REALM, self._realm), (NONCE, self._nonce)]
            attributes = [*attributes, *credentials]
            key = hashlib.md5(
                b":".join([self._username.encode(), self._realm, self._password.encode()])
            ).digest()
        request = build_stun(method, transaction, attributes, key=key)
        async with asyncio.timeout(ANSWER_WITHIN):
            while True:
                await self._wire.send(request)
                try:
                    async with asyncio.timeout(ANSWER_WITHIN if self._reliable else AGAIN_AFTER):
                        return await self._answer_to(transaction)
                except TimeoutError:
                    if self._reliable:
                        raise

    async def _answer_to(self, transaction: bytes) -> StunMessage:
        while True:
            data = await self._wire.receive()
            if is_stun(data) and data[8:20] == transaction:
                return parse_stun(data)
            self._handle_indication(data)

    def _handle_indication(self, data: bytes) -> None:
        if not is_stun(data):
            return
        message = parse_stun(data)
        peer, payload = message.attributes.get(XOR_PEER_ADDRESS), message.attributes.get(DATA)
        if message.type == DATA_INDICATION and peer is not None and payload is not None:
            self._data.append((decode_xor_address(peer, message.transaction_id), payload))

    async def _give_back(self) -> None:
        """Best effort: without it the server frees the allocation when its lifetime is over."""
        if not self._nonce:
            return
        try:
            async with asyncio.timeout(AGAIN_AFTER):
                await self.refresh(0)
        except (TimeoutError, TurnRefusedError, StunError, OSError, asyncio.IncompleteReadError):
            return


class _Datagrams:
    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        loop = asyncio.get_running_loop()
        family, _, _, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM))[0]
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        try:
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        return cls(sock)

    async def send(self, message: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, message)

    async def receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, 65535)

    def close(self) -> None:
        self._socket.close()


class _Stream:
    """STUN over TCP or TLS: a message says its own length (RFC 8489 section 6.2.2)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Self:
        async with asyncio.timeout(ANSWER_WITHIN):
            return cls(*await asyncio.open_connection(host, port, ssl=tls))

    async def send(self, message: bytes) -> None:
        self._writer.write(message)
        await self._writer.drain()

    async def receive(self) -> bytes:
        header = await self._reader.readexactly(HEADER_LENGTH)
        return header + await self._reader.readexactly(int.from_bytes(header[2:4], "big"))

    def close(self) -> None:
        self._writer.transport.abort()
