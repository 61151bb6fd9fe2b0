"""A server is killed again and again while people come and go: what was acknowledged is there, and whoever
listens is told of it, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from sfu.bots.signalling import BotError, Organization, Signalling
from signaling.domain.webhook import EventName
from tests.support.server import (
    Server,
    kill_signaling,
    start_server,
    started_again,
    stop_server,
    wait_healthy,
)
from tests.support.wait import wait_until, wait_until_async
from tests.support.webhook_receiver import Received, Receiver, receiver

KILLS = 2
BEFORE_A_KILL = 12
"""Deliveries; the one after them is received and not answered when the server is killed."""
MEETINGS = 3
ARGUMENTS = ("--webhook-http", "--webhook-allow", "127.0.0.1/32")
STARTED, JOINED, LEFT, ENDED = (
    EventName.MEETING_STARTED,
    EventName.PARTICIPANT_JOINED,
    EventName.PARTICIPANT_LEFT,
    EventName.MEETING_ENDED,
)


@dataclass
class Acknowledged:
    """What the server has said was done."""

    meetings: set[str] = field(default_factory=set)
    joined: dict[str, str] = field(default_factory=dict)
    """Peer id -> session id."""
    left: set[str] = field(default_factory=set)


async def test_what_was_acknowledged_is_told_at_least_once_and_in_order_though_the_server_is_killed(
    tmp_path: Path,
) -> None:
    done = Acknowledged()
    async with (
        receiver() as there,
        killable(tmp_path / "data") as life,
        Organization(life.server.credentials) as organization,
    ):
        events = [str(one) for one in EventName]
        body = {"name": "ours", "url": there.url, "events": events}
        await organization.call("POST", "/v2/webhooks", body)
        meetings = [await organization.create_meeting(f"meeting {n}") for n in range(MEETINGS)]
        for _ in range(KILLS):
            await killed_in_the_middle(life, there, organization, meetings, done)
        async with busy(life.server, organization, meetings, done):
            goal = len(there.received) + BEFORE_A_KILL
            await wait_until(lambda: len(there.received) >= goal, "deliveries after the last start")
        for one in meetings:
            with contextlib.suppress(BotError):  # nobody may be in
                await organization.call("POST", f"/v2/meetings/{one}/active-session/kick-all")
        log = await settled_log(life.server)
        for one in done.meetings:
            assert (await organization.call("GET", f"/v2/meetings/{one}"))["id"] == one

    told: dict[str, list[Received]] = defaultdict(list)
    for one in there.received:
        told[one.json["meeting"]["sessionId"]].append(one)
    for peer_id, session_id in done.joined.items():
        assert (JOINED, peer_id) in map(what, told[session_id])
    left = {what(one)[1] for one in there.received if what(one)[0] == LEFT}
    assert done.left <= left == done.joined.keys() | left
    assert len(done.joined) > KILLS and done.left and done.meetings, "or nothing was shown"
    for session_id, came in told.items():
        ids = [one.event_id for one in came]
        once = list(dict.fromkeys(ids))
        assert ids == sorted(ids, key=once.index), "nothing came again after what follows it"
        assert once == log[session_id], "in the order in which it was written down"
        assert (what(came[0]), what(came[-1])) == ((STARTED, None), (ENDED, None))
    assert told.keys() == log.keys()
    bodies = {(one.event_id, one.body) for one in there.received}
    events = {(one.json["meeting"]["sessionId"], *what(one)) for one in there.received}
    assert len(bodies) == len(events), "what came again has the same id and the same body"
    assert len(there.received) >= len(events) + KILLS, "something came again after each kill"


def what(one: Received) -> tuple[str, str | None]:
    return one.json["event"], one.json.get("participant", {}).get("peerId")


# --- a server that is killed -----------------------------------------------------------------------------


@dataclass
class Life:
    server: Server


@contextlib.asynccontextmanager
async def killable(data_dir: Path) -> AsyncIterator[Life]:
    life = Life(start_server(data_dir, workers=0, arguments=ARGUMENTS))
    try:
        await wait_healthy(life.server)
        yield life
    finally:
        problems = await asyncio.to_thread(stop_server, life.server)
    assert not problems, "; ".join(problems) + "\n" + life.server.log[-4000:]


async def killed_in_the_middle(
    life: Life, there: Receiver, organization: Organization, meetings: list[str], done: Acknowledged
) -> None:
    """Killed while people come and go, between receiving and answering a delivery; and started again."""
    goal, holding, released = len(there.received) + BEFORE_A_KILL, asyncio.Event(), asyncio.Event()

    async def answer(_one: Received) -> Any:
        if len(there.received) >= goal:
            holding.set()
            await released.wait()
        return web.Response()

    there.answer = answer
    async with busy(life.server, organization, meetings, done):
        async with asyncio.timeout(60):
            await holding.wait()
        await kill_signaling(life.server)
    there.answer = None
    released.set()
    life.server = await started_again(life.server)


@contextlib.asynccontextmanager
async def busy(
    server: Server, organization: Organization, meetings: list[str], done: Acknowledged
) -> AsyncIterator[None]:
    """People come and go and meetings are made, until the block ends."""
    tasks = [asyncio.create_task(comings(server, organization, one, done)) for one in meetings]
    tasks.append(asyncio.create_task(makings(organization, done)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def comings(server: Server, organization: Organization, meeting_id: str, done: Acknowledged) -> None:
    """One after the other; every third stays until something ends it."""
    sockets = []
    try:
        for number in range(10_000):
            token = await organization.create_participant(meeting_id, f"p{number}", "group_call_host")
            socket = Signalling(server.base_url, lambda _event: None)
            await socket.open()
            sockets.append(socket)
            joined = await socket.join(token, device="desktop")
            done.joined[joined["peer_id"]] = joined["session_id"]
            if number % 3:
                await socket.request("leave")
                done.left.add(joined["peer_id"])
    except BotError:
        pass  # it was killed
    finally:
        for socket in sockets:
            await socket.close()


async def makings(organization: Organization, done: Acknowledged) -> None:
    with contextlib.suppress(BotError):
        for number in range(10_000):
            done.meetings.add(await organization.create_meeting(f"made {number}"))


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

        await wait_until_async(settled, lambda: "everything to be delivered", timeout=60.0)
        log: dict[str, list[str]] = defaultdict(list)
        for number in count(1):
            found = await page(page_no=number, per_page=100)
            for one in found["data"]:
                assert one["status"] == "DELIVERED", one
                log[one["session_id"]].insert(0, one["event_id"])
            if len(found["data"]) < 100:
                return log
    raise AssertionError("unreachable")
