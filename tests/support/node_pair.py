"""Two media nodes in this loop, joined by a pipe, and real WebRTC clients on either: no signaling.

`line` of `joined` puts a seeded loss between the two pipe ends; `places` puts them on different machines.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from sfu.bot import BotOptions
from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.bots.subscribe import SubscribeTransport
from sfu.config import NodeConfig
from sfu.control import messages as m
from sfu.control.in_process import InProcessLink
from sfu.node import Node
from sfu.pipes.pipe import Pipe
from tests.support.world import CERTIFICATE

PIPE = "pipe_ab"
PATIENT = 60.0
"""Seconds that media may wait in a socket: the machine that runs these tests may stand still."""
GRANTS = (m.Grant(source="camera", kind="video"), m.Grant(source="microphone", kind="audio"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pipe's end is: its address, and what a thread enters to open sockets there."""

    host: str = "127.0.0.1"
    enter: Callable[[], AbstractContextManager[None]] = nullcontext


HERE = Place()


class Line:
    """Carries datagrams between two pipe ends, each of which takes it for the other one."""

    def __init__(self, loss: float, *, seed: int = 1, place: Place = HERE) -> None:
        self.loss = loss
        self.lost = 0
        self.passed = 0
        self._chance = random.Random(seed)
        with place.enter():
            self._sockets = [_socket_at(place.host) for _ in range(2)]
        self._targets: list[tuple[str, int]] = []

    def open(self, first: tuple[str, int], second: tuple[str, int]) -> None:
        """`first` and `second` are where the ends listen."""
        self._targets = [second, first]
        loop = asyncio.get_running_loop()
        for index, sock in enumerate(self._sockets):
            loop.add_reader(sock.fileno(), self._carry, index)

    def towards(self, end: int) -> tuple[str, int]:
        """What end 0 or 1 has to send to."""
        host, port = self._sockets[end].getsockname()
        return str(host), int(port)

    def close(self) -> None:
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()

    def _carry(self, index: int) -> None:
        while True:
            try:
                data = self._sockets[index].recv(65535)
            except BlockingIOError:
                return
            if self._chance.random() < self.loss:
                self.lost += 1
                continue
            self.passed += 1
            self._sockets[1 - index].sendto(data, self._targets[index])


