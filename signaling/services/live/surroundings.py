"""What the live sessions of a process stand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from signaling.services.levels import House
from signaling.services.live.ownership import Ownership
from signaling.services.live.ports import IceServers, MediaNodes, PeerHub
from signaling.services.outbox import Outbox
from signaling.services.ports import Clock, UnitOfWorkFactory

SAMPLE_EVERY: Final = 10.0
"""Seconds between two points of a peer's quality, as long as they are not put together, ..."""
KEEP_REPORTS_EVERY: Final = 300.0
"""... and after which they are written while the peer is in."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Times in seconds."""

    resume_within: float = 30.0
    sweep_interval: float = 0.5
    sample_every: float = SAMPLE_EVERY
    keep_reports_every: float = KEEP_REPORTS_EVERY


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every session of this process shares."""

    uow: UnitOfWorkFactory
    nodes: MediaNodes
    hub: PeerHub
    clock: Clock
    servers: Ownership
    outbox: Outbox
    settings: LiveSettings = field(default_factory=LiveSettings)
    house: House = field(default_factory=House)
    ice_servers: IceServers | None = None
