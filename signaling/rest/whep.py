"""`/v2/whep`: watching over HTTP (draft-ietf-wish-whep; the client offers).

`POST /v2/whep/{meeting_id}` follows whoever speaks; `POST /v2/whep/{meeting_id}/{participant}/{source}`
watches one source of one participant, with the sound that goes with it. A participant's token as Bearer.
"""

from __future__ import annotations

from aiohttp import web

from signaling.domain.viewing import Wanted
from signaling.rest.access import participant_token_of
from signaling.rest.sdp_exchange import SDP, SessionRoutes, created, options, read_offer
from signaling.services.live.http_peers import HttpPeers

SESSIONS = "whep-sessions"


class WhepRoutes:
    def __init__(self, peers: HttpPeers) -> None:
        self._peers = peers

    def routes(self) -> list[web.RouteDef]:
        stage, one = "/v2/whep/{meeting_id}", "/v2/whep/{meeting_id}/{participant}/{source}"
        return [
            web.post(stage, self.view),
            web.options(stage, self.options),
            web.post(one, self.view),
            web.options(one, self.options),
            *SessionRoutes(self._peers, "subscribe", SESSIONS).routes(),
        ]

    async def view(self, request: web.Request) -> web.Response:
        token = participant_token_of(request)
        offer = await read_offer(request)
        named = request.match_info
        wanted = Wanted(named["participant"], named["source"]) if "participant" in named else Wanted()
        opened = await self._peers.view(token, named["meeting_id"], offer, wanted)
        return created(opened, SESSIONS)

    async def options(self, _request: web.Request) -> web.Response:
        return options(SDP)
