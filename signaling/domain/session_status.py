"""The states of a session, and its row in the store.

    CREATED ──▶ READY ◀──▶ WAITING ◀──▶ LIVE ──▶ ENDING ──▶ FINISHED ──▶ ARCHIVED
       │         │ │         │ │ │      ▲         ▲ │                       ▲
       │         │ └─────────┼─┼─┼──────┘         │ └─────▶ EXPIRED ────────┘
       │         │           │ │ └────────────────┘           ▲
       ├─────────┼───────────┼─┴──────────────────────────────┤  (nobody came, or was admitted, in time)
       └─────────┴───────────┴──────▶ CANCELLED                  (called off before anybody was in)

CREATED: it has an id. READY: prepared, and nobody was in yet. WAITING: nobody is in, but some wait to be
admitted; READY or LIVE again once they are gone. LIVE: somebody was admitted; an empty session stays LIVE for
its grace period. ENDING: peers are being told and media closed. FINISHED: nothing of it is running.
EXPIRED: the same, but time ended it. A session that was never LIVE has nobody to tell and is CANCELLED or
EXPIRED at once, and stays it. ARCHIVED: all that it left behind is there, and nothing of it changes any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from signaling.domain.errors import StateError


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


class SessionEndReason(StrEnum):
    """Why it ended, as it is stored: in capitals what is of the meeting, otherwise of the server. Each API
    has its own case of them.

    A new one is a new revision of the schema: an older version cannot read it."""

    HOST_ENDED_MEETING = "HOST_ENDED_MEETING"
    """Somebody who may, or the organization."""
    ALL_PARTICIPANTS_LEFT = "ALL_PARTICIPANTS_LEFT"
    NOBODY_CAME = "NOBODY_CAME"
    NOBODY_ADMITTED = "NOBODY_ADMITTED"
    """Some waited, for as long as a session may be without anybody who is in."""
    MAX_DURATION_REACHED = "MAX_DURATION_REACHED"
    MEETING_DELETED = "MEETING_DELETED"
    SERVER_SHUTDOWN = "server_shutdown"
    SERVER_RESTARTED = "server_restarted"
    SERVER_LOST = "server_lost"
    """Of what a server had that was not heard of for too long."""
    NOT_CONFIRMED = "not_confirmed"
    """Of a session or a join that nobody knows whether it was written: it was refused."""


EndOfAll = Literal[
    SessionEndReason.MEETING_DELETED,
    SessionEndReason.SERVER_RESTARTED,
    SessionEndReason.SERVER_LOST,
    SessionEndReason.NOT_CONFIRMED,
]
"""Of a session that nobody runs: for the same reason whoever was in it is not any more."""

_S = SessionStatus
TRANSITIONS: Final[Mapping[SessionStatus, frozenset[SessionStatus]]] = MappingProxyType(
    {
        _S.CREATED: frozenset({_S.READY, _S.CANCELLED, _S.EXPIRED}),
        _S.READY: frozenset({_S.WAITING, _S.LIVE, _S.CANCELLED, _S.EXPIRED}),
        _S.WAITING: frozenset({_S.READY, _S.LIVE, _S.ENDING, _S.CANCELLED, _S.EXPIRED}),
        _S.LIVE: frozenset({_S.WAITING, _S.ENDING}),
        _S.ENDING: frozenset({_S.FINISHED, _S.EXPIRED}),
        _S.FINISHED: frozenset({_S.ARCHIVED}),
        _S.ARCHIVED: frozenset(),
        _S.CANCELLED: frozenset(),
        _S.EXPIRED: frozenset({_S.ARCHIVED}),
    }
)


OVER: Final = frozenset({_S.ENDING, _S.FINISHED, _S.ARCHIVED, _S.CANCELLED, _S.EXPIRED})
"""Nobody comes in any more."""


def next_status(present: SessionStatus, wanted: SessionStatus) -> SessionStatus:
    """Raises `StateError` where the table has no such move."""
    if wanted not in TRANSITIONS[present]:
        raise StateError(f"a session that is {present} cannot become {wanted}")
    return wanted


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
    """When the first was admitted; None: nobody was."""
    ended_at: datetime | None = None
    end_reason: SessionEndReason | None = None
    max_concurrent_participants: int = 0
    server_id: str | None = None
    """The server that began it, which has it until it ends."""
    meeting_title: str | None = None
    """When it began."""
    unit_id: str | None = None
    """Of its meeting when it began."""
    seconds_consumed: float = 0.0
    """Sum of the time that those were in who have left. The store keeps it: saving a session leaves it alone,
    saving an attendance that ends adds to it."""
    archived_at: datetime | None = None
    """When all that it left behind was there. It comes after `ended_at`, and not to one that nobody was
    in."""
