"""A meeting: a durable place with an id and settings, in which sessions run.

What it is for, where it is shown and who is told of it is its own; how its sessions are run is configuration,
of which it is one level.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from signaling.domain.configuration import NOTHING_SAID, Configuration
from signaling.domain.join_policy import ListPolicy
from signaling.domain.region import Region
from signaling.domain.version import FIRST

MAX_WEBHOOK_TIMEOUT: Final = 30
"""Seconds."""


class MeetingStatus(StrEnum):
    """Nobody can join a meeting that is INACTIVE; those inside stay."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


@dataclass(frozen=True, slots=True)
class Meeting:
    """`configuration` is what the meeting itself says; what its sessions are run with is merged from that and
    from what the levels above say (`signaling.domain.configuration`). Passwords are kept as hashes.

    `unique_name` and `short` find it as its id does: the one is chosen and unique in its organization, the
    other is made for links and unique everywhere. A deleted meeting stays for what refers to it; nobody finds
    it any more.
    """

    id: str
    organization_id: str
    title: str | None
    created_at: datetime
    updated_at: datetime
    status: MeetingStatus = MeetingStatus.ACTIVE
    preferred_region: Region | None = None
    unit_id: str | None = None
    unique_name: str | None = None
    short: str | None = None
    list_policy: ListPolicy = ListPolicy.SHARED
    join_password_hash: str | None = None
    webhook_event_url: str | None = None
    webhook_event_failover_url: str | None = None
    webhook_timeout_secs: int | None = None
    """0 to 30; None: as the server is set."""
    configuration: Configuration = NOTHING_SAID
    deleted_at: datetime | None = None
    version: int = FIRST

    @property
    def active(self) -> bool:
        return self.status is MeetingStatus.ACTIVE
