"""What a session remembers beside its peers, publications and subscriptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Memory:
    """`requests`: peer ids in the order of asking for the stage. `blocked`: participant id and the sources a
    moderator has blocked. `spoke`: peer ids, the latest speaker first."""

    requests: tuple[str, ...] = ()
    blocked: tuple[tuple[str, frozenset[str]], ...] = ()
    spoke: tuple[str, ...] = ()
