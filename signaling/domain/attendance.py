"""When one peer was in one session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attendance:
    peer_id: str
    session_id: str
    participant_id: str
    name: str
    preset_name: str
    joined_at: datetime
    left_at: datetime | None = None
    leave_reason: str | None = None
