"""`/v2/rooms/{room_id}/actions/...`: tokens with which clients join a room."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from signaling.domain.caller import Scope
from signaling.domain.client_token import (
    DEFAULT_REFRESH_TTL,
    DEFAULT_TOKEN_TTL,
    MAX_REFRESH_TTL,
    MAX_TOKEN_TTL,
    MIN_REFRESH_TTL,
    MIN_TOKEN_TTL,
    IssuedToken,
)
from signaling.errors import ForbiddenError, InvalidTokenError, RateLimitedError, StoreUnavailableError
from signaling.rest.access import organization_id_of
from signaling.rest.envelope import Timestamp
from signaling.rest.operation import Access, Operation
from signaling.rest.parsing import Answer, Body, parse_body, shown
from signaling.rest.telnyx.rendering import TELNYX, one
from signaling.rest.telnyx.rooms import ROOM
from signaling.services.client_tokens import ClientTokenService, TokenPair

MAX_TOKEN: Final = 8192
_TIME: Final = "2026-01-31T09:40:00.000Z"
_TOKEN: Final = "eyJhbGciOiJFZERTQSJ9.e30.c2ln"

TokenTtl = Annotated[int, Field(ge=MIN_TOKEN_TTL, le=MAX_TOKEN_TTL)]


class GenerateBody(Body):
    model_config = shown({"token_ttl_secs": 600, "refresh_token_ttl_secs": 3600})

    token_ttl_secs: TokenTtl = DEFAULT_TOKEN_TTL
    refresh_token_ttl_secs: Annotated[int, Field(ge=MIN_REFRESH_TTL, le=MAX_REFRESH_TTL)] = (
        DEFAULT_REFRESH_TTL
    )


class ClientRefreshBody(Body):
    model_config = shown({"refresh_token": _TOKEN})

    refresh_token: Annotated[str, Field(min_length=1, max_length=MAX_TOKEN)]
    token_ttl_secs: TokenTtl = DEFAULT_TOKEN_TTL


class ClientTokenAnswer(Answer):
    model_config = shown({"token": _TOKEN, "token_expires_at": _TIME})

    token: str
    token_expires_at: Timestamp

    @classmethod
    def of(cls, token: IssuedToken) -> ClientTokenAnswer:
        return cls(token=token.token, token_expires_at=token.expires_at)


class ClientTokenPairAnswer(ClientTokenAnswer):
    model_config = shown(
        {
            "token": _TOKEN,
            "token_expires_at": _TIME,
            "refresh_token": _TOKEN,
            "refresh_token_expires_at": "2026-01-31T10:30:00.000Z",
        }
    )

    refresh_token: str
    refresh_token_expires_at: Timestamp

    @classmethod
    def of_pair(cls, pair: TokenPair) -> ClientTokenPairAnswer:
        return cls(
            token=pair.join.token,
            token_expires_at=pair.join.expires_at,
            refresh_token=pair.refresh.token,
            refresh_token_expires_at=pair.refresh.expires_at,
        )


class RoomTokenRoutes:
    def __init__(self, tokens: ClientTokenService) -> None:
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=ROOM + "/actions/generate_join_client_token",
                handler=self.generate,
                name="generateJoinClientToken",
                summary="Make a token with which somebody new joins a room, and one to renew it",
                tag="Room tokens",
                access=Scope.PARTICIPANTS_WRITE,
                body=GenerateBody,
                body_required=False,
                answer=ClientTokenPairAnswer,
                status=201,
                rendering=TELNYX,
            ),
            Operation(
                method="POST",
                path=ROOM + "/actions/refresh_client_token",
                handler=self.refresh,
                name="refreshClientToken",
                summary="Renew a token; the refresh token is the credential",
                tag="Room tokens",
                access=Access.ANYBODY,
                body=ClientRefreshBody,
                answer=ClientTokenAnswer,
                status=201,
                errors=(InvalidTokenError, ForbiddenError, RateLimitedError, StoreUnavailableError),
                rendering=TELNYX,
            ),
        ]

    async def generate(self, request: web.Request) -> web.Response:
        body = await parse_body(request, GenerateBody)
        pair = await self._tokens.generate_join_client_token(
            organization_id_of(request), request.match_info["room_id"], **body.given()
        )
        return one(ClientTokenPairAnswer.of_pair(pair), status=201)

    async def refresh(self, request: web.Request) -> web.Response:
        body = await parse_body(request, ClientRefreshBody)
        token = await self._tokens.refresh_client_token(
            body.refresh_token,
            meeting_id=request.match_info["room_id"],
            token_ttl_secs=body.token_ttl_secs,
        )
        return one(ClientTokenAnswer.of(token), status=201)
