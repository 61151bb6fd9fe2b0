"""What the live sessions of a process stand on."""

from __future__ import annotations

from dataclasses import dataclass, field

from signaling.services.live.ownership import Ownership
from signaling.services.live.ports import IceServers, MediaNodes, PeerHub
from signaling.services.outbox import Outbox
from signaling.services.ports import Clock, UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Times in seconds. `session_grace`: for which a session outlives its last peer unless told otherwise."""

    resume_within: float = 30.0
    session_grace: float = 60.0
    sweep_interval: float = 0.5


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
    ice_servers: IceServers | None = None
