"""One signaling process among those that share a database."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.domain.session_status import SessionRecord


@dataclass(frozen=True, slots=True)
class SignalingServer:
    """`url` is how clients reach this very process, `internal_url` how other servers do. Each start is
    another `incarnation`."""

    id: str
    incarnation: str
    url: str
    internal_url: str


@dataclass(frozen=True, slots=True)
class RunningAt:
    """The session of a meeting that has not ended, and who has it. `server` is None for one that is not there
    any more, `living` whether its lease is not over."""

    session: SessionRecord
    server: SignalingServer | None
    living: bool
