"""A client that goes in the middle of a request is no failure of the server's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from sfu.bots.signalling import Organization
from tests.support.server import running_server
from tests.support.wait import wait_until


async def test_a_request_that_never_ends_is_not_logged_as_a_failure(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, Organization(server.credentials) as organization:
        meeting = await organization.create_meeting("room")
        secret = aiohttp.encode_basic_auth(server.credentials.organization_id, server.credentials.api_key)
        host, _, port = server.base_url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /v2/meetings/{meeting}/participants HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: {secret}\r\nContent-Type: application/json\r\n"
            'Expect: 100-continue\r\nContent-Length: 200\r\n\r\n{"name": '.encode()
        )
        # Which is said once somebody reads the request.
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        writer.transport.abort()
        await wait_until(lambda: "client_gone" in server.log, lambda: server.log[-2000:])
        assert "request_failed" not in server.log
