"""A person or machine admitted to a meeting: durable, with a preset and a token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signaling.domain.client_token import ClientGrant
from signaling.domain.join_policy import Standing
from signaling.domain.version import FIRST


@dataclass(frozen=True, slots=True)
class Participant:
    id: str
    organization_id: str
    meeting_id: str
    name: str
    custom_participant_id: str
    preset_name: str
    picture: str | None
    created_at: datetime
    updated_at: datetime
    standing: Standing = Standing.REGISTERED
    unit_id: str | None = None
    """The unit they belong to, where that is known."""
    password_mark: str | None = None
    """Of the password by which they were admitted (`signaling.domain.join_policy.password_mark`)."""
    version: int = FIRST


@dataclass(frozen=True, slots=True)
class ParticipantClaims:
    """What a verified token says. Whether the participant still exists is the store's word."""

    organization_id: str
    meeting_id: str
    participant_id: str
    expires_at: datetime
    guest: ClientGrant | None = None
    """Of a client token: the participant is made by the first join with it."""
