"""What carries results, errors and events to the client."""

from __future__ import annotations

from typing import Any, Literal

from signaling.protocol.messages.events import AnyEvent
from signaling.protocol.messages.values import Outbound


class ErrorBody(Outbound):
    """`code` is a number of the field (2001 ...), `name` is stable, `message` says what to do."""

    code: int
    name: str
    message: str
    field: str | None = None
    """The offending field of a malformed request, as a path ("subscriptions.0.preferred")."""
    retry_after: float | None = None
    """Seconds after which to try again; null where that would not help."""
    reason: str | None = None
    """Which of several reasons it is, where a client can act on that."""
    url: str | None = None
    """Of `Misdirected`: the server that has the meeting."""


class Success(Outbound):
    id: int
    ok: Literal[True] = True
    result: dict[str, Any]


class Failure(Outbound):
    """`id` is null when the frame was too broken to tell."""

    id: int | None
    ok: Literal[False] = False
    error: ErrorBody


class EventFrame(Outbound):
    seq: int
    event: AnyEvent
