"""How `/v2/sessions` shows who was in a session: a peer, its events, and the report about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import JsonValue

from signaling.domain.attendance import Attendance, PeerEventKind
from signaling.domain.listed import LeaveReasonText
from signaling.domain.peer import Device
from signaling.domain.peer_report import PeerReport
from signaling.domain.preset import ViewType
from signaling.domain.user_agent import read_user_agent
from signaling.rest.envelope import Timestamp
from signaling.rest.parsing import ABSENT_IF_NONE, Answer, shown
from signaling.rest.v2.peer_quality import (
    CandidatePairs,
    Quality,
    QualityStats,
    candidate_pairs_of,
    quality_of,
    quality_stats_of,
)
from signaling.rest.v2.reported_devices import (
    DevicesUpdate,
    SelectedDeviceUpdate,
    devices_updates_of,
    selected_device_updates_of,
)
from signaling.services.sessions import AttendanceView

_TIME: Final = "2026-01-31T09:30:00.125Z"
_PEER: Final = "peer_01k9zt1v5h8w2c4m6n0q3r7s9a"
_SESSION: Final = "1e5f1f4d-5c11-49d0-8a6f-0d5b7c110c0b"
_PARTICIPANT: Final = "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d"
PERSON: Final = {
    "id": _PEER,
    "user_id": _PARTICIPANT,
    "custom_participant_id": "user-17",
    "session_id": _SESSION,
    "display_name": "Ada Lovelace",
    "preset_name": "group_call_host",
    "role": "group_call_host",
    "joined_at": _TIME,
    "left_at": "2026-01-31T09:50:00.125Z",
    "leave_reason": "left",
    "duration": 20.0,
    "context": None,
    "counted": True,
    "created_at": _TIME,
    "updated_at": "2026-01-31T09:50:00.125Z",
}
PeerEventName = Literal["PEER_CREATED", "PEER_JOINING", "PEER_LEAVING"]


class PeerEventAnswer(Answer):
    id: str
    event_name: PeerEventName
    peer_id: str
    participant_id: str
    session_id: str
    socket_session_id: str | None
    """Of the WebSocket over which the peer was there. Null of who came over HTTP, and of old."""
    preset_view_type: ViewType | None
    minutes_consumed: float
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def all_of(cls, view: AttendanceView) -> list[PeerEventAnswer]:
        one = view.attendance
        events: list[tuple[PeerEventName, datetime, float, str | None]] = [
            ("PEER_CREATED", one.created_at, 0.0, one.socket_id),
            ("PEER_JOINING", one.joined_at, 0.0, one.socket_id),
        ]
        if one.left_at is not None:
            events.append(("PEER_LEAVING", one.left_at, rounded(view.minutes), one.last_socket_id))
        return [
            cls(
                id=f"{one.peer_id}:{name}",
                event_name=name,
                peer_id=one.peer_id,
                participant_id=one.participant_id,
                session_id=one.session_id,
                socket_session_id=socket_id,
                preset_view_type=one.view_type,
                minutes_consumed=minutes,
                created_at=at,
                updated_at=at,
            )
            for name, at, minutes, socket_id in events
        ]


class PersonAnswer(Answer):
    """One time that somebody was in a session; times are in minutes."""

    model_config = shown(PERSON)

    id: str
    """Of the peer."""
    user_id: str
    """Of the participant."""
    custom_participant_id: str | None
    session_id: str
    display_name: str
    preset_name: str
    role: str
    """The same."""
    joined_at: Timestamp
    left_at: Timestamp | None
    leave_reason: LeaveReasonText | None
    duration: float
    context: str | None
    counted: bool
    """False for hidden participants and recorders, whose time is not consumed."""
    created_at: Timestamp
    """When its socket was opened: long before it joined, where it had to wait to be admitted."""
    updated_at: Timestamp
    peer_events: Annotated[list[PeerEventAnswer] | None, ABSENT_IF_NONE] = None

    @classmethod
    def of(cls, view: AttendanceView, *, events: bool) -> PersonAnswer:
        return cls(**person_values(view), peer_events=PeerEventAnswer.all_of(view) if events else None)


class DeviceInfo(Answer):
    is_mobile: bool | None
    device: Device | None
    user_agent: str | None
    os: str | None
    os_version: str | None
    cpus: int | None
    """Cores, as the browser says."""
    memory: float | None
    """In GiB, as the browser says: rounded, and never more than the most that it tells of any."""


class IpInformation(Answer):
    """Of IPv6 the subnet of 64 bits. Where in the world that is, nobody is asked."""

    ipv4: str | None
    address: str | None
    city: str | None
    country: str | None
    region: str | None
    timezone: str | None
    org: str | None
    asn: str | None


class ReportedEvent(Answer):
    name: Literal["joined", "left"] | PeerEventKind
    timestamp: Timestamp
    metadata: dict[str, JsonValue]


class PeerStats(Answer):
    """Those parts that `filters` asks for, all without it."""

    device_info: Annotated[DeviceInfo | None, ABSENT_IF_NONE] = None
    ip_information: Annotated[IpInformation | None, ABSENT_IF_NONE] = None
    events: Annotated[list[ReportedEvent] | None, ABSENT_IF_NONE] = None
    precall_network_information: None = None


class BrowserMetadata(Answer):
    user_agent: str | None
    browser: str | None
    browser_version: str | None
    engine: str | None
    webgl_support: bool | None


class ReportMetadata(Answer):
    """What is null or empty is not told by clients."""

    events: list[ReportedEvent]
    device_info: DeviceInfo
    browser_metadata: BrowserMetadata
    ip_information: IpInformation
    sdk_name: str | None
    sdk_version: str | None
    sdk_type: None = None
    room_view_type: ViewType | None
    candidate_pairs: CandidatePairs | None = None
    """Null where nothing was measured."""
    native_metadata: None = None
    pc_metadata: tuple[JsonValue, ...] = ()
    audio_devices_updates: tuple[DevicesUpdate, ...] = ()
    video_devices_updates: tuple[DevicesUpdate, ...] = ()
    speaker_devices_updates: tuple[DevicesUpdate, ...] = ()
    selected_device_updates: tuple[SelectedDeviceUpdate, ...] = ()


class PeerReportAnswer(Answer):
    metadata: ReportMetadata
    quality: Quality


class ReportedPerson(PersonAnswer):
    model_config = shown(PERSON | {"peer_stats": {}, "quality_stats": []})

    peer_stats: PeerStats
    quality_stats: tuple[QualityStats, ...] = ()
    peer_report: Annotated[PeerReportAnswer | None, ABSENT_IF_NONE] = None


Part = Literal["device_info", "ip_information", "precall_network_information", "events", "quality_stats"]


def reported(
    view: AttendanceView, measured: PeerReport, part: Part | None, *, events: bool, whole: bool
) -> ReportedPerson:
    one = view.attendance
    return ReportedPerson(
        **person_values(view),
        peer_events=PeerEventAnswer.all_of(view) if events else None,
        peer_stats=PeerStats(
            device_info=_device(one) if part in (None, "device_info") else None,
            ip_information=_address(one) if part in (None, "ip_information") else None,
            events=_events(one) if part in (None, "events") else None,
        ),
        quality_stats=quality_stats_of(one.peer_id, measured) if part in (None, "quality_stats") else (),
        peer_report=_report(one, measured) if whole else None,
    )


def person_values(view: AttendanceView) -> dict[str, Any]:
    one = view.attendance
    return {
        "id": one.peer_id,
        "user_id": one.participant_id,
        "custom_participant_id": one.custom_participant_id,
        "session_id": one.session_id,
        "display_name": one.name,
        "preset_name": one.preset_name,
        "role": one.preset_name,
        "joined_at": one.joined_at,
        "left_at": one.left_at,
        "leave_reason": _leave_reason(one),
        "duration": rounded(view.minutes),
        "context": one.context,
        "counted": one.counted,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }


def _leave_reason(one: Attendance) -> str | None:
    return None if one.leave_reason is None else one.leave_reason.lower()


def rounded(minutes: float) -> float:
    """To a tenth of a second or so."""
    return round(minutes, 3)


def _report(one: Attendance, measured: PeerReport) -> PeerReportAnswer:
    return PeerReportAnswer(metadata=_metadata(one, measured), quality=quality_of(measured))


def _metadata(one: Attendance, measured: PeerReport) -> ReportMetadata:
    name, _, version = (one.sdk or "").partition("/")
    agent = read_user_agent(one.user_agent)
    return ReportMetadata(
        events=_events(one),
        device_info=_device(one),
        browser_metadata=BrowserMetadata(
            user_agent=one.user_agent,
            browser=agent.browser,
            browser_version=agent.browser_version,
            engine=agent.engine,
            webgl_support=None,
        ),
        ip_information=_address(one),
        sdk_name=name or None,
        sdk_version=version or None,
        room_view_type=one.view_type,
        candidate_pairs=candidate_pairs_of(measured),
        audio_devices_updates=devices_updates_of(measured, "audioinput"),
        video_devices_updates=devices_updates_of(measured, "videoinput"),
        speaker_devices_updates=devices_updates_of(measured, "audiooutput"),
        selected_device_updates=selected_device_updates_of(measured),
    )


def _device(one: Attendance) -> DeviceInfo:
    agent = read_user_agent(one.user_agent)
    return DeviceInfo(
        is_mobile=None if one.device is None else one.device == "mobile",
        device=one.device,
        user_agent=one.user_agent,
        os=agent.os,
        os_version=agent.os_version,
        cpus=one.cores,
        memory=one.memory,
    )


def _address(one: Attendance) -> IpInformation:
    unknown = dict.fromkeys(("city", "country", "region", "timezone", "org", "asn"))
    v4 = one.address if one.address is not None and ":" not in one.address else None
    return IpInformation(ipv4=v4, address=one.address, **unknown)


def _events(one: Attendance) -> list[ReportedEvent]:
    events: list[tuple[Literal["joined"] | PeerEventKind, datetime, str | None]] = [
        ("joined", one.joined_at, one.socket_id),
        *((event.kind, event.at, event.socket_id) for event in one.events),
    ]
    told = [
        ReportedEvent(
            name=name, timestamp=at, metadata={} if socket_id is None else {"socket_session_id": socket_id}
        )
        for name, at, socket_id in events
    ]
    if one.left_at is not None:
        why: dict[str, JsonValue] = {"reason": _leave_reason(one)}
        told.append(ReportedEvent(name="left", timestamp=one.left_at, metadata=why))
    return told
