"""`/v2/meetings`"""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from signaling.domain.meeting import Meeting, MeetingStatus, Region
from signaling.domain.meeting_config import AiConfig, RecordingConfig
from signaling.rest.access import organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import listing, success, to_text
from signaling.rest.paging import Search
from signaling.rest.parsing import Body, parse_body, parse_query
from signaling.services.idempotency import AnsweredBefore
from signaling.services.meetings import MeetingService


class MeetingBody(Body):
    """Of POST. A field that is left out takes its default."""

    title: Annotated[str, Field(max_length=512)] | None = None
    preferred_region: Region | None = None
    record_on_start: bool = False
    live_stream_on_start: bool = False
    persist_chat: bool = False
    summarize_on_end: bool = False
    session_keep_alive_time_in_secs: Annotated[int, Field(ge=0, le=3600)] = 60
    recording_config: RecordingConfig | None = None
    ai_config: AiConfig | None = None
    loudest_audio: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many of the loudest microphones are forwarded; 0: all, null: as the server is set."""


class MeetingPatch(MeetingBody):
    """Of PATCH. A field that is left out stays as it is; objects are replaced as a whole."""

    status: MeetingStatus = MeetingStatus.ACTIVE


class MeetingRoutes:
    def __init__(self, service: MeetingService) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/meetings", self.create),
            web.get("/v2/meetings", self.list),
            web.get("/v2/meetings/{meeting_id}", self.get),
            web.patch("/v2/meetings/{meeting_id}", self.change),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await parse_body(request, MeetingBody)
        once = await once_of(request, render_meeting)
        try:
            meeting = await self._service.create(organization_id_of(request), once=once, **body.given())
        except AnsweredBefore as before:
            return replayed(before)
        return tagged(success(render_meeting(meeting), status=201), meeting.version)

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, Search)
        meetings, total = await self._service.list(
            organization_id_of(request),
            search=query.search,
            start_time=query.since,
            end_time=query.until,
            offset=query.offset,
            limit=query.per_page,
        )
        return listing([render_meeting(meeting) for meeting in meetings], query, total)

    async def get(self, request: web.Request) -> web.Response:
        meeting = await self._service.get(organization_id_of(request), request.match_info["meeting_id"])
        return tagged(success(render_meeting(meeting)), meeting.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, MeetingPatch)
        meeting = await self._service.change(
            organization_id_of(request),
            request.match_info["meeting_id"],
            if_version=expected_versions(request),
            **body.given(),
        )
        return tagged(success(render_meeting(meeting)), meeting.version)


def render_meeting(meeting: Meeting) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": meeting.id,
        "title": meeting.title,
        "preferred_region": meeting.preferred_region,
        "created_at": to_text(meeting.created_at),
        "updated_at": to_text(meeting.updated_at),
        "record_on_start": meeting.record_on_start,
        "live_stream_on_start": meeting.live_stream_on_start,
        "persist_chat": meeting.persist_chat,
        "summarize_on_end": meeting.summarize_on_end,
        "session_keep_alive_time_in_secs": meeting.session_keep_alive_time_in_secs,
        "loudest_audio": meeting.loudest_audio,
        "status": meeting.status,
    }
    if meeting.recording_config:
        body["recording_config"] = meeting.recording_config.model_dump(mode="json")
    if meeting.ai_config:
        body["ai_config"] = meeting.ai_config.model_dump(mode="json")
    return body
