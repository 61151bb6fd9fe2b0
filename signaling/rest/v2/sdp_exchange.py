"""What WHIP and WHEP share over HTTP: a body of SDP, a session with an ETag, and the ICE servers as links."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from aiohttp import web

from signaling.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    LimitExceededError,
    MisdirectedError,
    NotAcceptableError,
    PreconditionRequiredError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from signaling.protocol import messages, sdpfrag
from signaling.protocol.offer import MAX_SDP
from signaling.rest.access import participant_token_of
from signaling.rest.operation import Access, Operation
from signaling.rest.parsing import read_body
from signaling.rest.rendering import HOUSE
from signaling.services.live.http_peers import HttpPeers, Opened
from signaling.services.live.ports import Direction

SDP: Final = "application/sdp"
RESTART: Final = "*"
EXCHANGE_ERRORS: Final = (
    UnsupportedMediaTypeError,
    NotAcceptableError,
    ForbiddenError,
    ConflictError,
    LimitExceededError,
    UnavailableError,
)
"""What an exchange of SDP may be refused for besides."""


async def read_text(request: web.Request, media_type: str, limit: int) -> str:
    """The body. Raises `UnsupportedMediaTypeError`, `LimitExceededError` or `InvalidInputError`."""
    if request.content_type != media_type:
        raise UnsupportedMediaTypeError(f"Send the body as Content-Type: {media_type}.")
    if (request.content_length or 0) > limit:
        raise LimitExceededError(f"The body is larger than {limit} bytes.")
    body = await read_body(request)
    if len(body) > limit:
        raise LimitExceededError(f"The body is larger than {limit} bytes.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise InvalidInputError("The body is not UTF-8.") from None


async def read_offer(request: web.Request) -> str:
    return await read_text(request, SDP, MAX_SDP)


async def begun(request: web.Request, opening: Awaitable[Opened], collection: str) -> web.Response:
    """201; 307 to the same path of another server, where that one has the meeting (RFC 9725 section 4.5)."""
    try:
        return created(await opening, collection)
    except MisdirectedError as error:
        response = web.json_response(HOUSE.error_example(error), status=307)
        response.headers["Location"] = error.url.rstrip("/") + request.path_qs
        return response


def created(opened: Opened, collection: str) -> web.Response:
    """201 with the answer (RFC 9725 section 4.2)."""
    response = web.Response(status=201, body=opened.answer.encode(), content_type=SDP)
    response.headers["Location"] = f"/v2/{collection}/{opened.session.id}"
    response.headers["ETag"] = f'"{opened.session.etag}"'
    response.headers["Accept-Patch"] = sdpfrag.MEDIA_TYPE
    for link in ice_links(opened.ice_servers):
        response.headers.add("Link", link)
    return response


def ice_links(servers: tuple[messages.IceServer, ...]) -> list[str]:
    """RFC 9725 section 4.6: one link for each URL."""
    return [f'<{url}>; rel="ice-server"{_credentials(server)}' for server in servers for url in server.urls]


def _credentials(server: messages.IceServer) -> str:
    if server.username is None or server.credential is None:
        return ""
    return (
        f"; username={_quoted(server.username)}; credential={_quoted(server.credential)}"
        '; credential-type="password"'
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def options(accepts: str | None) -> web.Response:
    """`accepts`: what a POST here takes."""
    response = web.Response(status=204)
    if accepts is None:
        response.headers["Accept-Patch"] = sdpfrag.MEDIA_TYPE
    else:
        response.headers["Accept-Post"] = accepts
    return response


class SessionRoutes:
    """PATCH and DELETE of what a POST made; the same for both directions."""

    def __init__(self, peers: HttpPeers, direction: Direction, collection: str) -> None:
        self._peers = peers
        self._direction = direction
        self._path = f"/v2/{collection}/{{session_id}}"

    def routes(self) -> list[web.RouteDef]:
        return [web.options(self._path, self.options)]

    def operations(self) -> list[Operation]:
        noun = "Published" if self._direction == "publish" else "Watched"
        return [
            Operation(
                method="PATCH",
                path=self._path,
                handler=self.patch,
                name=f"trickle{noun}OverHttp",
                summary="Add candidates, or restart ICE (If-Match: *)",
                tag="WHIP and WHEP",
                access=Access.PARTICIPANT,
                takes=sdpfrag.MEDIA_TYPE,
                gives=sdpfrag.MEDIA_TYPE,
                conditional=True,
                errors=(*EXCHANGE_ERRORS, PreconditionRequiredError),
            ),
            Operation(
                method="DELETE",
                path=self._path,
                handler=self.delete,
                name=f"end{noun}OverHttp",
                summary="End it",
                tag="WHIP and WHEP",
                access=Access.PARTICIPANT,
                gives="",
            ),
        ]

    async def patch(self, request: web.Request) -> web.Response:
        """Trickled candidates under the session's ETag, an ICE restart under "*" (RFC 9725 section 4.3)."""
        token = participant_token_of(request)
        condition = request.headers.get("If-Match", "").strip()
        if not condition:
            raise PreconditionRequiredError
        text = await read_text(request, sdpfrag.MEDIA_TYPE, sdpfrag.MAX_FRAGMENT)
        session_id = request.match_info["session_id"]
        if condition != RESTART:
            etag = condition.strip('"')
            await self._peers.trickle(token, session_id, self._direction, etag, text)
            return web.Response(status=204)
        restarted = await self._peers.restart(token, session_id, self._direction, text)
        line = restarted.session.line
        body = sdpfrag.print_fragment(restarted.fragment, mid=line.mid, kind=line.kind)
        response = web.Response(body=body.encode(), content_type=sdpfrag.MEDIA_TYPE)
        response.headers["ETag"] = f'"{restarted.session.etag}"'
        return response

    async def delete(self, request: web.Request) -> web.Response:
        token = participant_token_of(request)
        await self._peers.end(token, request.match_info["session_id"], self._direction)
        return web.Response()

    async def options(self, _request: web.Request) -> web.Response:
        return options(None)
