"""`/v2/orgs`, and the apps below each."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.domain.caller import Scope
from signaling.domain.listed import OneOf
from signaling.domain.organization import Organization
from signaling.domain.plan import FLAGS, MAX_FLAGS, PlanName
from signaling.domain.region import Region
from signaling.errors import ConflictError, FeatureDisabledError, PlanLimitError
from signaling.rest.access import caller_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Page
from signaling.rest.parsing import Answer, Body, parse_body, parse_query, shown
from signaling.services.apps import AppService
from signaling.services.idempotency import AnsweredBefore
from signaling.services.organizations import OrganizationService
from signaling.services.removal import RemovalService

Name = Annotated[str, Field(min_length=1, max_length=255)]
Contact = Annotated[str, Field(max_length=320)]
Link = Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\s]+$")]
Flag = Annotated[str, OneOf(FLAGS)]
Flags = Annotated[tuple[Flag, ...], Field(max_length=MAX_FLAGS)]

_WISH: Final = {
    "name": "Acme",
    "contact": "ada@example.org",
    "website": "https://example.org",
    "preferred_region": "eu-central-1",
    "feature_flags": ["-transcription"],
}
_TIMES: Final = {"created_at": "2026-01-31T09:30:00.125Z", "updated_at": "2026-01-31T09:30:00.125Z"}
_ORGANIZATION: Final = (
    {"id": "8f1f4d5c-9d0a-4f0d-8a5b-7c110c0b2c1e"} | _WISH | {"logo_url": None, "plan": "unlimited"} | _TIMES
)


class OrganizationBody(Body):
    """Of POST. What is left out takes its default."""

    model_config = shown(_WISH)

    name: Name
    contact: Contact | None = None
    website: Link | None = None
    logo_url: Link | None = None
    preferred_region: Region | None = None
    feature_flags: Flags = ()
    """Features that it has besides those of its plan, and, after a '-', those that it has not."""
    plan: PlanName = PlanName.UNLIMITED


class OrganizationPatch(OrganizationBody):
    """Of PATCH. A field that is left out stays as it is; `plan` and `feature_flags` are for the platform."""

    model_config = shown({"name": "Acme Ltd", "contact": "bob@example.org"})

    name: Name = ""


class OrganizationAnswer(Answer):
    model_config = shown(_ORGANIZATION)

    id: str
    name: str
    contact: str | None
    website: str | None
    logo_url: str | None
    preferred_region: Region | None
    feature_flags: tuple[Flag, ...]
    plan: PlanName
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, organization: Organization) -> OrganizationAnswer:
        return cls.reading(organization)


class NewOrganizationAnswer(OrganizationAnswer):
    model_config = shown(_ORGANIZATION | {"apikey": "rk_" + 16 * "7c11"})

    apikey: str | None
    """Its first key, shown here and never again; null where the request was sent again."""


class OrganizationSearch(Page):
    search: Annotated[str, Field(max_length=256)] | None = None
    """Part of a name, or an id."""


class RemovalQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    force: bool = False
    """End the sessions that run; without it they are in the way."""


class AppBody(Body):
    model_config = shown({"name": "staging"})

    name: Name


class AppAnswer(Answer):
    model_config = shown(
        {
            "id": "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d",
            "name": "staging",
            "organization_id": "8f1f4d5c-9d0a-4f0d-8a5b-7c110c0b2c1e",
        }
        | _TIMES
    )

    id: str
    """In place of an organization's id wherever one is asked for."""
    name: str
    organization_id: str
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, app: Organization) -> AppAnswer:
        return cls.reading(app, organization_id=app.account_id)


ORGANIZATIONS: Final = "/v2/orgs"
ORGANIZATION: Final = ORGANIZATIONS + "/{org_id}"
APPS: Final = ORGANIZATION + "/apps"
APP: Final = APPS + "/{app_id}"


