"""Between attendances and their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from signaling.domain.attendance import Attendance, PeerEvent, PeerEventKind
from signaling.store.rows import values_of


def attendance_values(attendance: Attendance) -> dict[str, Any]:
    return {
        **values_of(attendance),
        "events": [[one.kind, one.at.isoformat()] for one in attendance.events] or None,
        "context_hash": context_hash(attendance.context),
    }


def read_attendance(row: Mapping[Any, Any]) -> Attendance:
    values = {name: row[name] for name in row if name != "context_hash"}
    events = values["events"] or ()
    kept = tuple(PeerEvent(PeerEventKind(kind), datetime.fromisoformat(at)) for kind, at in events)
    return Attendance(**{**values, "events": kept})


def context_hash(context: str | None) -> str | None:
    return None if context is None else hashlib.sha256(context.encode()).hexdigest()
