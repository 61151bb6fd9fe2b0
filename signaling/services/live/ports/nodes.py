"""The media nodes as a whole: places for sessions, and what they carried before this process began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from signaling.domain.publication import Publication, Subscription
from signaling.services.live.ports.media_session import MediaSession
from signaling.services.live.ports.told import MediaListener


@dataclass(frozen=True, slots=True)
class Carried:
    """What the nodes still have of a session that was taken over. `subscriptions` as they are there."""

    media: MediaSession
    publication_ids: frozenset[str]
    paused: frozenset[str]
    """Publications of which the node forwards nothing, for they were muted."""
    subscriptions: tuple[Subscription, ...]


class SurvivingMedia(Protocol):
    """A session's media that outlived the process which had it, and that one's notes. Take it or close it."""

    @property
    def notes(self) -> Mapping[str, str]: ...

    async def take(
        self,
        session_id: str,
        peer_ids: Iterable[str],
        publications: Sequence[Publication],
        listener: MediaListener,
    ) -> Carried:
        """What the nodes have beyond these peers and publications is closed there."""
        ...

    async def close(self) -> None: ...


class MediaNodes(Protocol):
    async def surviving(self) -> Sequence[SurvivingMedia]:
        """What the nodes carried already when they were taken over. Asked once."""
        ...

    def admit(self) -> None:
        """Room for one more peer. Raises `OverloadedError` when no node that serves has any."""
        ...

    async def place(self, session_id: str, listener: MediaListener) -> MediaSession:
        """Choose a node and make the session's router there.

        Waits a while for a node to come up; raises `MediaUnavailableError` when none does.
        """
        ...
