"""What a session remembers beside its peers, publications and subscriptions."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.domain.censorship import NOTHING_BLOCKED, Blocked


@dataclass(frozen=True, slots=True)
class Memory:
    """`requests`: peer ids in the order of asking for the stage. `blocked`: the sources that moderators have
    blocked. `spoke`: peer ids, the latest speaker first."""

    requests: tuple[str, ...] = ()
    blocked: Blocked = NOTHING_BLOCKED
    spoke: tuple[str, ...] = ()
