"""`/v2/presets`. The body is the preset itself, see `signaling.domain.preset`."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from signaling.domain.preset import PresetRecord, parse_preset
from signaling.rest.access import organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import listing, success, to_text
from signaling.rest.paging import Page
from signaling.rest.parsing import parse_object, parse_query
from signaling.services.idempotency import AnsweredBefore
from signaling.services.presets import PresetService


class PresetRoutes:
    def __init__(self, service: PresetService) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/presets", self.create),
            web.get("/v2/presets", self.list),
            web.get("/v2/presets/{preset_id}", self.get),
            web.patch("/v2/presets/{preset_id}", self.change),
            web.delete("/v2/presets/{preset_id}", self.remove),
        ]

    async def create(self, request: web.Request) -> web.Response:
        preset = parse_preset(await parse_object(request))
        once = await once_of(request, render_preset)
        try:
            record = await self._service.create(organization_id_of(request), preset, once=once)
        except AnsweredBefore as before:
            return replayed(before)
        return tagged(success(render_preset(record), status=201), record.version)

    async def list(self, request: web.Request) -> web.Response:
        page = parse_query(request, Page)
        records, total = await self._service.list(
            organization_id_of(request), offset=page.offset, limit=page.per_page
        )
        return listing([_summary(record) for record in records], page, total)

    async def get(self, request: web.Request) -> web.Response:
        record = await self._service.get(organization_id_of(request), request.match_info["preset_id"])
        return tagged(success(render_preset(record)), record.version)

    async def change(self, request: web.Request) -> web.Response:
        record = await self._service.change(
            organization_id_of(request),
            request.match_info["preset_id"],
            await parse_object(request),
            if_version=expected_versions(request),
        )
        return tagged(success(render_preset(record)), record.version)

    async def remove(self, request: web.Request) -> web.Response:
        record = await self._service.remove(
            organization_id_of(request),
            request.match_info["preset_id"],
            if_version=expected_versions(request),
        )
        return success(render_preset(record))


def render_preset(record: PresetRecord) -> dict[str, Any]:
    return {"id": record.id} | record.preset.to_dict() | _times(record)


def _summary(record: PresetRecord) -> dict[str, Any]:
    return {"id": record.id, "name": record.name} | _times(record)


def _times(record: PresetRecord) -> dict[str, Any]:
    return {"created_at": to_text(record.created_at), "updated_at": to_text(record.updated_at)}
