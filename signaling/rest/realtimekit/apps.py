"""`/accounts/{account_id}/realtime/kit/apps`: an organization's apps, as clients of RealtimeKit have them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import Field

from signaling.domain.caller import Scope
from signaling.domain.organization import Organization
from signaling.errors import ConflictError, FeatureDisabledError, PlanLimitError
from signaling.rest.access import caller_of
from signaling.rest.conditions import once_of, replayed
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Page
from signaling.rest.parsing import Answer, parse_body, parse_query, shown
from signaling.rest.v2.organizations import AppBody
from signaling.services.apps import AppService
from signaling.services.idempotency import AnsweredBefore

APPS: Final = "/accounts/{account_id}/realtime/kit/apps"
_APP: Final = {
    "id": "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d",
    "name": "staging",
    "created_at": "2026-01-31T09:30:00.125Z",
}


class AppQuery(Page):
    search: Annotated[str, Field(max_length=256)] | None = None
    """Part of a name, or an id."""
    sort_order: Literal["ASC", "DESC"] = "ASC"
    """By when they were made; the default app, which is the organization, is the oldest."""


class KitAppAnswer(Answer):
    model_config = shown(_APP)

    id: str
    name: str
    created_at: Timestamp

    @classmethod
    def of(cls, app: Organization) -> KitAppAnswer:
        return cls.reading(app)


class NewKitAppAnswer(Answer):
    model_config = shown({"app": _APP})

    app: KitAppAnswer

    @classmethod
    def of(cls, app: Organization) -> NewKitAppAnswer:
        return cls(app=KitAppAnswer.of(app))


class KitAppRoutes:
    def __init__(self, apps: AppService) -> None:
        self._apps = apps

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=APPS,
                handler=self.create,
                name="createRealtimeKitApp",
                summary="Create an app: a tenant of its own below the organization",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_WRITE,
                body=AppBody,
                answer=NewKitAppAnswer,
                status=201,
                errors=(ConflictError, FeatureDisabledError, PlanLimitError),
                once=True,
            ),
            Operation(
                method="GET",
                path=APPS,
                handler=self.list,
                name="listRealtimeKitApps",
                summary="List the apps of an organization, the default one among them",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_READ,
                query=AppQuery,
                answer=KitAppAnswer,
                many=Many.PAGE,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await parse_body(request, AppBody)
        once = await once_of(request, NewKitAppAnswer.of)
        try:
            app = await self._apps.create(
                caller_of(request), request.match_info["account_id"], body.name, once=once
            )
        except AnsweredBefore as before:
            return replayed(before)
        return success(NewKitAppAnswer.of(app), status=201)

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, AppQuery)
        apps, total = await self._apps.page(
            caller_of(request),
            request.match_info["account_id"],
            search=query.search,
            descending=query.sort_order == "DESC",
            offset=query.offset,
            limit=query.per_page,
        )
        return listing([KitAppAnswer.of(app) for app in apps], query, total)
