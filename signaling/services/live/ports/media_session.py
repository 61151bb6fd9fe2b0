"""One session's media, as the session commands it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from signaling.domain.publication import Grant, Publication, Subscription, Tile
from signaling.services.live.ports.answers import (
    Answer,
    ConnectionSample,
    Direction,
    IceAnswer,
    PeerStats,
    ViewAnswer,
)


class MediaSession(Protocol):
    """One session's media, on one node or several.

    What asks a node for something new raises `MediaUnavailableError` when the node is lost or does not
    answer, and `InvalidInputError` where the client's SDP or candidate is at fault. What only ends something
    (mute and narrower grants too) never raises for what is gone already, nor for a lost node, which carries
    nothing.
    """

    @property
    def node_id(self) -> str:
        """The main node's."""
        ...

    async def limit_voices(self, most: int | None) -> None:
        """Forward only so many of the loudest voices; 0: all, None: as the server is set. Raises for nothing:
        a node that is lost will be asked again when there is another."""
        ...

    async def handle_offer(
        self,
        peer_id: str,
        sdp: str,
        grants: Sequence[Grant],
        kept: Sequence[Publication],
        new: Sequence[Publication],
    ) -> Answer:
        """Makes the publish transport at the first offer; the grants are in force before the offer is."""
        ...

    async def set_grants(self, peer_id: str, grants: Sequence[Grant]) -> None:
        """In force when it returns: what is outside of them is closed at the node."""
        ...

    async def end_publications(self, publication_ids: Iterable[str]) -> None: ...
    async def mute(self, publication_id: str) -> None: ...
    async def unmute(self, publication_id: str) -> None: ...

    async def subscribe(self, peer_id: str, subscriptions: Sequence[Subscription]) -> Mapping[str, str]:
        """Returns those that failed: publication id to the node's error code. An `OfferMade` follows."""
        ...

    async def view(self, peer_id: str, sdp: str, subscriptions: Mapping[str, Subscription]) -> ViewAnswer:
        """The one offer of a peer that receives by offering (WHEP). `subscriptions` by m-line.

        Raises `UnsupportedError` when nothing can be sent on any of its m-lines.
        """
        ...

    async def feed(self, mid: str, subscription: Subscription) -> str | None:
        """Puts a publication on a free m-line of a view. Returns the node's error code where it cannot."""
        ...

    async def unsubscribe(self, peer_id: str, publication_ids: Iterable[str]) -> None: ...
    async def change_subscription(self, before: Subscription, after: Subscription) -> None: ...

    async def set_tiles(self, peer_id: str, tiles: Mapping[str, Tile]) -> None:
        """By publication id. Those that are not subscribed are passed over."""
        ...

    async def stats(self, peer_id: str) -> PeerStats:
        """Of the peer's own publications and subscriptions; empty where it has none."""
        ...

    async def sample(self) -> Sequence[ConnectionSample]:
        """What passed over all connections since they were sampled before; of a node that does not answer
        there is none."""
        ...

    def has(self, peer_id: str, direction: Direction) -> bool:
        """Whether the peer has that connection at a node."""
        ...

    async def retell(self, peer_id: str) -> None:
        """Has the state of the peer's connections and of what is on them told again, as events."""
        ...

    def note(self, changes: Mapping[str, str | None]) -> None:
        """Keeps notes about the session where its media is, for whoever takes both over; None forgets."""
        ...

    async def handle_answer(
        self, peer_id: str, version: int, sdp: str, *, move: int | None = None
    ) -> None: ...
    async def handle_candidate(self, peer_id: str, direction: Direction, candidate: str | None) -> None: ...
    async def restart_ice(self, peer_id: str) -> None: ...
    async def handle_ice_restart(
        self, peer_id: str, direction: Direction, ufrag: str, pwd: str
    ) -> IceAnswer: ...

    def movable(self, node_id: str) -> list[str]:
        """Peers that receive on that node and may move to another one."""
        ...

    async def begin_move(
        self, peer_id: str, node_id: str, subscriptions: Sequence[Subscription], tiles: Mapping[str, Tile]
    ) -> bool:
        """Have a peer receive from another node: whether that began. An `OfferMade` with a `move` follows,
        for a connection beside the one there is. A change of what it receives calls it off, so does time."""
        ...

    async def finish_move(self, peer_id: str, move: int) -> None:
        """It receives over the new connection; the old one is closed. Asking twice changes nothing.

        Raises `NotFoundError` when the move was called off: the old connection goes on.
        """
        ...

    async def close_transport(self, peer_id: str, direction: Direction) -> None: ...
    async def close_peer(self, peer_id: str) -> None: ...

    async def recover(self, peer_ids: Iterable[str]) -> None:
        """Gives other nodes to peers that `NodeLost` named; those that left meanwhile are passed over.

        Waits a while for a node to come up; raises `MediaUnavailableError` when none does.
        """
        ...

    async def close(self) -> None: ...
