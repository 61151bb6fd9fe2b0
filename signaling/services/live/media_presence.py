"""Peers that came over HTTP (WHIP, WHEP) are there as long as their media connection is.

No socket says that such a peer is gone, and nothing can be told to it. So its connection stands for both:
while it is up the peer is connected; while it is down the peer is detached and its time to come back runs;
once it failed, or what it published has ended, the peer leaves. Encoders and players then begin anew by
themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from signaling.domain.events import Event, LeaveReason, MediaLost, PublicationEnded
from signaling.domain.peer import Peer
from signaling.domain.session import Session
from signaling.services.live.ports import TransportStateName

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession


async def handle_connection(live: LiveSession, peer: Peer, state: TransportStateName) -> None:
    match state:
        case "connected":
            await live.carry_out(live.session.resume(peer.id))
        case "disconnected":
            await live.detach(peer.id)
        case "failed" | "closed":
            await live.leave(peer.id, LeaveReason.LEFT)
        case "new" | "connecting":
            pass


def dismissed(session: Session, events: Iterable[Event]) -> list[Peer]:
    """Who has nothing left to be here for after these events."""
    lost: set[str] = set()
    ended: set[str] = set()
    for event in events:
        if isinstance(event, MediaLost):
            lost.update(event.peer_ids)
        elif isinstance(event, PublicationEnded):
            ended.add(event.publication.peer_id)
    over_http = [peer for peer in session.peers.values() if peer.over_http]
    return [
        peer
        for peer in over_http
        if peer.id in lost or (peer.id in ended and not session.publications.of(peer.id))
    ]
