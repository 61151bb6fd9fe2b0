"""`/v2/meetings`"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import Field, JsonValue

from signaling.domain.caller import Scope
from signaling.domain.configuration import (
    MAX_DURATION,
    MAX_KEEP_ALIVE,
    MAX_PARTICIPANTS,
    MIN_DURATION,
    Configuration,
    Name,
    UnitIds,
)
from signaling.domain.join_policy import ListPolicy, Policy
from signaling.domain.listing import MeetingFilter, Page
from signaling.domain.meeting import MAX_WEBHOOK_TIMEOUT, Meeting, MeetingStatus
from signaling.domain.meeting_config import SYNONYMS, AiConfig, Bucket, HttpUrl, RecordingConfig, RtmpOut
from signaling.domain.region import Region
from signaling.errors import (
    ConfigurationLockedError,
    ConflictError,
    FeatureDisabledError,
    MeetingInactiveError,
    PlanLimitError,
)
from signaling.rest.access import caller_of, meeting_path_of, organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.described_as import DescribedAs
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Search
from signaling.rest.parsing import Answer, Body, parse_body, parse_query, shown
from signaling.rest.v2.active_session import SessionAnswer
from signaling.services.idempotency import AnsweredBefore
from signaling.services.meetings import MeetingService

Password = Annotated[str, Field(min_length=1, max_length=128)]
CONFIGURATION = tuple(name for name in Configuration.model_fields if name not in ("profiles", "skins"))
"""What a meeting says and shows of it; null where it says nothing, so that what is above it applies."""


class MeetingBody(Body):
    """Of POST. A field that is left out takes its default."""

    model_config = shown({"title": "Weekly", "max_participants": 50, "session_keep_alive_time_in_secs": 120})

    title: Annotated[str, Field(max_length=512)] | None = None
    preferred_region: Region | None = None
    unit_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    unique_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    list_policy: ListPolicy = ListPolicy.SHARED
    join_password: Password | None = None
    """Kept as a hash and shown to nobody; what it is good for is said by `join_policy`."""
    webhook_event_url: HttpUrl | None = None
    webhook_event_failover_url: HttpUrl | None = None
    webhook_timeout_secs: Annotated[int, Field(ge=0, le=MAX_WEBHOOK_TIMEOUT)] | None = None
    max_participants: Annotated[int, Field(ge=1, le=MAX_PARTICIPANTS)] | None = None
    max_duration_secs: Annotated[int, Field(ge=MIN_DURATION, le=MAX_DURATION)] | None = None
    session_keep_alive_time_in_secs: Annotated[int, Field(ge=0, le=MAX_KEEP_ALIVE)] | None = None
    loudest_audio: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many of the loudest microphones are forwarded; 0: all."""
    lobby_enabled: bool | None = None
    open_policy: Policy | None = None
    """Who may begin a session."""
    allow_open_units: UnitIds | None = None
    """For ORGUNIT; empty: the meeting's own unit."""
    join_policy: Policy | None = None
    allow_join_units: UnitIds | None = None
    default_guest_preset: Name | None = None
    default_member_preset: Name | None = None
    profile: Name | None = None
    """One of the `profiles` that the levels above define: the features that its sessions have."""
    skin: Name | None = None
    """One of the `skins` that the levels above define: how its sessions look."""
    record_on_start: bool | None = None
    live_stream_on_start: bool | None = None
    persist_chat: bool | None = None
    transcribe_on_end: bool | None = None
    summarize_on_end: bool | None = None
    recording_config: RecordingConfig | None = None
    ai_config: AiConfig | None = None


class MeetingSearch(Search):
    status: MeetingStatus | None = None
    unit_id: Annotated[str, Field(max_length=64)] | None = None
    unique_name: Annotated[str, Field(max_length=255)] | None = None


class MeetingReplacement(MeetingBody):
    """Of PUT. A field that is left out takes its default."""

    status: MeetingStatus = MeetingStatus.ACTIVE


class MeetingPatch(MeetingReplacement):
    """Of PATCH. A field that is left out stays as it is; objects are merged key by key, and null takes back
    what was said."""

    model_config = shown({"status": "INACTIVE"})


