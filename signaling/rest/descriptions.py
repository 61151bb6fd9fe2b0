"""`/openapi.json` and `/asyncapi.json`: what can be asked of this server, made of the code that answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from signaling.protocol.asyncapi import asyncapi
from signaling.rest.openapi import openapi
from signaling.rest.operation import JSON, OperationTable
from signaling.rest.webhook_channels import with_webhooks

OPENAPI: Final = "/openapi.json"
ASYNCAPI: Final = "/asyncapi.json"
_HEADERS: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}


class DescriptionRoutes:
    """A document is made when it is first asked for."""

    def __init__(self, table: OperationTable, version: str) -> None:
        self._make: dict[str, Callable[[], Any]] = {
            OPENAPI: lambda: openapi(table.all(), version=version),
            ASYNCAPI: lambda: with_webhooks(asyncapi(version=version)),
        }
        self._made: dict[str, bytes] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.get(path, self.document) for path in self._make]

    async def document(self, request: web.Request) -> web.Response:
        path = request.path
        if path not in self._made:
            self._made[path] = json.dumps(self._make[path](), ensure_ascii=False).encode()
        return web.Response(body=self._made[path], content_type=JSON, headers=_HEADERS)