class OrganizationRoutes:
    def __init__(self, organizations: OrganizationService, apps: AppService, removal: RemovalService) -> None:
        self._organizations = organizations
        self._apps = apps
        self._removal = removal

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=ORGANIZATIONS,
                handler=self.create,
                name="createOrganization",
                summary="Create an organization, with the default presets and a first API key",
                tag="Organizations",
                description="Takes a credential of the platform.",
                access=Scope.ORGANIZATIONS_WRITE,
                body=OrganizationBody,
                answer=NewOrganizationAnswer,
                status=201,
                errors=(ConflictError,),
                tagged=True,
                once=True,
            ),
            Operation(
                method="GET",
                path=ORGANIZATIONS,
                handler=self.list,
                name="listOrganizations",
                summary="List organizations, newest first: all for the platform, else one's own",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_READ,
                query=OrganizationSearch,
                answer=OrganizationAnswer,
                many=Many.PAGE,
            ),
            Operation(
                method="GET",
                path=ORGANIZATION,
                handler=self.get,
                name="getOrganization",
                summary="Read an organization, or an app of one's own",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_READ,
                answer=OrganizationAnswer,
                tagged=True,
            ),
            Operation(
                method="PATCH",
                path=ORGANIZATION,
                handler=self.change,
                name="changeOrganization",
                summary="Change an organization, or an app of one's own",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_WRITE,
                body=OrganizationPatch,
                answer=OrganizationAnswer,
                errors=(ConflictError,),
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="DELETE",
                path=ORGANIZATION,
                handler=self.remove,
                name="removeOrganization",
                summary="Remove an organization with its apps and all that is theirs, or an app",
                description="Takes a credential of the platform, or for an app one of its organization.",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_WRITE,
                query=RemovalQuery,
                answer=OrganizationAnswer,
                errors=(ConflictError,),
                conditional=True,
            ),
            Operation(
                method="DELETE",
                path=APP,
                handler=self.remove_app,
                name="removeApp",
                summary="Remove an app with all that is its own",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_WRITE,
                query=RemovalQuery,
                answer=AppAnswer,
                errors=(ConflictError,),
                conditional=True,
            ),
            Operation(
                method="POST",
                path=APPS,
                handler=self.create_app,
                name="createApp",
                summary="Create an app: a tenant of its own below the organization",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_WRITE,
                body=AppBody,
                answer=AppAnswer,
                status=201,
                errors=(ConflictError, FeatureDisabledError, PlanLimitError),
                once=True,
            ),
            Operation(
                method="GET",
                path=APPS,
                handler=self.list_apps,
                name="listApps",
                summary="List the apps of an organization, beginning with the default one: itself",
                tag="Organizations",
                access=Scope.ORGANIZATIONS_READ,
                query=Page,
                answer=AppAnswer,
                many=Many.PAGE,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await parse_body(request, OrganizationBody)
        once = await once_of(request, OrganizationAnswer.of)
        try:
            made = await self._organizations.create(caller_of(request), once=once, **body.given())
        except AnsweredBefore as before:
            return replayed(before, apikey=None)
        answer = NewOrganizationAnswer.reading(made.organization, apikey=made.api_key)
        return tagged(success(answer, status=201), made.organization.version)

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, OrganizationSearch)
        found, total = await self._organizations.list(
            caller_of(request), search=query.search, offset=query.offset, limit=query.per_page
        )
        return listing([OrganizationAnswer.of(one) for one in found], query, total)

    async def get(self, request: web.Request) -> web.Response:
        found = await self._organizations.get(caller_of(request), request.match_info["org_id"])
        return tagged(success(OrganizationAnswer.of(found)), found.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, OrganizationPatch)
        changed = await self._organizations.change(
            caller_of(request),
            request.match_info["org_id"],
            if_version=expected_versions(request),
            **body.given(),
        )
        return tagged(success(OrganizationAnswer.of(changed)), changed.version)

    async def remove(self, request: web.Request) -> web.Response:
        removed = await self._removal.remove(
            caller_of(request),
            request.match_info["org_id"],
            force=parse_query(request, RemovalQuery).force,
            if_version=expected_versions(request),
        )
        return success(OrganizationAnswer.of(removed))

    async def remove_app(self, request: web.Request) -> web.Response:
        removed = await self._removal.remove_app(
            caller_of(request),
            request.match_info["org_id"],
            request.match_info["app_id"],
            force=parse_query(request, RemovalQuery).force,
            if_version=expected_versions(request),
        )
        return success(AppAnswer.of(removed))

    async def create_app(self, request: web.Request) -> web.Response:
        body = await parse_body(request, AppBody)
        once = await once_of(request, AppAnswer.of)
        try:
            app = await self._apps.create(
                caller_of(request), request.match_info["org_id"], body.name, once=once
            )
        except AnsweredBefore as before:
            return replayed(before)
        return success(AppAnswer.of(app), status=201)

    async def list_apps(self, request: web.Request) -> web.Response:
        page = parse_query(request, Page)
        found = await self._apps.list(caller_of(request), request.match_info["org_id"])
        shown_here = found[page.offset : page.offset + page.per_page]
        return listing([AppAnswer.of(one) for one in shown_here], page, len(found))
