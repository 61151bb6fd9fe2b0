"""Why a session ended, and what it is then. Pure.

Reasons in capitals are of the meeting, the others of the server.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from signaling.domain.session_status import SessionRecord, SessionStatus

HOST_ENDED_MEETING: Final = "HOST_ENDED_MEETING"
"""Somebody who may, or the organization."""
ALL_PARTICIPANTS_LEFT: Final = "ALL_PARTICIPANTS_LEFT"
NOBODY_CAME: Final = "NOBODY_CAME"
NOBODY_ADMITTED: Final = "NOBODY_ADMITTED"
"""Some waited, for as long as a session may be without anybody who is in."""
MAX_DURATION_REACHED: Final = "MAX_DURATION_REACHED"
MEETING_DELETED: Final = "MEETING_DELETED"
SERVER_SHUTDOWN: Final = "server_shutdown"
SERVER_RESTARTED: Final = "server_restarted"
SERVER_LOST: Final = "server_lost"
"""Of what a server had that was not heard of for too long."""
NOT_CONFIRMED: Final = "not_confirmed"
"""Of a session or a join that nobody knows whether it was written: it was refused."""

_EXPIRED: Final = frozenset({NOBODY_CAME, NOBODY_ADMITTED, MAX_DURATION_REACHED})


def status_at_end(reason: str, *, was_live: bool) -> SessionStatus:
    """`was_live`: whether anybody was ever in."""
    if reason in _EXPIRED:
        return SessionStatus.EXPIRED
    return SessionStatus.FINISHED if was_live else SessionStatus.CANCELLED


def reason_of_silence(present: SessionStatus, *, was_live: bool) -> str:
    """Why a session ends that nobody has been in for too long."""
    if was_live:
        return ALL_PARTICIPANTS_LEFT
    return NOBODY_ADMITTED if present is SessionStatus.WAITING else NOBODY_CAME


def ended(record: SessionRecord, reason: str, now: datetime) -> SessionRecord:
    status = status_at_end(reason, was_live=record.started_at is not None)
    return replace(record, status=status, updated_at=now, ended_at=now, end_reason=reason)
