"""A small world for the live half: one organization, its meeting, people with tokens, a fake media node, a
real WebSocket server on loopback, and a clock that only moves when it is told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any, Self

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from sfu.client import NodeConfig
from signaling.clock import SystemClock
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.meeting import Meeting
from signaling.domain.organization import Organization
from signaling.domain.participant import Participant
from signaling.domain.preset import PresetRecord, merged
from signaling.domain.server import SignalingServer
from signaling.nodes.supervisor import NodesConfig, NodeSupervisor
from signaling.nodes.testing import FakeNode, FakeNodes, FakeSurvivor
from signaling.rest.cors import cors_middleware
from signaling.rest.middlewares import errors_middleware
from signaling.rest.operation import OperationTable
from signaling.rest.v2.whep import WhepRoutes
from signaling.rest.v2.whip import WhipRoutes
from signaling.services.live.http_peers import HttpPeers
from signaling.services.live.ownership import Ownership
from signaling.services.live.ports import IceServers
from signaling.services.live.service import LiveService
from signaling.services.live.surroundings import LiveSettings, Surroundings
from signaling.services.outbox import Outbox
from signaling.services.ports import Clock, Tokens, UnitOfWorkFactory
from signaling.testing import FakeClock, FakeTokens, MemoryStore
from signaling.ws.connection import WsSettings
from signaling.ws.handler import WsHandler
from signaling.ws.hub import WsHub
from tests.support.standing import standing

PATIENCE = 40.0
"""Seconds after which a condition that should hold is given up on."""

LEASE = 30.0
"""Seconds, of servers that share a store. Whether they live is the database's word, which has its own clock;
whether one may judge about others goes by `clock`."""

TWO_NODES = NodesConfig(workers=2, udp_port=0, place_within=2.0, first_pause=0.01, spread_above=0.0)
"""Every other peer of a session is on the other one."""

ORGANIZATION = "org-1"
MEETING = "meeting-1"


async def until(condition: Callable[[], bool], what: str) -> None:
    """Waits in the loop until the condition holds."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"still waiting for: {what}") from None


class _SocketClock(SystemClock):
    """What is kept of sockets has the world's time. Their deadlines go by the machine's."""

    def __init__(self, world: Clock) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.now()


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that was answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']} {error['name']}: {error['message']}")
        self.code: int = error["code"]
        self.name: str = error["name"]
        self.field: str | None = error.get("field")
        self.retry_after: float | None = error.get("retry_after")
        self.reason: str | None = error.get("reason")
        self.url: str | None = error.get("url")


