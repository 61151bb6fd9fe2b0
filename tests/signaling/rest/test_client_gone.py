"""A client that goes before its answer."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from signaling.rest.middlewares import errors_middleware
from signaling.rest.operation import OperationTable
from tests.support.live_world import until


@pytest.mark.parametrize("gone", [True, False])
async def test_one_that_went_is_no_fault_of_ours_and_nothing_else_passes_for_that(gone: bool) -> None:
    handled = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            if gone:
                assert request.transport is not None
                request.transport.close()
            raise ConnectionResetError("by whoever it was")
        finally:
            handled.set()

    app = web.Application(middlewares=[errors_middleware(OperationTable(), {}, "http://localhost")])
    app.router.add_get("/", handle)
    server = TestServer(app)
    await server.start_server()
    try:
        with capture_logs() as logs:
            async with aiohttp.ClientSession() as http:
                try:
                    async with http.get(server.make_url("/")) as response:
                        assert response.status == 500 and not gone
                except aiohttp.ClientConnectionError:
                    assert gone
            await until(handled.is_set, "the request")
        assert {one["log_level"] for one in logs} == {"debug" if gone else "error"}
    finally:
        await server.close()
