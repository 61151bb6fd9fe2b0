"""`/v2/webhooks`, and the public keys with which deliveries are verified."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field, JsonValue

from signaling.domain.caller import Scope
from signaling.domain.webhook import (
    MAX_NAME,
    MAX_TIMEOUT,
    MAX_URL,
    EventName,
    Webhook,
)
from signaling.errors import ConflictError, FeatureDisabledError
from signaling.rest.access import organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Access, Many, Operation
from signaling.rest.paging import Page
from signaling.rest.parsing import Answer, Body, parse_body, parse_query, shown
from signaling.rest.rendering import BARE, json_response
from signaling.rest.v2.webhook_deliveries import DeliverySummary
from signaling.services.idempotency import AnsweredBefore
from signaling.services.webhooks import NewWebhook, WebhookService

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Url = Annotated[str, Field(min_length=1, max_length=MAX_URL)]
Events = Annotated[tuple[EventName, ...], Field(min_length=1, max_length=len(EventName) * 2)]
Timeout = Annotated[int, Field(ge=0, le=MAX_TIMEOUT)]
_EXAMPLE: Final = {
    "name": "Attendance",
    "url": "https://hooks.example/rostrum",
    "events": ["meeting.participantJoined", "meeting.participantLeft"],
    "enabled": True,
    "failover_url": None,
    "timeout_secs": None,
}
_MINUTES: Final = 60


class WebhookBody(Body):
    """Of POST, and of PUT, which replaces everything."""

    model_config = shown(_EXAMPLE)

    name: Name
    url: Url
    """https, and of a public address; credentials have no place in it."""
    events: Events
    """What is sent to it; nothing else is."""
    enabled: bool = True
    failover_url: Url | None = None
    """Tried when all attempts at `url` have failed."""
    timeout_secs: Timeout | None = None
    """Within which it has to answer; null and 0: 3."""


class WebhookPatch(Body):
    """Of PATCH. A field that is left out stays as it is."""

    model_config = shown({"enabled": False})

    name: Name = ""
    url: Url = ""
    events: Events = ()
    enabled: bool = True
    failover_url: Url | None = None
    timeout_secs: Timeout | None = None


class WebhookAnswer(Answer):
    model_config = shown(
        {"id": "5d4f0c5e-6a0f-4f0e-8f6a-0d2b8c1a7e11"}
        | _EXAMPLE
        | {"created_at": "2026-01-31T09:30:00.125Z", "updated_at": "2026-01-31T09:30:00.125Z"}
    )

    id: str
    name: str
    url: str
    events: tuple[EventName, ...]
    enabled: bool
    failover_url: str | None
    timeout_secs: int | None
    created_at: Timestamp
    updated_at: Timestamp


class KeysAnswer(Answer):
    model_config = shown(
        {
            "publicKey": "-----BEGIN PUBLIC KEY-----\n...",
            "ed25519": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "keys": [],
        }
    )

    publicKey: str  # noqa: N815 - the field's name
    """RSA, in PEM: verifies `dyte-signature` and `rtk-signature`."""
    ed25519: str
    """Base64: verifies `rostrum-signature-ed25519` and `telnyx-signature-ed25519`."""
    keys: list[dict[str, JsonValue]]
    """All as JWKs, those that sign now first; `kid` is what deliveries name. `status` is `current`, `next`
    (signs from `active_from` on) or `previous` (may still be met)."""


WEBHOOKS: Final = "/v2/webhooks"
WEBHOOK: Final = WEBHOOKS + "/{webhook_id}"


class WebhookRoutes:
    def __init__(self, service: WebhookService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=WEBHOOKS,
                handler=self.create,
                name="createWebhook",
                summary="Create a webhook",
                tag="Webhooks",
                access=Scope.WEBHOOKS_WRITE,
                body=WebhookBody,
                answer=WebhookAnswer,
                status=201,
                errors=(ConflictError, FeatureDisabledError),
                tagged=True,
                once=True,
            ),
            Operation(
                method="GET",
                path=WEBHOOKS,
                handler=self.list,
                name="listWebhooks",
                summary="List webhooks",
                tag="Webhooks",
                access=Scope.WEBHOOKS_READ,
                query=Page,
                answer=WebhookAnswer,
                many=Many.PAGE,
            ),
            Operation(
                method="GET",
                path=WEBHOOK,
                handler=self.get,
                name="getWebhook",
                summary="Read a webhook",
                tag="Webhooks",
                access=Scope.WEBHOOKS_READ,
                answer=WebhookAnswer,
                tagged=True,
            ),
            Operation(
                method="PUT",
                path=WEBHOOK,
                handler=self.replace,
                name="replaceWebhook",
                errors=(FeatureDisabledError,),
                summary="Replace a webhook",
                tag="Webhooks",
                access=Scope.WEBHOOKS_WRITE,
                body=WebhookBody,
                answer=WebhookAnswer,
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="PATCH",
                path=WEBHOOK,
                handler=self.change,
                name="changeWebhook",
                errors=(FeatureDisabledError,),
                summary="Change a webhook",
                tag="Webhooks",
                access=Scope.WEBHOOKS_WRITE,
                body=WebhookPatch,
                answer=WebhookAnswer,
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="DELETE",
                path=WEBHOOK,
                handler=self.remove,
                name="removeWebhook",
                summary="Remove a webhook; what waits for it is discarded",
                tag="Webhooks",
                access=Scope.WEBHOOKS_WRITE,
                answer=WebhookAnswer,
                conditional=True,
            ),
            Operation(
                method="POST",
                path=WEBHOOK + "/test",
                handler=self.test,
                name="testWebhook",
                summary="Send a webhook.test event to a webhook",
                tag="Webhooks",
                access=Scope.WEBHOOKS_WRITE,
                answer=DeliverySummary,
                status=201,
                errors=(ConflictError,),
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await parse_body(request, WebhookBody)
        once = await once_of(request, _answer)
        try:
            webhook = await self._service.create(
                organization_id_of(request), NewWebhook(**body.model_dump()), once=once
            )
        except AnsweredBefore as before:
            return replayed(before)
        return tagged(success(_answer(webhook), status=201), webhook.version)

    async def list(self, request: web.Request) -> web.Response:
        page = parse_query(request, Page)
        webhooks, total = await self._service.list(
            organization_id_of(request), offset=page.offset, limit=page.per_page
        )
        return listing([_answer(one) for one in webhooks], page, total)

    async def get(self, request: web.Request) -> web.Response:
        webhook = await self._service.get(organization_id_of(request), request.match_info["webhook_id"])
        return tagged(success(_answer(webhook)), webhook.version)

    async def replace(self, request: web.Request) -> web.Response:
        return await self._changed(request, (await parse_body(request, WebhookBody)).model_dump())

    async def change(self, request: web.Request) -> web.Response:
        return await self._changed(request, (await parse_body(request, WebhookPatch)).given())

    async def remove(self, request: web.Request) -> web.Response:
        webhook = await self._service.remove(
            organization_id_of(request),
            request.match_info["webhook_id"],
            if_version=expected_versions(request),
        )
        return success(_answer(webhook))

    async def test(self, request: web.Request) -> web.Response:
        made = await self._service.test(organization_id_of(request), request.match_info["webhook_id"])
        return success(DeliverySummary.of(made), status=201)

    async def _changed(self, request: web.Request, patch: Mapping[str, Any]) -> web.Response:
        webhook = await self._service.change(
            organization_id_of(request),
            request.match_info["webhook_id"],
            patch,
            if_version=expected_versions(request),
        )
        return tagged(success(_answer(webhook)), webhook.version)


class WebhookKeyRoutes:
    """For whoever receives webhooks."""

    def __init__(self, document: Callable[[], Mapping[str, Any]]) -> None:
        self._document = document

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path="/.well-known/webhooks.json",
                handler=self.get,
                name="getWebhookKeys",
                summary="The public keys with which webhooks are verified",
                tag="Webhooks",
                access=Access.ANYBODY,
                answer=KeysAnswer,
                rendering=BARE,
            )
        ]

    async def get(self, _request: web.Request) -> web.Response:
        response = json_response(dict(self._document()))
        response.headers["Cache-Control"] = f"public, max-age={5 * _MINUTES}"
        return response


def _answer(webhook: Webhook) -> WebhookAnswer:
    return WebhookAnswer.reading(webhook)
