"""`/v2/whip`: publishing over HTTP (RFC 9725), for OBS, GStreamer and plain pages.

`POST /v2/whip/{meeting_id}` with a participant's token as Bearer. Audio and video m-lines carry microphone
and camera, in order; with `?source=screen` they carry a shared screen and its sound.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from pydantic import BaseModel

from signaling.rest.access import participant_token_of
from signaling.rest.operation import Access, Operation
from signaling.rest.v2.sdp_exchange import (
    EXCHANGE_ERRORS,
    SDP,
    SessionRoutes,
    begun,
    options,
    read_offer,
)
from signaling.services.live.http_peers import HttpPeers

SESSIONS: Final = "whip-sessions"
PUBLISH: Final = "/v2/whip/{meeting_id}"


class PublishQuery(BaseModel):
    """`source`: "camera" or "screen", or the name of a stream."""

    source: str = "camera"


class WhipRoutes:
    def __init__(self, peers: HttpPeers) -> None:
        self._peers = peers
        self._sessions = SessionRoutes(peers, "publish", SESSIONS)

    def routes(self) -> list[web.RouteDef]:
        return [web.options(PUBLISH, self.options), *self._sessions.routes()]

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=PUBLISH,
                handler=self.publish,
                name="publishOverHttp",
                summary="Publish over HTTP (WHIP)",
                tag="WHIP and WHEP",
                access=Access.PARTICIPANT,
                query=PublishQuery,
                takes=SDP,
                gives=SDP,
                status=201,
                errors=EXCHANGE_ERRORS,
            ),
            *self._sessions.operations(),
        ]

    async def publish(self, request: web.Request) -> web.Response:
        token = participant_token_of(request)
        offer = await read_offer(request)
        source = request.query.get("source", "camera")
        opening = self._peers.publish(token, request.match_info["meeting_id"], offer, source)
        return await begun(request, opening, SESSIONS)

    async def options(self, _request: web.Request) -> web.Response:
        return options(SDP)
