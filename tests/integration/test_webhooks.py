"""A server is killed again and again while people come and go, or its database is: what was acknowledged is
there, and whoever listens is told of it, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sfu.bots.signalling import BotError, Organization, RefusedError, Signalling
from signaling.domain.webhook import EventName
from tests.signaling.conftest import postgres  # noqa: F401 - a fixture
from tests.support.postgres import Postgres, cluster_or_skip
from tests.support.server import (
    FORBIDDEN_IN_LOG,
    Server,
    kill_signaling,
    start_server,
    started_again,
    stop_server,
    wait_healthy,
)
from tests.support.wait import PATIENCE, wait_until, wait_until_async
from tests.support.webhook_receiver import Received, Receiver, receiver

KILLS = 2
BEFORE_A_KILL = 12
"""Deliveries; the one after them is received and not answered when the server is killed."""
MEETINGS = 3
ARGUMENTS = (
    *("--webhook-http", "--webhook-allow", "127.0.0.1/32"),
    # As much is asked for as the machine answers.
    *("--rate-limit-address", "0", "--rate-limit-key", "0", "--rate-limit-organization", "0"),
)
STARTED, JOINED, LEFT, ENDED = (
    EventName.MEETING_STARTED,
    EventName.PARTICIPANT_JOINED,
    EventName.PARTICIPANT_LEFT,
    EventName.MEETING_ENDED,
)


REFUSED = 5
"""Requests of each kind that have to be refused before the database may come back."""


@dataclass
class Acknowledged:
    """What the server has said was done."""

    meetings: set[str] = field(default_factory=set)
    joined: dict[str, str] = field(default_factory=dict)
    """Peer id -> session id."""
    left: set[str] = field(default_factory=set)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Sequence[str]:
    """What a server is told of its database: nothing, where that is the embedded one."""
    if request.param == "sqlite":
        return ()
    return ("--database-url", request.getfixturevalue("postgres").new_database())


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """One that the test may kill."""
    with cluster_or_skip() as cluster:
        yield cluster


async def test_what_was_acknowledged_is_told_at_least_once_and_in_order_though_the_server_is_killed(
    tmp_path: Path, database: Sequence[str]
) -> None:
    async with story(tmp_path, database) as it:
        for _ in range(KILLS):
            await killed_in_the_middle(it)
    assert len(it.there.received) >= it.events + KILLS, "something came again after each kill"


async def test_what_was_acknowledged_is_told_at_least_once_and_in_order_though_the_database_is_killed(
    tmp_path: Path, own_postgres: Postgres
) -> None:
    async with story(tmp_path, ("--database-url", own_postgres.new_database())) as it:
        token = await it.organization.create_participant(it.meetings[0], "late", "group_call_host")
        async with busy(it):
            goal = len(it.there.received) + BEFORE_A_KILL
            await wait_until(lambda: len(it.there.received) >= goal, "deliveries before the kill")
            await asyncio.to_thread(own_postgres.kill)
            await refused(it, token)
            starting = asyncio.create_task(asyncio.to_thread(own_postgres.start))
            while not starting.done():  # it recovers, and lets nobody in meanwhile
                await answers(it)
            await starting
        await wait_until_async(partial(answers, it), lambda: "the server to be whole again")
        assert it.life.server.process.poll() is None
    log = it.life.server.log
    found = FORBIDDEN_IN_LOG.search(log)
    assert found is None, log[max(found.start() - 500, 0) :][:6000]


@dataclass
class Story:
    """`events`, once it is over: how many there were."""

    life: Life
    there: Receiver
    organization: Organization
    meetings: list[str]
    done: Acknowledged = field(default_factory=Acknowledged)
    events: int = 0


@contextlib.asynccontextmanager
async def story(folder: Path, database: Sequence[str]) -> AsyncIterator[Story]:
    """The block kills somebody in the middle of it; after it people come and go again, and all is told."""
    async with (
        receiver() as there,
        killable(folder / "data", database) as life,
        Organization(life.server.credentials) as organization,
    ):
        body = {"name": "ours", "url": there.url, "events": [str(one) for one in EventName]}
        await organization.call("POST", "/v2/webhooks", body)
        meetings = [await organization.create_meeting(f"meeting {n}") for n in range(MEETINGS)]
        it = Story(life, there, organization, meetings)
        yield it
        async with busy(it):
            goal = len(there.received) + BEFORE_A_KILL
            await wait_until(lambda: len(there.received) >= goal, "deliveries after the last start")
        for one in meetings:
            with contextlib.suppress(BotError):  # nobody may be in
                await organization.call("POST", f"/v2/meetings/{one}/active-session/kick-all")
        log = await settled_log(life.server)
        for one in it.done.meetings:
            assert (await organization.call("GET", f"/v2/meetings/{one}"))["id"] == one
    it.events = check(it.done, there.received, log)


def check(done: Acknowledged, received: Sequence[Received], log: dict[str, list[str]]) -> int:
    """That all of it was told, in order; how many events that were."""
    told: dict[str, list[Received]] = defaultdict(list)
    for one in received:
        told[one.json["meeting"]["sessionId"]].append(one)
    for peer_id, session_id in done.joined.items():
        assert (JOINED, peer_id) in map(what, told[session_id])
    left = {what(one)[1] for one in received if what(one)[0] == LEFT}
    assert done.left <= left == done.joined.keys() | left
    assert len(done.joined) > KILLS and done.left and done.meetings, "or nothing was shown"
    for session_id, came in told.items():
        ids = [one.event_id for one in came]
        once = list(dict.fromkeys(ids))
        assert ids == sorted(ids, key=once.index), "nothing came again after what follows it"
        assert once == log[session_id], "in the order in which it was written down"
        assert (what(came[0]), what(came[-1])) == ((STARTED, None), (ENDED, None))
    assert told.keys() == log.keys()
    bodies = {(one.event_id, one.body) for one in received}
    events = {(one.json["meeting"]["sessionId"], *what(one)) for one in received}
    assert len(bodies) == len(events), "what came again has the same id and the same body"
    return len(events)


def what(one: Received) -> tuple[str, str | None]:
    return one.json["event"], one.json.get("participant", {}).get("peerId")


# --- a server that is killed -----------------------------------------------------------------------------


@dataclass
class Life:
    server: Server


@contextlib.asynccontextmanager
async def killable(data_dir: Path, database: Sequence[str]) -> AsyncIterator[Life]:
    life = Life(start_server(data_dir, workers=0, arguments=(*ARGUMENTS, *database)))
    try:
        await wait_healthy(life.server)
        yield life
    finally:
        problems = await asyncio.to_thread(stop_server, life.server)
    assert not problems, "; ".join(problems) + "\n" + life.server.log[-4000:]


async def killed_in_the_middle(it: Story) -> None:
    """Killed while people come and go, between receiving and answering a delivery; and started again."""
    goal, holding, released = len(it.there.received) + BEFORE_A_KILL, asyncio.Event(), asyncio.Event()

    async def answer(_one: Received) -> Any:
        if len(it.there.received) >= goal:
            holding.set()
            await released.wait()
        return web.Response()

    it.there.answer = answer
    async with busy(it):
        async with asyncio.timeout(60):
            await holding.wait()
        await kill_signaling(it.life.server)
    it.there.answer = None
    released.set()
    it.life.server = await started_again(it.life.server)


@contextlib.asynccontextmanager
async def busy(it: Story) -> AsyncIterator[None]:
    """People come and go and meetings are made, until the block ends."""
    tasks = [asyncio.create_task(comings(it, one)) for one in it.meetings]
    tasks.append(asyncio.create_task(makings(it)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# --- a database that is killed ---------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def asking(server: Server) -> AsyncIterator[Callable[[str, str], Awaitable[tuple[int, str | None]]]]:
    """Status and `Retry-After` of an answer, by method and path."""
    own = server.credentials
    headers = {"Authorization": aiohttp.encode_basic_auth(own.organization_id, own.api_key)}
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:

        async def ask(method: str, path: str) -> tuple[int, str | None]:
            body = {"title": "in between"} if method == "POST" else None
            async with http.request(method, server.base_url + path, json=body) as response:
                return response.status, response.headers.get("Retry-After")

        yield ask


async def refused(it: Story, token: str) -> None:
    """Whatever needs the database, which is away: it is said when to come again."""
    async with asking(it.life.server) as ask:
        for _ in range(REFUSED):
            for method, path in (("GET", f"/v2/meetings/{it.meetings[0]}"), ("POST", "/v2/meetings")):
                status, retry_after = await ask(method, path)
                assert status == 503, (method, status)
                assert retry_after is not None and float(retry_after) > 0
    late = Signalling(it.life.server.base_url, lambda _event: None)
    await late.open()
    try:
        with pytest.raises(RefusedError) as refusal:
            await late.join(token, device="desktop")
        assert refusal.value.name == "StoreUnavailable"
    finally:
        await late.close()


async def answers(it: Story) -> bool:
    """Whether a meeting can be made. Until then nothing but 503 is answered."""
    async with asking(it.life.server) as ask:
        status, retry_after = await ask("POST", "/v2/meetings")
    assert status < 300 or (status == 503 and retry_after), status
    return status < 300


async def comings(it: Story, meeting_id: str) -> None:
    """One after the other; every third stays until something ends it."""
    sockets = []
    try:
        for number in range(10_000):
            token = await it.organization.create_participant(meeting_id, f"p{number}", "group_call_host")
            socket = Signalling(it.life.server.base_url, lambda _event: None)
            sockets.append(socket)
            await socket.open()
            joined = await socket.join(token, device="desktop")
            it.done.joined[joined["peer_id"]] = joined["session_id"]
            if number % 3:
                await socket.request("leave")
                it.done.left.add(joined["peer_id"])
    except BotError:
        pass  # it was killed
    finally:
        for socket in sockets:
            await socket.close()


async def makings(it: Story) -> None:
    with contextlib.suppress(BotError):
        for number in range(10_000):
            it.done.meetings.add(await it.organization.create_meeting(f"made {number}"))


async def settled_log(server: Server) -> dict[str, list[str]]:
    """The ids of what the server says that it delivered, by session and in its order, once nothing waits."""
    own = server.credentials
    auth = aiohttp.encode_basic_auth(own.organization_id, own.api_key)
    url = server.base_url + "/v2/webhook-deliveries"
    async with aiohttp.ClientSession(headers={"Authorization": auth}) as http:

        async def page(**query: Any) -> dict[str, Any]:
            async with http.get(url, params=query) as response:
                return dict(await response.json())

        async def waiting() -> int:
            counts = [(await page(status=one))["paging"]["total_count"] for one in ("QUEUED", "DELIVERING")]
            return sum(counts)

        async def settled() -> bool:
            return await waiting() == 0

        await wait_until_async(settled, lambda: "everything to be delivered", timeout=2 * PATIENCE)
        log: dict[str, list[str]] = defaultdict(list)
        for number in count(1):
            found = await page(page_no=number, per_page=100)
            for one in found["data"]:
                assert one["status"] == "DELIVERED", one
                log[one["session_id"]].insert(0, one["event_id"])
            if len(found["data"]) < 100:
                return log
    raise AssertionError("unreachable")
