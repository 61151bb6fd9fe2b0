"""Peers that move what they receive to another node: who of those that may, and what the client says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signaling.protocol import messages
from signaling.services.live.ports import MovesProposed

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession


@dataclass(frozen=True, slots=True)
class Candidate:
    peer_id: str
    publications: int
    subscriptions: int


def choose(candidates: Iterable[Candidate], peers: int) -> list[str]:
    """Those who only receive first, among them those who receive most: they relieve the node most. Pure."""
    ranked = sorted(candidates, key=lambda one: (one.publications, -one.subscriptions, one.peer_id))
    return [one.peer_id for one in ranked[:peers]]


async def begin(live: LiveSession, event: MovesProposed) -> None:
    """Those who are there and receive something; players have no way to be asked."""
    session = live.session
    candidates = [
        Candidate(
            peer_id,
            len(session.publications.of(peer_id)),
            len(session.subscriptions.of(peer_id)),
        )
        for peer_id in live.media.movable(event.from_node)
        if (peer := session.peers.get(peer_id)) is not None
        and not peer.over_http
        and peer.detached_at is None
        and session.subscriptions.of(peer_id)
    ]
    for peer_id in choose(candidates, event.peers):
        own = list(session.subscriptions.of(peer_id).values())
        tiles = {one.publication_id: one.tile for one in own if one.tile is not None}
        await live.media.begin_move(peer_id, event.to_node, own, tiles)


async def finish(live: LiveSession, peer_id: str, request: messages.SubscribeMoved) -> messages.Empty:
    await live.media.finish_move(peer_id, request.move)
    return messages.Empty()