def _socket_at(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.setblocking(False)
    sock.bind((host, 0))
    return sock


@dataclass
class Side:
    """One of the nodes, with a router `r`, and what it told."""

    link: InProcessLink
    events: list[m.Event] = field(default_factory=list)
    clients: dict[str, SubscribeTransport] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def node(self) -> Node:
        return self.link.node

    @property
    def pipe(self) -> Pipe:
        return self.node.pipes.get(PIPE)

    async def do(self, command: m.Command) -> m.Reply:
        return await self.link.request(command)

    def told(self, kind: type[m.Event]) -> list[m.Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def handle_event(self, event: m.Event) -> None:
        self.events.append(event)
        if isinstance(event, m.OfferReady):
            task = asyncio.create_task(self._answer(event))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _answer(self, event: m.OfferReady) -> None:
        client = self.clients[event.transport_id]
        answer, offer = client.answer(event.sdp)
        await self.do(m.HandleAnswer(transport_id=event.transport_id, version=event.version, sdp=answer))
        await client.connect(offer)


@dataclass
class Pair:
    first: Side
    second: Side
    publishers: list[PublishTransport] = field(default_factory=list)
    _numbers: int = 0

    async def publish(
        self, side: Side, add: Callable[[PublishTransport], OutboundTrack]
    ) -> tuple[str, OutboundTrack]:
        """(Producer id, track) of a client that publishes one source and sends."""
        self._numbers += 1
        number = self._numbers
        transport_id, producer_id = f"tp_{number}", f"pr_{number}"
        publisher = PublishTransport(_options(number).association(), ssrc_base=10_000 * number)
        self.publishers.append(publisher)
        track = add(publisher)
        await side.do(
            m.CreateTransport(router_id="r", transport_id=transport_id, direction="publish", grants=GRANTS)
        )
        spec = m.ProducerSpec(
            producer_id=producer_id, mid=track.media.mid, source=track.source, kind=track.media.kind
        )
        reply = await side.do(
            m.HandleOffer(transport_id=transport_id, sdp=publisher.offer(), producers=(spec,))
        )
        assert isinstance(reply, m.Answered)
        await publisher.handle_answer(reply.sdp)
        publisher.start()
        return producer_id, track

    async def carry(self, producer_id: str, origin: Side, far: Side) -> m.PipedProducer:
        """Pipe a producer from one node to the other."""
        reply = await origin.do(m.SendProducer(pipe_id=PIPE, producer_id=producer_id))
        assert isinstance(reply, m.Piped)
        await far.do(m.ReceiveProducer(pipe_id=PIPE, router_id="r", producer=reply.producer))
        return reply.producer

    async def subscribe(
        self, side: Side, producer_id: str, *, preferred: m.LayerSpec | None = None
    ) -> tuple[str, SubscribeTransport]:
        """(Consumer id, client): a client of that node that receives a producer."""
        self._numbers += 1
        number = self._numbers
        transport_id, consumer_id = f"ts_{number}", f"cs_{number}"
        client = SubscribeTransport(_options(number).association(), own_ssrc=number, sample=1, nack=True)
        side.clients[transport_id] = client
        await side.do(m.CreateTransport(router_id="r", transport_id=transport_id, direction="subscribe"))
        spec = m.ConsumerSpec(consumer_id=consumer_id, producer_id=producer_id, preferred=preferred)
        reply = await side.do(m.Consume(transport_id=transport_id, consumers=(spec,)))
        assert reply == m.Consumed(), reply
        return consumer_id, client


def _options(number: int) -> BotOptions:
    return BotOptions(CERTIFICATE, sample=1, ssrc_base=10_000 * number)


def packets(client: SubscribeTransport, stream_id: int) -> int:
    return sum(stream.tally.packets for stream in client.streams_of(stream_id))


@asynccontextmanager
async def joined(
    *,
    secure: bool = True,
    line: Line | None = None,
    places: tuple[Place, Place] = (HERE, HERE),
    loudest_audio: int | None = None,
) -> AsyncIterator[Pair]:
    """Two nodes and a connected pipe between them. Clients are here wherever the pipe's ends are."""
    sides = []
    for name, place in zip(("nd_a", "nd_b"), places, strict=True):
        config = NodeConfig(name, hosts=("127.0.0.1",), udp_port=0, pipe_host=place.host, late_after=PATIENT)
        side = Side(await InProcessLink.start(config))
        side.link.on_event(side.handle_event)
        await side.do(m.CreateRouter(router_id="r", loudest_audio=loudest_audio))
        sides.append(side)
    pair = Pair(sides[0], sides[1])
    ends = []
    for side, place in zip(sides, places, strict=True):
        with place.enter():  # its socket is opened here, and stays
            ends.append(await side.do(m.CreatePipe(pipe_id=PIPE, secure=secure)))
    a, b = ends
    assert isinstance(a, m.PipeCreated) and isinstance(b, m.PipeCreated)
    to_b, to_a = (b.host, b.port), (a.host, a.port)
    if line is not None:
        line.open((a.host, a.port), (b.host, b.port))
        to_b, to_a = line.towards(0), line.towards(1)
    await pair.first.do(m.ConnectPipe(pipe_id=PIPE, host=to_b[0], port=to_b[1], key=b.key))
    await pair.second.do(m.ConnectPipe(pipe_id=PIPE, host=to_a[0], port=to_a[1], key=a.key))
    try:
        yield pair
    finally:
        for publisher in pair.publishers:
            publisher.close()
        for side in sides:
            for client in side.clients.values():
                client.close()
            await side.link.close()
        if line is not None:
            line.close()
