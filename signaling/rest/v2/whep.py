"""`/v2/whep`: watching over HTTP (draft-ietf-wish-whep; the client offers).

`POST /v2/whep/{meeting_id}` follows whoever speaks; `POST /v2/whep/{meeting_id}/{participant}/{source}`
watches one source of one participant, with the sound that goes with it. A participant's token as Bearer.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from signaling.domain.viewing import Wanted
from signaling.errors import NotPublishedError
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

SESSIONS: Final = "whep-sessions"
STAGE: Final = "/v2/whep/{meeting_id}"
SOURCE: Final = "/v2/whep/{meeting_id}/{participant}/{source}"


class WhepRoutes:
    def __init__(self, peers: HttpPeers) -> None:
        self._peers = peers
        self._sessions = SessionRoutes(peers, "subscribe", SESSIONS)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.options(STAGE, self.options),
            web.options(SOURCE, self.options),
            *self._sessions.routes(),
        ]

    def operations(self) -> list[Operation]:
        return [
            self._viewing(STAGE, "watchOverHttp", "Watch whoever speaks over HTTP (WHEP)"),
            self._viewing(SOURCE, "watchSourceOverHttp", "Watch one source of one participant (WHEP)"),
            *self._sessions.operations(),
        ]

    def _viewing(self, path: str, name: str, summary: str) -> Operation:
        return Operation(
            method="POST",
            path=path,
            handler=self.view,
            name=name,
            summary=summary,
            tag="WHIP and WHEP",
            access=Access.PARTICIPANT,
            takes=SDP,
            gives=SDP,
            status=201,
            errors=(*EXCHANGE_ERRORS, NotPublishedError),
        )

    async def view(self, request: web.Request) -> web.Response:
        token = participant_token_of(request)
        offer = await read_offer(request)
        named = request.match_info
        wanted = Wanted(named["participant"], named["source"]) if "participant" in named else Wanted()
        opening = self._peers.view(token, named["meeting_id"], offer, wanted)
        return await begun(request, opening, SESSIONS)

    async def options(self, _request: web.Request) -> web.Response:
        return options(SDP)
