"""`/v2/orgs/{org_id}/units`, and the tree of them."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from signaling.domain.caller import Scope
from signaling.domain.unit import Unit, UnitNode
from signaling.errors import ConflictError, FeatureDisabledError, LimitExceededError, PlanLimitError
from signaling.rest.access import caller_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Page
from signaling.rest.parsing import Answer, Body, parse_body, parse_query, shown
from signaling.rest.v2.organizations import ORGANIZATION, Link
from signaling.services.idempotency import AnsweredBefore
from signaling.services.units import UnitService

Name = Annotated[str, Field(min_length=1, max_length=255)]
_ID: Final = "1e5f1f4d-5c11-4d0a-8f0d-5b7c410c8b2c"
_UNIT: Final = {
    "id": "2c1e5f1f-4d5c-4d0a-8f0d-5a5b7c110c0b",
    "organization_id": "8f1f4d5c-9d0a-4f0d-8a5b-7c110c0b2c1e",
    "parent_id": _ID,
    "path": [_ID, "2c1e5f1f-4d5c-4d0a-8f0d-5a5b7c110c0b"],
    "name": "Cardiology",
    "description": "Outpatients, north",
    "logo_url": None,
    "admin": "ada@example.org",
    "created_at": "2026-01-31T09:30:00.125Z",
    "updated_at": "2026-01-31T09:30:00.125Z",
}


class UnitBody(Body):
    """Of POST."""

    model_config = shown({"name": "Cardiology", "description": "Outpatients, north"})

    name: Name
    description: Annotated[str, Field(max_length=2048)] | None = None
    logo_url: Link | None = None
    admin: Annotated[str, Field(max_length=320)] | None = None
    """Whom to ask, for people to read; who may administer it is said by memberships."""
    parent_id: Annotated[str, Field(max_length=64)] | None = None
    """Without one: at the top."""


class UnitPatch(UnitBody):
    """Of PATCH. A field that is left out stays as it is; with another `parent_id` the unit moves, and all
    below it with it."""

    model_config = shown({"description": "Inpatients"})

    name: Name = ""


class UnitAnswer(Answer):
    model_config = shown(_UNIT)

    id: str
    organization_id: str
    parent_id: str | None
    path: tuple[str, ...]
    """Ids from the top to the unit itself."""
    name: str
    description: str | None
    logo_url: str | None
    admin: str | None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, unit: Unit) -> UnitAnswer:
        return cls.reading(unit)


class UnitNodeAnswer(UnitAnswer):
    """A unit, with those below it."""

    model_config = shown(_UNIT | {"children": []})

    children: tuple[UnitNodeAnswer, ...]

    @classmethod
    def of_node(cls, node: UnitNode) -> UnitNodeAnswer:
        return cls.reading(node.unit, children=tuple(cls.of_node(child) for child in node.children))


class UnitTreeAnswer(Answer):
    model_config = shown({"units": [_UNIT | {"children": []}]})

    units: tuple[UnitNodeAnswer, ...]
    """At the top of what may be seen."""


class UnitSearch(Page):
    parent_id: Annotated[str, Field(max_length=64)] | None = None
    """Those right below that one."""
    search: Annotated[str, Field(max_length=256)] | None = None
    """Part of a name."""


UNITS: Final = ORGANIZATION + "/units"
UNIT: Final = UNITS + "/{unit_id}"


class UnitRoutes:
    def __init__(self, service: UnitService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=UNITS,
                handler=self.create,
                name="createUnit",
                summary="Create a unit",
                tag="Units",
                access=Scope.UNITS_WRITE,
                body=UnitBody,
                answer=UnitAnswer,
                status=201,
                errors=(LimitExceededError, FeatureDisabledError, PlanLimitError),
                tagged=True,
                once=True,
            ),
            Operation(
                method="GET",
                path=UNITS,
                handler=self.list,
                name="listUnits",
                summary="List units by name",
                tag="Units",
                access=Scope.UNITS_READ,
                query=UnitSearch,
                answer=UnitAnswer,
                many=Many.PAGE,
            ),
            Operation(
                method="GET",
                path=ORGANIZATION + "/unit-tree",
                handler=self.tree,
                name="getUnitTree",
                summary="Read all units as a tree",
                tag="Units",
                access=Scope.UNITS_READ,
                answer=UnitTreeAnswer,
            ),
            Operation(
                method="GET",
                path=UNIT,
                handler=self.get,
                name="getUnit",
                summary="Read a unit",
                tag="Units",
                access=Scope.UNITS_READ,
                answer=UnitAnswer,
                tagged=True,
            ),
            Operation(
                method="PATCH",
                path=UNIT,
                handler=self.change,
                name="changeUnit",
                summary="Change a unit, or move it",
                tag="Units",
                access=Scope.UNITS_WRITE,
                body=UnitPatch,
                answer=UnitAnswer,
                errors=(ConflictError, LimitExceededError),
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="DELETE",
                path=UNIT,
                handler=self.remove,
                name="removeUnit",
                summary="Remove a unit to which neither meetings nor other units belong",
                tag="Units",
                access=Scope.UNITS_WRITE,
                answer=UnitAnswer,
                errors=(ConflictError,),
                conditional=True,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await parse_body(request, UnitBody)
        once = await once_of(request, UnitAnswer.of)
        try:
            unit = await self._service.create(
                caller_of(request), request.match_info["org_id"], once=once, **body.given()
            )
        except AnsweredBefore as before:
            return replayed(before)
        return tagged(success(UnitAnswer.of(unit), status=201), unit.version)

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, UnitSearch)
        found, total = await self._service.list(
            caller_of(request),
            request.match_info["org_id"],
            parent_id=query.parent_id,
            search=query.search,
            offset=query.offset,
            limit=query.per_page,
        )
        return listing([UnitAnswer.of(one) for one in found], query, total)

    async def tree(self, request: web.Request) -> web.Response:
        nodes = await self._service.tree(caller_of(request), request.match_info["org_id"])
        return success(UnitTreeAnswer.model_construct(units=tuple(map(UnitNodeAnswer.of_node, nodes))))

    async def get(self, request: web.Request) -> web.Response:
        unit = await self._service.get(caller_of(request), *_ids(request))
        return tagged(success(UnitAnswer.of(unit)), unit.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, UnitPatch)
        unit = await self._service.change(
            caller_of(request), *_ids(request), if_version=expected_versions(request), **body.given()
        )
        return tagged(success(UnitAnswer.of(unit)), unit.version)

    async def remove(self, request: web.Request) -> web.Response:
        unit = await self._service.remove(
            caller_of(request), *_ids(request), if_version=expected_versions(request)
        )
        return success(UnitAnswer.of(unit))


def _ids(request: web.Request) -> tuple[str, str]:
    return request.match_info["org_id"], request.match_info["unit_id"]