class WsClient:
    """A client of the protocol that keeps everything it hears."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.seqs: list[int] = []
        self.failures: list[dict[str, Any]] = []
        self.joined: dict[str, Any] = {}
        self._ids = count(1)
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())

    @property
    def peer_id(self) -> str:
        return str(self.joined["peer_id"])

    async def _read(self) -> None:
        try:
            await self._read_frames()
        finally:
            code = self.socket.close_code
            for request_id, future in self._pending.items():
                if not future.done():
                    gone = f"request {request_id} was not answered before the socket closed: {code}"
                    future.set_exception(AssertionError(gone))
                    future.exception()  # where nobody waits for it that is nobody's trouble

    async def _read_frames(self) -> None:
        async for message in self.socket:
            frame = message.json()
            if "seq" in frame:
                self.seqs.append(frame["seq"])
                self.events.append(frame["event"])
            elif frame["id"] in self._pending:
                self._pending.pop(frame["id"]).set_result(frame)
            else:
                self.failures.append(frame)

    async def request(self, request_type: str, **fields: Any) -> dict[str, Any]:
        """The result; raises `Refused`."""
        request_id = next(self._ids)
        future = self._pending[request_id] = asyncio.get_running_loop().create_future()
        if self._reader.done():
            raise AssertionError(f"no {request_type} over a socket that closed: {self.socket.close_code}")
        await self.socket.send_json({"id": request_id, "type": request_type, **fields})
        try:
            async with asyncio.timeout(PATIENCE):
                frame = await future
        except TimeoutError:
            raise AssertionError(f"no answer to {request_type}; meanwhile\n{standing()}") from None
        if not frame["ok"]:
            raise Refused(frame["error"])
        return dict(frame["result"])

    async def join(self, token: str, **fields: Any) -> Self:
        self.joined = await self.request("join", token=token, **fields)
        return self

    async def publish(self, source: str, kind: str, mid: str = "0", **fields: Any) -> str:
        """The publication id."""
        item = {"mid": mid, "source": source, "kind": kind, **fields}
        result = await self.request("publish", offer="offer", publications=[item])
        return str(result["publications"][0]["publication_id"])

    async def subscribe(self, *publication_ids: str) -> list[dict[str, Any]]:
        wanted = [{"publication_id": one} for one in publication_ids]
        return list((await self.request("subscribe", subscriptions=wanted))["subscriptions"])

    def heard(self, event_type: str, **fields: Any) -> list[dict[str, Any]]:
        return [
            event
            for event in self.events
            if event["type"] == event_type and all(event.get(key) == value for key, value in fields.items())
        ]

    async def hears(self, event_type: str, **fields: Any) -> dict[str, Any]:
        """The latest such event, waiting for the first."""
        await until(
            lambda: bool(self.heard(event_type, **fields)),
            f"{event_type} {fields}; heard {[event['type'] for event in self.events]}",
        )
        return self.heard(event_type, **fields)[-1]

    async def closed(self) -> int | None:
        """The close code, once the server closed the socket."""
        async with asyncio.timeout(PATIENCE):
            await self._reader
        return self.socket.close_code

    async def lose(self) -> None:
        """The network is gone: no close frame, no more bytes."""
        transport = self.socket._writer.transport
        assert transport is not None
        transport.abort()
        await asyncio.gather(self._reader, return_exceptions=True)


@dataclass
class LiveWorld:
    """Made by `live_world`. `clock` stands still; `wait` moves it and lets time have its effects."""

    store: UnitOfWorkFactory
    clock: FakeClock
    nodes: FakeNodes
    supervisor: NodeSupervisor
    hub: WsHub
    live: LiveService
    handler: WsHandler
    server: TestServer
    http: aiohttp.ClientSession
    clients: list[WsClient] = field(default_factory=list)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    _numbers: Any = field(default_factory=lambda: count(1))

    @property
    def node(self) -> FakeNode:
        return self.nodes.latest

    async def participant(self, preset: str, **fields: Any) -> Participant:
        number = next(self._numbers)
        participant = Participant(
            id=f"pt-{number}",
            organization_id=ORGANIZATION,
            meeting_id=MEETING,
            name=f"{preset} {number}",
            custom_participant_id=f"custom-{number}",
            preset_name=preset,
            picture=None,
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )
        participant = replace(participant, **fields)
        async with self.store() as uow:
            await uow.participants.add(participant)
            await uow.commit()
        return participant

    async def socket(self) -> WsClient:
        client = WsClient(await self.http.ws_connect(self.server.make_url("/v2/ws"), autoping=True))
        self.clients.append(client)
        return client

    async def join(self, preset: str = "group_call_host", **fields: Any) -> WsClient:
        """Somebody new with that preset."""
        token = self.tokens.issue(await self.participant(preset))
        return await (await self.socket()).join(token, **fields)

    async def resume(self, client: WsClient, *, last_seq: int | None = None, **fields: Any) -> WsClient:
        """The same peer on a new socket, which has heard what the old one had."""
        again = await self.socket()
        seen = client.seqs[-1] if client.seqs else client.joined["seq"]
        resumed = await again.request(
            "resume",
            resume_token=client.joined["resume_token"],
            last_seq=seen if last_seq is None else last_seq,
            **fields,
        )
        again.joined = {**client.joined, **resumed}
        return again

    async def die(self) -> None:
        """As by SIGKILL: nothing more is said to clients, nodes or store. The nodes go on."""
        for keeper in self.supervisor._keepers:
            keeper.cancel()
        for slot in self.supervisor._slots:
            client, link = slot.client, slot.link
            if client is not None and link is not None:
                slot.client = link._client = FakeNode(config=NodeConfig(client.node_id), closed=True)
                link.lost = True
                await client.leave()
        self.live._around = replace(self.live._around, uow=MemoryStore())
        for lost in self.clients:
            await lost.lose()

    async def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.live.sweep()

    async def change_preset(self, name: str, patch: dict[str, Any]) -> None:
        async with self.store() as uow:
            record = await uow.presets.by_name(ORGANIZATION, name)
            assert record is not None
            await uow.presets.save(replace(record, preset=merged(record.preset, patch)))
            await uow.commit()
        await self.live.preset_changed(ORGANIZATION, name)


def alone(store: UnitOfWorkFactory, clock: Clock) -> Ownership:
    """Of a server that shares its store with nobody."""
    own = SignalingServer("server-1", "first", "http://127.0.0.1:8080", "http://127.0.0.1:8080")
    return Ownership(store, clock, own, Outbox(clock), lease=None)


async def furnish(store: UnitOfWorkFactory, clock: FakeClock) -> None:
    now = clock.now()
    async with store() as uow:
        await uow.organizations.add(Organization(ORGANIZATION, "Example", now, now))
        await uow.meetings.add(Meeting(MEETING, ORGANIZATION, "Weekly", now, now))
        for number, preset in enumerate(DEFAULT_PRESETS):
            await uow.presets.add(PresetRecord(f"preset-{number}", ORGANIZATION, preset, now, now))
        await uow.commit()


_FURNISHED: list[bytes] = []


async def furnished_store() -> MemoryStore:
    """Those of all tests begin as copies of the first."""
    if not _FURNISHED:
        first = MemoryStore()
        await furnish(first, FakeClock())
        _FURNISHED.append(first.pages())
    return MemoryStore(_FURNISHED[0])


@asynccontextmanager
async def live_world(
    *,
    live: LiveSettings | None = None,
    ws: WsSettings | None = None,
    nodes: NodesConfig | None = None,
    store: UnitOfWorkFactory | None = None,
    ice_servers: IceServers | None = None,
    server: SignalingServer | None = None,
    tokens: Tokens | None = None,
    clock: FakeClock | None = None,
    after: LiveWorld | None = None,
    beside: LiveWorld | None = None,
) -> AsyncIterator[LiveWorld]:
    """`server`: it shares the store with others. `after`: the world of another process, which has died; its
    store, clock and nodes are there still. `beside`: that of another server, which has not."""
    survivors: list[FakeSurvivor] = []
    if beside is not None:
        store, clock, fakes, hub = beside.store, beside.clock, FakeNodes(), WsHub()
    elif after is None:
        clock, fakes, hub = clock or FakeClock(), FakeNodes(), WsHub()
        if store is None:
            store = await furnished_store()
        else:
            await furnish(store, clock)
    else:
        store, clock, fakes, hub = after.store, after.clock, after.nodes, WsHub()
        survivors = [FakeSurvivor(one, index) for index, one in enumerate(fakes.started) if not one.closed]
    config = nodes or NodesConfig(workers=1, udp_port=0, place_within=2.0, first_pause=0.01)
    supervisor = NodeSupervisor(config, launch=fakes.launch)
    await supervisor.start(survivors)
    outbox = Outbox(clock)
    servers = alone(store, clock)
    if server is not None:
        servers = Ownership(store, clock, server, outbox, lease=LEASE)
    around = Surroundings(
        uow=store,
        nodes=supervisor,
        hub=hub,
        clock=clock,
        servers=servers,
        outbox=outbox,
        settings=live or LiveSettings(sweep_interval=3600),
        ice_servers=ice_servers,
    )
    service = LiveService(around, tokens or FakeTokens())
    await service.start()
    # A hundred sockets may be opened one after the other before the first of them joins.
    handler = WsHandler(service, hub, _SocketClock(clock), ws or WsSettings(join_within=PATIENCE))
    table = OperationTable()
    app = web.Application(middlewares=[cors_middleware, errors_middleware(table, {}, "http://localhost")])
    app.router.add_get("/v2/ws", handler.handle)
    http_peers = HttpPeers(service, tokens or FakeTokens(), clock)
    for exchange in (WhipRoutes(http_peers), WhepRoutes(http_peers)):
        app.add_routes(exchange.routes())
        table.register(app.router, exchange.operations())
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as http:
        world = LiveWorld(store, clock, fakes, supervisor, hub, service, handler, server, http)
        if (former := after or beside) is not None:
            world._numbers = former._numbers
        try:
            yield world
        finally:
            for client in world.clients:
                await client.socket.close()
            await service.close()
            await handler.close()
            await server.close()
            await supervisor.close()
