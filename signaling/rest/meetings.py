"""`/v2/meetings`"""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from signaling.domain.configuration import (
    MAX_DURATION,
    MAX_KEEP_ALIVE,
    MAX_PARTICIPANTS,
    MIN_DURATION,
    Configuration,
    Name,
)
from signaling.domain.join_policy import ListPolicy
from signaling.domain.meeting import MAX_WEBHOOK_TIMEOUT, Meeting, MeetingStatus, Region
from signaling.domain.meeting_config import AiConfig, HttpUrl, RecordingConfig
from signaling.rest.access import organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import listing, success, to_text
from signaling.rest.paging import Search
from signaling.rest.parsing import Body, parse_body, parse_query
from signaling.services.idempotency import AnsweredBefore
from signaling.services.meetings import MeetingService

CONFIGURATION = tuple(Configuration.model_fields)
"""What a meeting shows of it; null where it says nothing, so that what is above it applies."""


class MeetingBody(Body):
    """Of POST. A field that is left out takes its default."""

    title: Annotated[str, Field(max_length=512)] | None = None
    preferred_region: Region | None = None
    unique_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    list_policy: ListPolicy = ListPolicy.SHARED
    webhook_event_url: HttpUrl | None = None
    webhook_event_failover_url: HttpUrl | None = None
    webhook_timeout_secs: Annotated[int, Field(ge=0, le=MAX_WEBHOOK_TIMEOUT)] | None = None
    max_participants: Annotated[int, Field(ge=1, le=MAX_PARTICIPANTS)] | None = None
    max_duration_secs: Annotated[int, Field(ge=MIN_DURATION, le=MAX_DURATION)] | None = None
    session_keep_alive_time_in_secs: Annotated[int, Field(ge=0, le=MAX_KEEP_ALIVE)] | None = None
    loudest_audio: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many of the loudest microphones are forwarded; 0: all."""
    profile: Name | None = None
    skin: Name | None = None
    record_on_start: bool | None = None
    live_stream_on_start: bool | None = None
    persist_chat: bool | None = None
    transcribe_on_end: bool | None = None
    summarize_on_end: bool | None = None
    recording_config: RecordingConfig | None = None
    ai_config: AiConfig | None = None


class MeetingPatch(MeetingBody):
    """Of PATCH. A field that is left out stays as it is; objects are merged key by key."""

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
    return {
        "id": meeting.id,
        "title": meeting.title,
        "preferred_region": meeting.preferred_region,
        "created_at": to_text(meeting.created_at),
        "updated_at": to_text(meeting.updated_at),
        "status": meeting.status,
        "unit_id": meeting.unit_id,
        "unique_name": meeting.unique_name,
        "short": meeting.short,
        "list_policy": meeting.list_policy,
        "webhook_event_url": meeting.webhook_event_url,
        "webhook_event_failover_url": meeting.webhook_event_failover_url,
        "webhook_timeout_secs": meeting.webhook_timeout_secs,
        **dict.fromkeys(CONFIGURATION),
        **meeting.configuration.to_values(),
    }
