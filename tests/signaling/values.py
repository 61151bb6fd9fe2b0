"""Records to store, with only what a test cares about spelled out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.meeting import Meeting
from signaling.domain.organization import ApiKey, Organization
from signaling.domain.participant import Participant
from signaling.domain.preset import Preset, PresetRecord
from signaling.domain.session import SessionRecord, SessionStatus
from signaling.ids import new_uuid

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def organization(name: str = "Acme") -> Organization:
    return Organization(new_uuid(), name, NOON, NOON)


def api_key(of: Organization, key_hash: str = "00" * 32) -> ApiKey:
    return ApiKey(new_uuid(), of.id, key_hash, NOON)


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
    )