class OpenBody(Body):
    """Of opening: what is said for this session alone."""

    model_config = shown({"configuration": {"max_participants": 12}})

    configuration: Annotated[dict[str, JsonValue], DescribedAs(Configuration)] = Field(default_factory=dict)


class ClosedAnswer(Answer):
    model_config = shown({"action": "close", "kicked_participants_count": 3})

    action: Literal["close"] = "close"
    kicked_participants_count: int


class RecordingConfigAnswer(RecordingConfig):
    live_streaming_config: RtmpOut | None = None
    """The same as `rtmp_out_config`."""
    realtimekit_bucket_config: Bucket | None = None
    """The same as `bucket_config`."""
    dyte_bucket_config: Bucket | None = None
    """The same as `bucket_config`."""


class MeetingAnswer(Answer):
    model_config = shown(
        {
            "id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
            "title": "Weekly",
            "preferred_region": None,
            "created_at": "2026-01-31T09:30:00.125Z",
            "updated_at": "2026-01-31T09:30:00.125Z",
            "status": "ACTIVE",
            "unit_id": None,
            "unique_name": "weekly",
            "short": "kqm3t8wz",
            "list_policy": "SHARED",
            "has_join_password": False,
            "webhook_event_url": None,
            "webhook_event_failover_url": None,
            "webhook_timeout_secs": None,
            **dict.fromkeys(CONFIGURATION),
            "max_participants": 50,
        }
    )

    id: str
    title: str | None
    preferred_region: Region | None
    created_at: Timestamp
    updated_at: Timestamp
    status: MeetingStatus
    unit_id: str | None
    unique_name: str | None
    short: str | None
    list_policy: ListPolicy
    has_join_password: bool
    webhook_event_url: str | None
    webhook_event_failover_url: str | None
    webhook_timeout_secs: int | None
    max_participants: int | None
    max_duration_secs: int | None
    session_keep_alive_time_in_secs: int | None
    loudest_audio: int | None
    lobby_enabled: bool | None
    open_policy: Policy | None
    allow_open_units: list[str] | None
    join_policy: Policy | None
    allow_join_units: list[str] | None
    default_guest_preset: str | None
    default_member_preset: str | None
    profile: str | None
    skin: str | None
    persist_chat: bool | None
    record_on_start: bool | None
    live_stream_on_start: bool | None
    transcribe_on_end: bool | None
    summarize_on_end: bool | None
    recording_config: Annotated[dict[str, JsonValue], DescribedAs(RecordingConfigAnswer)] | None
    """What it says of it; as in the body of POST, and what has several names by each of them."""
    ai_config: Annotated[dict[str, JsonValue], DescribedAs(AiConfig)] | None

    @classmethod
    def of(cls, meeting: Meeting) -> MeetingAnswer:
        said = dict.fromkeys(CONFIGURATION) | meeting.configuration.to_values()
        if said["recording_config"] is not None:
            said["recording_config"] = _by_every_name(said["recording_config"])
        return cls.reading(meeting, has_join_password=meeting.join_password_hash is not None, **said)


def _by_every_name(recording: dict[str, Any]) -> dict[str, Any]:
    return recording | {also: recording[name] for also, name in SYNONYMS.items() if name in recording}


MEETINGS: Final = "/v2/meetings"
MEETING: Final = MEETINGS + "/{meeting_id}"


