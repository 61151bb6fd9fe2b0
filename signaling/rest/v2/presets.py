"""`/v2/presets`. The body is the preset itself, see `signaling.domain.preset`."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.domain.caller import Scope
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.preset import (
    Permissions,
    Preset,
    PresetConfig,
    PresetName,
    PresetRecord,
    Ui,
    ViewType,
    parse_preset,
)
from signaling.errors import ConflictError, FeatureDisabledError
from signaling.rest.access import organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Page
from signaling.rest.parsing import Answer, parse_object, parse_query, shown
from signaling.services.idempotency import AnsweredBefore
from signaling.services.presets import PresetService

_IDS: Final = {
    "id": "9d0a6f0d-5b7c-410c-8b2c-1e5f1f4d5c11",
    "created_at": "2026-01-31T09:30:00.125Z",
    "updated_at": "2026-01-31T09:30:00.125Z",
}


class PresetBody(Preset):
    """What is left out takes its default; the defaults grant nothing."""

    model_config = shown(
        {
            "name": "interviewer",
            "config": {"view_type": "GROUP_CALL"},
            "permissions": {"kick_participant": True, "media": {"audio": {"can_produce": "ALLOWED"}}},
        }
    )


class PresetSummary(Answer):
    model_config = shown(_IDS | {"name": "group_call_host"})

    id: str
    name: str
    created_at: Timestamp
    updated_at: Timestamp


class PresetAnswer(Preset):
    """The preset itself, with its id and times."""

    model_config = shown(_IDS | DEFAULT_PRESETS[0].to_dict())

    id: str
    created_at: Timestamp
    updated_at: Timestamp
    permissions: Permissions
    ui: Ui

    @classmethod
    def of(cls, record: PresetRecord) -> PresetAnswer:
        preset = record.preset
        return cls.model_construct(
            **{name: getattr(preset, name) for name in type(preset).model_fields},
            id=record.id,
            created_at=record.created_at,
            updated_at=record.updated_at,
        )


class PresetQuery(Page):
    search: Annotated[str, Field(max_length=256)] | None = None
    """Part of a name, or an id."""


class PresetRemovalQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    force: bool = False
    """Also where it is in use: participants who have it cannot join then until they get another one."""


class PresetPatch(PresetBody):
    """Any part of a preset, of the same shape. It is laid over the present one, key by key."""

    model_config = shown({"permissions": {"can_record": True}})

    # Left out of the description, and never used: the service lays what was sent over what there is.
    name: PresetName = ""
    config: PresetConfig = PresetConfig(view_type=ViewType.GROUP_CALL)


PRESETS: Final = "/v2/presets"
PRESET: Final = PRESETS + "/{preset_id}"


class PresetRoutes:
    def __init__(self, service: PresetService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=PRESETS,
                handler=self.create,
                name="createPreset",
                summary="Create a preset",
                tag="Presets",
                access=Scope.PRESETS_WRITE,
                body=PresetBody,
                answer=PresetAnswer,
                status=201,
                errors=(ConflictError, FeatureDisabledError),
                tagged=True,
                once=True,
            ),
            Operation(
                method="GET",
                path=PRESETS,
                handler=self.list,
                name="listPresets",
                summary="List presets",
                tag="Presets",
                access=Scope.PRESETS_READ,
                query=PresetQuery,
                answer=PresetSummary,
                many=Many.PAGE,
            ),
            Operation(
                method="GET",
                path=PRESET,
                handler=self.get,
                name="getPreset",
                summary="Read a preset",
                tag="Presets",
                access=Scope.PRESETS_READ,
                answer=PresetAnswer,
                tagged=True,
            ),
            Operation(
                method="PATCH",
                path=PRESET,
                handler=self.change,
                name="changePreset",
                summary="Change a preset; it applies to those who are in at once",
                tag="Presets",
                access=Scope.PRESETS_WRITE,
                body=PresetPatch,
                answer=PresetAnswer,
                errors=(ConflictError, FeatureDisabledError),
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="PUT",
                path=PRESET,
                handler=self.replace,
                name="replacePreset",
                summary="Replace a preset; the new one applies to those who are in at once",
                tag="Presets",
                access=Scope.PRESETS_WRITE,
                body=PresetBody,
                answer=PresetAnswer,
                errors=(ConflictError, FeatureDisabledError),
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="DELETE",
                path=PRESET,
                handler=self.remove,
                name="removePreset",
                summary="Remove a preset that is not in use",
                tag="Presets",
                access=Scope.PRESETS_WRITE,
                query=PresetRemovalQuery,
                answer=PresetAnswer,
                errors=(ConflictError,),
                conditional=True,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        preset = parse_preset(await parse_object(request))
        once = await once_of(request, PresetAnswer.of)
        try:
            record = await self._service.create(organization_id_of(request), preset, once=once)
        except AnsweredBefore as before:
            return replayed(before)
        return tagged(success(PresetAnswer.of(record), status=201), record.version)

    async def list(self, request: web.Request) -> web.Response:
        page = parse_query(request, PresetQuery)
        records, total = await self._service.list(
            organization_id_of(request), search=page.search, offset=page.offset, limit=page.per_page
        )
        return listing([PresetSummary.reading(record, name=record.name) for record in records], page, total)

    async def get(self, request: web.Request) -> web.Response:
        record = await self._service.get(organization_id_of(request), request.match_info["preset_id"])
        return tagged(success(PresetAnswer.of(record)), record.version)

    async def change(self, request: web.Request) -> web.Response:
        record = await self._service.change(
            organization_id_of(request),
            request.match_info["preset_id"],
            await parse_object(request),
            if_version=expected_versions(request),
        )
        return tagged(success(PresetAnswer.of(record)), record.version)

    async def replace(self, request: web.Request) -> web.Response:
        record = await self._service.replace(
            organization_id_of(request),
            request.match_info["preset_id"],
            parse_preset(await parse_object(request)),
            if_version=expected_versions(request),
        )
        return tagged(success(PresetAnswer.of(record)), record.version)

    async def remove(self, request: web.Request) -> web.Response:
        record = await self._service.remove(
            organization_id_of(request),
            request.match_info["preset_id"],
            force=parse_query(request, PresetRemovalQuery).force,
            if_version=expected_versions(request),
        )
        return success(PresetAnswer.of(record))
