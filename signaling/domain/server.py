"""One signaling process among those that share a database."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from signaling.domain.region import Region
from signaling.domain.session_status import SessionRecord


@dataclass(frozen=True, slots=True)
class SignalingServer:
    """`url` is how clients reach this very process, `internal_url` how other servers do. Each start is
    another `incarnation`."""

    id: str
    incarnation: str
    url: str
    internal_url: str
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class RunningAt:
    """The session of a meeting that has not ended, and who has it. `server` is None for one that is not there
    any more, `living` whether its lease is not over."""

    session: SessionRecord
    server: SignalingServer | None
    living: bool


def host_in(region: Region, servers: Iterable[SignalingServer], meeting_id: str) -> SignalingServer | None:
    """Which of those in the region is to host a meeting: the same, whoever asks, for as long as the same are
    there."""
    there = sorted((one for one in servers if one.region is region), key=lambda one: one.id)
    return there[zlib.crc32(meeting_id.encode()) % len(there)] if there else None
