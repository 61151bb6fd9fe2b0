"""`/v2/api-keys`: of the organization or app whose credential asks."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import AwareDatetime, Field

from signaling.domain.caller import EVERYTHING, Scope
from signaling.domain.organization import ApiKey
from signaling.domain.role import known
from signaling.errors import LimitExceededError, NotFoundError
from signaling.rest.access import caller_of
from signaling.rest.conditions import once_of, replayed
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import IN_UTC, Page
from signaling.rest.parsing import Answer, Body, parse_body, parse_query, shown
from signaling.services.api_keys import ApiKeyService, KeyWish
from signaling.services.idempotency import AnsweredBefore

_KEY: Final = {
    "id": "7c110c0b-2c1e-4f1f-8d5c-9d0a6f0d5a5b",
    "name": "Nightly export",
    "prefix": "rk_7c117c11",
    "scopes": ["meetings:read", "sessions:read"],
    "unit_id": None,
    "platform": False,
    "created_at": "2026-01-31T09:30:00.125Z",
    "expires_at": None,
    "last_used_at": None,
}


class KeyBody(Body):
    """Of POST."""

    model_config = shown({"name": "Nightly export", "scopes": ["meetings:read", "sessions:read"]})

    name: Annotated[str, Field(min_length=1, max_length=128)]
    scopes: Annotated[frozenset[Scope], Field(min_length=1)] | None = None
    """None: all that the maker has."""
    unit_id: Annotated[str, Field(max_length=64)] | None = None
    """Only for what belongs to this unit and to those below it."""
    platform: bool = False
    """For every organization: only by a credential of the platform."""
    expires_at: Annotated[AwareDatetime, IN_UTC] | None = None
    """None: when the key expires that this one is made with. Not after that."""


class KeyAnswer(Answer):
    model_config = shown(_KEY)

    id: str
    name: str
    prefix: str
    """How the key begins."""
    scopes: tuple[Scope, ...]
    unit_id: str | None
    platform: bool
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None
    """To within ten minutes."""

    @classmethod
    def of(cls, key: ApiKey) -> KeyAnswer:
        return cls.reading(key, scopes=scopes_of(key))


class NewKeyAnswer(KeyAnswer):
    model_config = shown(_KEY | {"key": "rk_" + 16 * "7c11"})

    key: str | None
    """Shown here and never again; null where the request was sent again and the key was made before: revoke
    it if that answer did not reach you."""


def scopes_of(key: ApiKey) -> tuple[Scope, ...]:
    """Those that count."""
    return tuple(sorted(EVERYTHING if key.scopes is None else known(key.scopes)))


KEYS: Final = "/v2/api-keys"
KEY: Final = KEYS + "/{key_id}"


class ApiKeyRoutes:
    def __init__(self, service: ApiKeyService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=KEYS,
                handler=self.create,
                name="createApiKey",
                summary="Make an API key, which is shown once",
                tag="API keys",
                access=Scope.KEYS_WRITE,
                body=KeyBody,
                answer=NewKeyAnswer,
                status=201,
                errors=(LimitExceededError, NotFoundError),
                once=True,
            ),
            Operation(
                method="GET",
                path=KEYS,
                handler=self.list,
                name="listApiKeys",
                summary="List API keys, newest first",
                tag="API keys",
                access=Scope.KEYS_READ,
                query=Page,
                answer=KeyAnswer,
                many=Many.PAGE,
            ),
            Operation(
                method="GET",
                path=KEY,
                handler=self.get,
                name="getApiKey",
                summary="Read what is known of an API key",
                tag="API keys",
                access=Scope.KEYS_READ,
                answer=KeyAnswer,
            ),
            Operation(
                method="DELETE",
                path=KEY,
                handler=self.revoke,
                name="revokeApiKey",
                summary="Revoke an API key",
                tag="API keys",
                access=Scope.KEYS_WRITE,
                answer=KeyAnswer,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await parse_body(request, KeyBody)
        wish = KeyWish(body.name, body.scopes, body.unit_id, body.platform, body.expires_at)
        once = await once_of(request, KeyAnswer.of)
        try:
            made = await self._service.create(caller_of(request), wish, once=once)
        except AnsweredBefore as before:
            return replayed(before, key=None)
        return success(NewKeyAnswer.reading(made.key, scopes=scopes_of(made.key), key=made.text), status=201)

    async def list(self, request: web.Request) -> web.Response:
        page = parse_query(request, Page)
        found, total = await self._service.list(caller_of(request), offset=page.offset, limit=page.per_page)
        return listing([KeyAnswer.of(one) for one in found], page, total)

    async def get(self, request: web.Request) -> web.Response:
        return success(
            KeyAnswer.of(await self._service.get(caller_of(request), request.match_info["key_id"]))
        )

    async def revoke(self, request: web.Request) -> web.Response:
        key = await self._service.revoke(caller_of(request), request.match_info["key_id"])
        return success(KeyAnswer.of(key))
