"""One live run of a meeting, from the first join until it has been empty for the grace period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SessionStatus(StrEnum):
    CREATED = "CREATED"
    READY = "READY"
    WAITING = "WAITING"
    LIVE = "LIVE"
    ENDING = "ENDING"
    FINISHED = "FINISHED"
    ARCHIVED = "ARCHIVED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as the store keeps it."""

    id: str
    meeting_id: str
    organization_id: str
    status: SessionStatus
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    max_concurrent_participants: int = 0