class MeetingRoutes:
    def __init__(self, service: MeetingService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=MEETINGS,
                handler=self.create,
                name="createMeeting",
                errors=(ConflictError, ConfigurationLockedError, FeatureDisabledError),
                summary="Create a meeting",
                tag="Meetings",
                access=Scope.MEETINGS_WRITE,
                within_unit=True,
                body=MeetingBody,
                body_required=False,
                answer=MeetingAnswer,
                status=201,
                tagged=True,
                once=True,
            ),
            Operation(
                method="GET",
                path=MEETINGS,
                handler=self.list,
                name="listMeetings",
                summary="List meetings, newest first",
                tag="Meetings",
                access=Scope.MEETINGS_READ,
                within_unit=True,
                query=MeetingSearch,
                answer=MeetingAnswer,
                many=Many.PAGE,
            ),
            Operation(
                method="GET",
                path=MEETING,
                handler=self.get,
                name="getMeeting",
                summary="Read a meeting, by its id, its unique name or its short id",
                tag="Meetings",
                access=Scope.MEETINGS_READ,
                answer=MeetingAnswer,
                tagged=True,
            ),
            Operation(
                method="PATCH",
                path=MEETING,
                handler=self.change,
                name="changeMeeting",
                errors=(ConflictError, ConfigurationLockedError, FeatureDisabledError),
                summary="Change a meeting",
                tag="Meetings",
                access=Scope.MEETINGS_WRITE,
                body=MeetingPatch,
                answer=MeetingAnswer,
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="PUT",
                path=MEETING,
                handler=self.replace,
                name="replaceMeeting",
                errors=(ConflictError, ConfigurationLockedError, FeatureDisabledError),
                summary="Replace what a meeting says",
                tag="Meetings",
                access=Scope.MEETINGS_WRITE,
                body=MeetingReplacement,
                answer=MeetingAnswer,
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="DELETE",
                path=MEETING,
                handler=self.remove,
                name="deleteMeeting",
                summary="Delete a meeting: everybody is put out, and the tokens of its participants are void",
                tag="Meetings",
                access=Scope.MEETINGS_WRITE,
                answer=MeetingAnswer,
                conditional=True,
            ),
            Operation(
                method="POST",
                path=MEETING + "/open",
                handler=self.open,
                name="openMeeting",
                summary="Begin a session of a meeting, or find the one that runs",
                tag="Meetings",
                access=Scope.SESSIONS_WRITE,
                body=OpenBody,
                body_required=False,
                answer=SessionAnswer,
                errors=(
                    MeetingInactiveError,
                    ConfigurationLockedError,
                    ConflictError,
                    FeatureDisabledError,
                    PlanLimitError,
                ),
            ),
            Operation(
                method="POST",
                path=MEETING + "/close",
                handler=self.close,
                name="closeMeeting",
                summary="End the session of a meeting for all, if there is one",
                tag="Meetings",
                access=Scope.SESSIONS_WRITE,
                answer=ClosedAnswer,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await parse_body(request, MeetingBody)
        once = await once_of(request, MeetingAnswer.of)
        try:
            meeting = await self._service.create(
                organization_id_of(request), caller=caller_of(request), once=once, **body.given()
            )
        except AnsweredBefore as before:
            return replayed(before)
        return tagged(success(MeetingAnswer.of(meeting), status=201), meeting.version)

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, MeetingSearch)
        meetings, total = await self._service.list(
            organization_id_of(request),
            MeetingFilter(
                search=query.search,
                status=query.status,
                unit_id=query.unit_id,
                unique_name=query.unique_name,
                start_time=query.since,
                end_time=query.until,
            ),
            Page(query.offset, query.per_page),
            caller=caller_of(request),
        )
        return listing([MeetingAnswer.of(meeting) for meeting in meetings], query, total)

    async def get(self, request: web.Request) -> web.Response:
        meeting = await self._service.find(*meeting_path_of(request), caller=caller_of(request))
        return tagged(success(MeetingAnswer.of(meeting)), meeting.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, MeetingPatch)
        meeting = await self._service.change(
            *meeting_path_of(request),
            caller=caller_of(request),
            if_version=expected_versions(request),
            **body.given(),
        )
        return tagged(success(MeetingAnswer.of(meeting)), meeting.version)

    async def replace(self, request: web.Request) -> web.Response:
        body = await parse_body(request, MeetingReplacement)
        meeting = await self._service.replace(
            *meeting_path_of(request),
            caller=caller_of(request),
            if_version=expected_versions(request),
            **body.given(),
        )
        return tagged(success(MeetingAnswer.of(meeting)), meeting.version)

    async def remove(self, request: web.Request) -> web.Response:
        meeting = await self._service.remove(*meeting_path_of(request), if_version=expected_versions(request))
        return success(MeetingAnswer.of(meeting))

    async def open(self, request: web.Request) -> web.Response:
        body = await parse_body(request, OpenBody)
        return success(
            SessionAnswer.of(await self._service.open(*meeting_path_of(request), body.configuration))
        )

    async def close(self, request: web.Request) -> web.Response:
        return success(
            ClosedAnswer(kicked_participants_count=await self._service.close(*meeting_path_of(request)))
        )
