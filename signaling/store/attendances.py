"""Between attendances and their rows.

The column `events` has all that no query looks into, as JSON: what is known of the socket and of the machine
behind it, and what happened to the peer later.

    {"opened": {"at": "2026-01-31T09:30:00+00:00", "socket": "sock_..."},
     "hardware": {"cores": 8, "memory": 16.0},
     "later": [["detached", "2026-01-31T09:31:00+00:00", null],
               ["resumed", "2026-01-31T09:31:02+00:00", "sock_..."]]}

Of what nothing is known is not there. Rows of before there was anything to say of sockets have the list of
what happened alone, of pairs; those of which there is nothing to say, null.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from signaling.domain.attendance import Attendance, PeerEvent, PeerEventKind, left_because
from signaling.domain.preset import ViewType
from signaling.store.rows import values_of

_PACKED: Final = frozenset({"events", "socket_id", "opened_at", "cores", "memory"})
"""Fields of an attendance that have no column of their own."""


def attendance_values(attendance: Attendance) -> dict[str, Any]:
    values = {name: value for name, value in values_of(attendance).items() if name not in _PACKED}
    return {**values, "events": _packed(attendance), "context_hash": context_hash(attendance.context)}


def read_attendance(row: Mapping[Any, Any]) -> Attendance:
    values = {name: row[name] for name in row if name not in ("context_hash", "events")}
    if values["leave_reason"] is not None:
        values["leave_reason"] = left_because(values["leave_reason"])
    if values["view_type"] is not None:
        values["view_type"] = ViewType(values["view_type"])
    return Attendance(**values, **_unpacked(row["events"]))


def context_hash(context: str | None) -> str | None:
    return None if context is None else hashlib.sha256(context.encode()).hexdigest()


def _packed(one: Attendance) -> dict[str, Any] | None:
    packed: dict[str, Any] = {}
    if one.opened_at is not None:
        packed["opened"] = {"at": one.opened_at.isoformat(), "socket": one.socket_id}
    if one.cores is not None or one.memory is not None:
        packed["hardware"] = {"cores": one.cores, "memory": one.memory}
    if one.events:
        packed["later"] = [[event.kind, event.at.isoformat(), event.socket_id] for event in one.events]
    return packed or None


def _unpacked(stored: Any) -> dict[str, Any]:
    packed: dict[str, Any] = {"later": stored} if isinstance(stored, list) else stored or {}
    fields: dict[str, Any] = {"events": tuple(_event(*event) for event in packed.get("later", ()))}
    if opened := packed.get("opened"):
        fields |= {"socket_id": opened["socket"], "opened_at": datetime.fromisoformat(opened["at"])}
    fields |= packed.get("hardware", {})
    return fields


def _event(kind: str, at: str, socket_id: str | None = None) -> PeerEvent:
    return PeerEvent(PeerEventKind(kind), datetime.fromisoformat(at), socket_id)
