"""aiortc's own SCTP as the client of a node's association, over a wire in memory that a test may touch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from sfu.webrtc.sctp import Received, SctpAssociation

Rule = Callable[[bytes], bool]
"""Whether a packet gets through."""


class Pair:
    """A node's association and a client. Packets pass in a later turn of the loop; `now` stands still."""

    def __init__(self, *, remote_max_message: int = 262_144, up: Rule | None = None) -> None:
        self.now = 0.0
        self.received: list[Received] = []
        self.sent_up: list[bytes] = []
        self.sent_down: list[bytes] = []
        self.got: list[tuple[str, Any]] = []
        """What the client got: (label, message)."""
        self._up = up or (lambda _: True)
        self._loop = asyncio.get_running_loop()
        self.node = SctpAssociation(
            self._transmit_down, remote_port=5000, remote_max_message=remote_max_message, now=0.0
        )
        self.client = RTCSctpTransport(ClientWire(self._transmit_up))  # type: ignore[arg-type]

    async def start(self) -> None:
        self.node.start()
        await self.client.start(RTCSctpCapabilities(maxMessageSize=262_144), 5000)

    def open(self, label: str, **parameters: Any) -> RTCDataChannel:
        channel = RTCDataChannel(self.client, RTCDataChannelParameters(label=label, **parameters))
        channel.on("message", lambda data: self.got.append((label, data)))
        return channel

    def feed(self, packet: bytes) -> None:
        """A packet that did not come out of the client."""
        self.received += self.node.handle_packet(packet, self.now)

    async def close(self) -> None:
        self.node.close()
        await self.client.stop()

    def _transmit_up(self, packet: bytes) -> None:
        self.sent_up.append(packet)
        if self._up(packet):
            self._loop.call_soon(self.feed, packet)

    def _transmit_down(self, packet: bytes) -> None:
        self.sent_down.append(packet)
        self._loop.call_soon(self._hand_down, packet)

    def _hand_down(self, packet: bytes) -> None:
        work = self.client._handle_data(packet)
        try:
            work.send(None)
        except StopIteration:
            return
        raise AssertionError("the client waited")


class ClientWire:
    state = "connected"
    _role = "client"

    def __init__(self, transmit: Callable[[bytes], None]) -> None:
        self._transmit = transmit

    async def _send_data(self, packet: bytes) -> None:
        self._transmit(packet)

    def _register_data_receiver(self, receiver: object) -> None: ...

    def _unregister_data_receiver(self, receiver: object) -> None: ...
