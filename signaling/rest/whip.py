"""`/v2/whip`: publishing over HTTP (RFC 9725), for OBS, GStreamer and plain pages.

`POST /v2/whip/{meeting_id}` with a participant's token as Bearer. Audio and video m-lines carry microphone
and camera, in order; with `?source=screen` they carry a shared screen and its sound.
"""

from __future__ import annotations

from aiohttp import web

from signaling.rest.access import participant_token_of
from signaling.rest.sdp_exchange import SDP, SessionRoutes, created, options, read_offer
from signaling.services.live.http_peers import HttpPeers

SESSIONS = "whip-sessions"


class WhipRoutes:
    def __init__(self, peers: HttpPeers) -> None:
        self._peers = peers

    def routes(self) -> list[web.RouteDef]:
        path = "/v2/whip/{meeting_id}"
        return [
            web.post(path, self.publish),
            web.options(path, self.options),
            *SessionRoutes(self._peers, "publish", SESSIONS).routes(),
        ]

    async def publish(self, request: web.Request) -> web.Response:
        token = participant_token_of(request)
        offer = await read_offer(request)
        source = request.query.get("source", "camera")
        opened = await self._peers.publish(token, request.match_info["meeting_id"], offer, source)
        return created(opened, SESSIONS)

    async def options(self, _request: web.Request) -> web.Response:
        return options(SDP)
