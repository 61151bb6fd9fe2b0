"""Two servers, each a process of its own, on one PostgreSQL."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.signaling.conftest import postgres  # noqa: F401 - a fixture
from tests.support import live_world
from tests.support.live_world import Refused, WsClient
from tests.support.postgres import Postgres
from tests.support.server import (
    FORBIDDEN_IN_LOG,
    Server,
    kill_signaling,
    start_server,
    started_again,
    stop_server,
    wait_healthy,
)
from tests.support.wait import PATIENCE

LEASE = 6.0
"""Seconds, for some of which a server on a busy machine may be silent, that is not to be taken for dead."""
PEOPLE = 100


class Two:
    """The servers that run, and what an API key may do at either."""

    def __init__(self, running: list[Server], http: aiohttp.ClientSession) -> None:
        self.running, self.http = running, http
        said = json.loads(running[0].key_file.read_text())
        pair = f"{said['organization_id']}:{said['api_key']}"
        self._headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        self.clients: list[WsClient] = []
        self.joined_at: dict[str, str] = {}
        """URLs by peer id."""

    async def call(self, at: Server, method: str, path: str, body: Any = None) -> Any:
        async with self.http.request(method, at.base_url + path, json=body, headers=self._headers) as answer:
            said = await answer.json()
            assert answer.status < 300, said
            return said["data"]

    async def participant(self, meeting_id: str, number: int) -> dict[str, Any]:
        body = {"preset_name": "group_call_participant", "custom_participant_id": f"p{number}", "name": "P"}
        made: dict[str, Any] = await self.call(
            self.running[0], "POST", f"/v2/meetings/{meeting_id}/participants", body
        )
        return made

    async def join(self, at: Server, token: str) -> WsClient:
        """There, or where one is sent from there."""
        url = at.base_url
        for _ in range(2):
            client = WsClient(await self.http.ws_connect(url + "/v2/ws"))
            self.clients.append(client)
            try:
                await client.join(token)
                self.joined_at[client.peer_id] = url
                return client
            except Refused as refused:
                if refused.url is None:
                    raise
                url = refused.url
        raise AssertionError("sent on from where one was sent")


@asynccontextmanager
async def two_servers(folder: Path, database: str, more: Sequence[str] = ()) -> AsyncIterator[Two]:
    """`more`: arguments of either."""
    secret = folder / "secret"
    secret.write_text("what both servers seal their keys with")
    secret.chmod(0o600)
    arguments = (
        "--database-url",
        database,
        "--secret-key-file",
        str(secret),
        "--server-lease",
        str(LEASE),
        *more,
    )
    running: list[Server] = []
    try:
        for name in ("a", "b"):
            if running:
                (folder / name).mkdir()
                shutil.copy(running[0].key_file, folder / name)
            running.append(start_server(folder / name, workers=0, arguments=arguments))
            await wait_healthy(running[-1])
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            two = Two(running, http)
            yield two
            await asyncio.gather(*(client.socket.close() for client in two.clients))
    finally:
        problems = [await asyncio.to_thread(stop_server, one) for one in running]
    assert not any(problems), problems
    for one in running:
        assert FORBIDDEN_IN_LOG.search(one.log) is None, one.log[-4000:]


async def test_two_servers_have_each_meeting_once_and_one_goes_on_when_the_other_dies(
    tmp_path: Path,
    postgres: Postgres,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_world, "PATIENCE", 60.0)
    url = postgres.new_database()
    database = url.partition("@/")[2].partition("?")[0]
    async with two_servers(tmp_path, url) as two:
        meeting = (await two.call(two.running[0], "POST", "/v2/meetings", {"title": "Weekly"}))["id"]
        people = [await two.participant(meeting, number) for number in range(PEOPLE)]
        joined = await asyncio.gather(
            *(two.join(two.running[number % 2], one["token"]) for number, one in enumerate(people))
        )
        assert len({one.joined["session_id"] for one in joined}) == 1
        count = f"SELECT count(*) FROM sessions WHERE meeting_id = '{meeting}'"
        assert postgres.execute(count, database=database).strip() == "1"

        owner = next(one for one in two.running if str(joined[0].socket._response.url.port) in one.base_url)
        (other,) = (one for one in two.running if one is not owner)
        active = f"/v2/meetings/{meeting}/active-session"
        kicked = await two.call(other, "POST", f"{active}/kick", {"participant_ids": [people[0]["id"]]})
        assert [one["id"] for one in kicked["participants"]] == [people[0]["id"]]
        assert await joined[0].closed() == 4001
        await two.call(other, "DELETE", f"/v2/meetings/{meeting}/participants/{people[1]['id']}")
        assert await joined[1].closed() == 4001

        left = await kill_signaling(owner)
        assert not left, "the media is in the process that died"
        again = await joins_again(two, other, people[2]["token"])
        ended = f"SELECT end_reason FROM sessions WHERE id = '{joined[0].joined['session_id']}'"
        assert postgres.execute(ended, database=database).strip() == "server_lost"

        restarted = two.running[two.running.index(owner)] = await started_again(owner)
        assert (await two.call(restarted, "GET", active))["id"] == again.joined["session_id"]
        late = await two.join(restarted, people[3]["token"])
        assert late.joined["session_id"] == again.joined["session_id"]


async def joins_again(two: Two, at: Server, token: str) -> WsClient:
    """Until the lease of the other one is over, one is sent to it, where nobody is."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await two.join(at, token)
            except (Refused, aiohttp.ClientError):
                await asyncio.sleep(0.1)
