"""Records to store, with only what a test cares about spelled out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from signaling.domain.attendance import Attendance
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.meeting import Meeting
from signaling.domain.organization import ApiKey, Organization
from signaling.domain.participant import Participant
from signaling.domain.preset import Preset, PresetRecord
from signaling.domain.session import SessionRecord, SessionStatus
from signaling.domain.unit import Unit, path_below
from signaling.domain.user import Membership, User
from signaling.domain.webhook import EventName, Webhook, subscriber_of
from signaling.domain.webhook_delivery import Delivery
from signaling.domain.webhook_events import Occurrence, Setting, delivery
from signaling.domain.webhook_sessions import ParticipantOccurrence, SessionOccurrence
from signaling.ids import new_uuid

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def organization(name: str = "Acme") -> Organization:
    return Organization(new_uuid(), name, NOON, NOON)


def api_key(of: Organization, key_hash: str = "00" * 32) -> ApiKey:
    return ApiKey(new_uuid(), of.id, key_hash, NOON)


def unit(of: Organization, name: str = "Sales", below: Unit | None = None) -> Unit:
    unit_id = new_uuid()
    return Unit(unit_id, of.id, path_below(below, unit_id), name, NOON, NOON)


def user(email: str = "ada@example.org") -> User:
    return User(new_uuid(), email, email.partition("@")[0].title(), NOON, NOON)


def membership(
    who: User, of: Organization | None, role: str = "organization_admin", unit: Unit | None = None
) -> Membership:
    organization_id, unit_id = of.id if of else None, unit.id if unit else None
    return Membership(new_uuid(), who.id, organization_id, role, NOON, NOON, unit_id)


def meeting(of: Organization, title: str | None = "Weekly", seconds: float = 0) -> Meeting:
    return Meeting(new_uuid(), of.id, title, at(seconds), at(seconds))


def participant(of: Meeting, preset_name: str = "group_call_host", seconds: float = 0) -> Participant:
    return Participant(
        id=new_uuid(),
        organization_id=of.organization_id,
        meeting_id=of.id,
        name="Ada",
        custom_participant_id="ada-1",
        preset_name=preset_name,
        picture=None,
        created_at=at(seconds),
        updated_at=at(seconds),
    )


def preset(of: Organization, value: Preset = DEFAULT_PRESETS[0], seconds: float = 0) -> PresetRecord:
    return PresetRecord(new_uuid(), of.id, value, at(seconds), at(seconds))


def session(of: Meeting, seconds: float = 0) -> SessionRecord:
    return SessionRecord(
        id=new_uuid(),
        meeting_id=of.id,
        organization_id=of.organization_id,
        status=SessionStatus.LIVE,
        created_at=at(seconds),
        updated_at=at(seconds),
        started_at=at(seconds),
        meeting_title=of.title,
        unit_id=of.unit_id,
    )


def attendance(
    of: SessionRecord, peer_id: str = "peer_1", participant_id: str = "pt_1", seconds: float = 1
) -> Attendance:
    return Attendance(
        peer_id=peer_id,
        session_id=of.id,
        organization_id=of.organization_id,
        meeting_id=of.meeting_id,
        participant_id=participant_id,
        custom_participant_id="ada-1",
        name="Ada",
        preset_name="group_call_host",
        joined_at=at(seconds),
        updated_at=at(seconds),
    )


def webhook(
    of: Organization, *events: EventName, url: str = "https://acme.example/hook", seconds: float = 0
) -> Webhook:
    wanted = events or tuple(EventName)
    return Webhook(new_uuid(), of.id, "ours", url, wanted, at(seconds), at(seconds))


def occurrences(of: SessionRecord, *, peers: int = 1) -> list[Occurrence]:
    """A session as webhooks hear of it: it starts, so many join and leave, it ends."""
    ended = replace(of, ended_at=at(60), end_reason="ALL_PARTICIPANTS_LEFT", status=SessionStatus.FINISHED)
    there = [
        attendance(of, f"peer_{number}", f"pt-{number}", seconds=number) for number in range(1, peers + 1)
    ]
    gone = [replace(one, left_at=at(50), leave_reason="left") for one in there]
    return [
        SessionOccurrence(of),
        *(ParticipantOccurrence(of, one) for one in [*there, *gone]),
        SessionOccurrence(ended),
    ]


def deliveries(of: SessionRecord, to: Webhook, *, peers: int = 1) -> list[Delivery]:
    """What of that goes to the webhook, in order."""
    setting = Setting("Acme", "Weekly")
    made = [delivery(one, subscriber_of(to), setting, NOON) for one in occurrences(of, peers=peers)]
    return [one for one in made if one is not None]
