"""What a peer watches without naming each publication: a page of people, or who spoke last. Pure.

In a view every audio and every shared screen is received, and the videos of some peers: of those whom the
client names (its page), or of the N who spoke last. The N change only when somebody speaks who is not among
them, and then the one who has been silent longest goes: people who talk with each other do not displace each
other. Where fewer than N have spoken, those whose videos came first fill the places.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from signaling.domain.publication import Publication
from signaling.domain.tracked import Tracked

MOST_REMEMBERED = 256
"""Speakers whose order is kept."""


class ViewKind(StrEnum):
    MANUAL = "manual"
    """Nothing but what the client subscribes to by name."""
    PAGE = "page"
    SPEAKERS = "speakers"


@dataclass(frozen=True, slots=True)
class ViewMode:
    """`page` are peer ids (PAGE), `count` is N (SPEAKERS). `encrypted` says what can be opened: publications
    that are encrypted, those that are not, or (None) both."""

    kind: ViewKind
    page: tuple[str, ...] = ()
    count: int = 0
    encrypted: bool | None = None

    def opens(self, publication: Publication) -> bool:
        return self.encrypted is None or self.encrypted == publication.encrypted


class ViewModes:
    """Of one session: each peer's view, and who spoke last."""

    def __init__(self) -> None:
        self.of_peer: Tracked[str, ViewMode] = Tracked()
        """Without those that are manual."""
        self._spoke: list[str] = []
        """Peer ids, the latest speaker first."""

    @property
    def spoke(self) -> tuple[str, ...]:
        """Peer ids, the latest speaker first."""
        return tuple(self._spoke)

    def choose(self, peer_id: str, view: ViewMode) -> None:
        if view.kind is ViewKind.MANUAL:
            self.of_peer.drop(peer_id)
        else:
            self.of_peer[peer_id] = view

    def forget(self, peer_id: str) -> None:
        self.of_peer.drop(peer_id)
        if peer_id in self._spoke:
            self._spoke.remove(peer_id)

    def handle_speaker(self, peer_id: str) -> bool:
        """The active speaker, who already became it with hysteresis. False where that changes no order."""
        if self._spoke[:1] == [peer_id]:
            return False
        if peer_id in self._spoke:
            self._spoke.remove(peer_id)
        self._spoke.insert(0, peer_id)
        del self._spoke[MOST_REMEMBERED:]
        return True

    def wanted(self, peer_id: str, publications: Iterable[Publication], max_videos: int) -> set[str] | None:
        """The ids of the publications that a peer's view shows; None for a peer without one.

        `max_videos`: of a page that has more, those of the peers it names first are shown.
        """
        view = self.of_peer.get(peer_id)
        if view is None:
            return None
        others = [one for one in publications if one.peer_id != peer_id and view.opens(one)]
        count = min(view.count, max_videos)
        shown = view.page if view.kind is ViewKind.PAGE else self._last_speakers(count, others)
        place = {peer_id: number for number, peer_id in reversed(list(enumerate(shown)))}
        videos = [one for one in others if one.kind == "video" and not one.is_screen and one.peer_id in place]
        videos.sort(key=lambda one: place[one.peer_id])
        always = {one.id for one in others if one.kind == "audio" or one.is_screen}
        return always.union(one.id for one in videos[:max_videos])

    def _last_speakers(self, count: int, publications: list[Publication]) -> list[str]:
        """Peers, of those who send a video at the moment."""
        showing = dict.fromkeys(
            one.peer_id
            for one in publications
            if one.kind == "video" and not one.is_screen and one.muted_by is None
        )
        spoke = [peer_id for peer_id in self._spoke if peer_id in showing]
        return list(dict.fromkeys([*spoke, *showing]))[:count]
