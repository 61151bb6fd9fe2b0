"""What a session is at its end, by why it ended. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from signaling.domain.session_status import SessionEndReason, SessionRecord, SessionStatus

_EXPIRED: Final = frozenset(
    {
        SessionEndReason.NOBODY_CAME,
        SessionEndReason.NOBODY_ADMITTED,
        SessionEndReason.MAX_DURATION_REACHED,
    }
)


def status_at_end(reason: SessionEndReason, *, was_live: bool) -> SessionStatus:
    """`was_live`: whether anybody was ever in."""
    if reason in _EXPIRED:
        return SessionStatus.EXPIRED
    return SessionStatus.FINISHED if was_live else SessionStatus.CANCELLED


def reason_of_silence(present: SessionStatus, *, was_live: bool) -> SessionEndReason:
    """Why a session ends that nobody has been in for too long."""
    if was_live:
        return SessionEndReason.ALL_PARTICIPANTS_LEFT
    waiting = present is SessionStatus.WAITING
    return SessionEndReason.NOBODY_ADMITTED if waiting else SessionEndReason.NOBODY_CAME


def ended(record: SessionRecord, reason: SessionEndReason, now: datetime) -> SessionRecord:
    status = status_at_end(reason, was_live=record.started_at is not None)
    return replace(record, status=status, updated_at=now, ended_at=now, end_reason=reason)
