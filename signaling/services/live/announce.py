"""Who hears what. Every domain event goes to its audience as events of the client protocol.

Hidden peers hear everything and are never spoken of, except to themselves (and publish nothing). Whoever may
not see who takes part (`show_participant_list`) hears of others from when they first publish. Pending
stage requests go to stage hosts. One's own standing goes to oneself. Who waits to be admitted hears of
nothing but that, and those hear of them who may admit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from signaling.domain.events import (
    CensorChanged,
    Event,
    GrantsChanged,
    MediaLost,
    PeerAdmitted,
    PeerDetached,
    PeerJoined,
    PeerLeft,
    PeerResumed,
    PeerTurnedAway,
    PeerWaits,
    PresetChanged,
    PublicationAdded,
    PublicationEnded,
    PublicationMuted,
    PublicationUnmuted,
    SessionEnded,
    SessionStatusChanged,
    SocketReplaced,
    StageRequestsChanged,
    StageStatusChanged,
    SubscriptionEnded,
)
from signaling.domain.peer import Peer
from signaling.domain.publication import EndReason, Publication
from signaling.domain.session import Session
from signaling.protocol import messages
from signaling.services.live import render
from signaling.services.live.ports import PeerHub


class Announcer:
    """Speaks for one session. Call it after the session has changed and the node obeys."""

    def __init__(self, session: Session, hub: PeerHub) -> None:
        self._session = session
        self._hub = hub
        self._seen: set[str] = set()
        """The ids of those who have published: all may know of them."""

    def resume(self) -> None:
        """In a session of another process, which has told of those who publish."""
        self._seen = {one.peer_id for one in self._session.publications.values()}

    def shown_to(self, hearer: Peer) -> list[Peer]:
        """The others whom it is told of."""
        return [
            one
            for one in self._session.peers.values()
            if one.id != hearer.id and not one.hidden and (hearer.sees_everybody or one.id in self._seen)
        ]

    def announce(self, events: Iterable[Event]) -> None:
        for event in events:
            self._announce(event)

    def to_peer(self, peer_id: str, event: messages.AnyEvent) -> None:
        self._hub.send((peer_id,), event)

    def to_all(self, event: messages.AnyEvent) -> None:
        self._hub.send(self._session.peers, event)

    def _announce(self, event: Event) -> None:
        match event:
            case PeerJoined(peer):
                self._about(peer, messages.PeerJoined(peer=render.peer_info(peer)), oneself=False)
            case PeerWaits(peer):
                self._to_admitters(messages.PeerWaiting(peer=render.waiting_info(peer)))
            case PeerAdmitted(peer):
                self._to_admitters(messages.PeerWaitingEnded(peer_id=peer.id, reason="admitted"))
            case PeerTurnedAway():
                self._turned_away(event)
            case PeerDetached(peer) | PeerResumed(peer):
                self.updated(peer)
            case CensorChanged(peer):
                self.updated(peer, oneself=True)
            case PeerLeft():
                self._left(event)
            case PublicationAdded(publication):
                self._show(self._session.peers[publication.peer_id])
                added = messages.PublicationAdded(publication=render.publication_info(publication))
                self._hub.send(self._others(publication), added)
            case PublicationMuted(publication) | PublicationUnmuted(publication):
                updated = messages.PublicationUpdated(publication=render.publication_info(publication))
                self.to_all(updated)
            case PublicationEnded():
                self._ended(event)
            case SubscriptionEnded(subscription, reason):
                ended = messages.SubscriptionEnded(
                    publication_id=subscription.publication_id,
                    reason=render.subscription_end_reason(reason),
                )
                self.to_peer(subscription.peer_id, ended)
            case StageStatusChanged():
                self._stage(event)
            case StageRequestsChanged():
                hosts = [peer.id for peer in self._session.peers.values() if peer.is_stage_host]
                self._hub.send(hosts, self._stage_requests())
            case PresetChanged(peer, previous):
                self._preset(peer, previous)
            case MediaLost():
                self._media_lost(event)
            case GrantsChanged() | SessionStatusChanged() | SessionEnded() | SocketReplaced():
                pass  # told by stage or permissions; by session_left; nothing changed for the others
            case _:
                assert_never(event)

    def ending(self, ends_at: datetime | None, left: float | None) -> None:
        """The session ends at that time, in so many seconds."""
        if ends_at is not None and left is not None:
            self.to_all(messages.SessionEnding(ends_at=render.time_text(ends_at), seconds_left=round(left)))

    def updated(self, peer: Peer, *, oneself: bool = False) -> None:
        self._about(peer, messages.PeerUpdated(peer=render.peer_info(peer)), oneself=oneself)

    def _show(self, peer: Peer) -> None:
        """It publishes: now those know of it who may not see who takes part."""
        if peer.id not in self._seen:
            self._seen.add(peer.id)
            hearers = [one.id for one in self._session.peers.values() if not one.sees_everybody]
            joined = messages.PeerJoined(peer=render.peer_info(peer))
            self._hub.send([one for one in hearers if one != peer.id], joined)

    def _left(self, event: PeerLeft) -> None:
        peer, reason = event.peer, event.reason
        if not self._session.over:
            left = messages.PeerLeft(peer_id=peer.id, reason=render.peer_left_reason(reason))
            self._about(peer, left, oneself=False)
        self._seen.discard(peer.id)
        self.to_peer(peer.id, messages.SessionLeft(reason=render.session_left_reason(reason)))
        self._hub.close(peer.id, render.close_code(reason))

    def _turned_away(self, event: PeerTurnedAway) -> None:
        peer_id, reason = event.peer.id, event.reason
        if not self._session.over:
            gone = messages.PeerWaitingEnded(peer_id=peer_id, reason=render.waiting_end_reason(reason))
            self._to_admitters(gone)
        self.to_peer(peer_id, messages.SessionLeft(reason=render.session_left_reason(reason)))
        self._hub.close(peer_id, render.close_code(reason))

    def _ended(self, event: PublicationEnded) -> None:
        if self._session.over:
            return
        removed = messages.PublicationRemoved(
            publication_id=event.publication.id,
            peer_id=event.publication.peer_id,
            reason=render.removed_reason(event.reason),
        )
        self.to_all(removed)

    def _media_lost(self, event: MediaLost) -> None:
        """To those who still have media. The others hear `media_reset` once they have a place again."""
        hearers = [peer_id for peer_id in self._session.peers if peer_id not in event.peer_ids]
        for one in event.publications:
            removed = messages.PublicationRemoved(
                publication_id=one.id, peer_id=one.peer_id, reason=render.removed_reason(EndReason.NODE_LOST)
            )
            self._hub.send(hearers, removed)

    def reset_media(self, peer_ids: Iterable[str]) -> None:
        """These peers build their media again, from the publications there are."""
        present = [peer_id for peer_id in peer_ids if peer_id in self._session.peers]
        self._hub.send(present, messages.MediaReset(reason="node_lost"))
        for publication in self._session.publications.values():
            added = messages.PublicationAdded(publication=render.publication_info(publication))
            self._hub.send([one for one in present if one != publication.peer_id], added)

    def _stage(self, event: StageStatusChanged) -> None:
        peer = event.peer
        changed = messages.StageStatusChanged(
            peer_id=peer.id,
            status=messages.StageStatusName(peer.status),
            previous=messages.StageStatusName(event.previous),
            action=render.stage_action(event.action),
            by=event.by,
        )
        self._about(peer, changed)
        self.to_peer(peer.id, messages.StageChanged(stage=render.stage_info(peer)))

    def _preset(self, peer: Peer, previous: Peer) -> None:
        self.to_peer(peer.id, render.permissions_updated(peer))
        if peer.status is previous.status:
            self.to_peer(peer.id, messages.StageChanged(stage=render.stage_info(peer)))
        if peer.is_stage_host:
            self.to_peer(peer.id, self._stage_requests())
        elif previous.is_stage_host:
            self.to_peer(peer.id, messages.StageRequests(requests=()))
        if peer.admits is not previous.admits:
            waiting = render.waiting_list(self._session.waiting_room) if peer.admits else ()
            self.to_peer(peer.id, messages.WaitingList(waiting=waiting))
        if peer.sees_everybody is not previous.sees_everybody:
            self._list(peer)
        self._visibility(peer, previous)

    def _list(self, hearer: Peer) -> None:
        """It may see who takes part from now on, or not any more."""
        for one in self._session.peers.values():
            if one.id == hearer.id or one.hidden or one.id in self._seen:
                continue
            joined = messages.PeerJoined(peer=render.peer_info(one))
            left = messages.PeerLeft(peer_id=one.id, reason="left")
            self.to_peer(hearer.id, joined if hearer.sees_everybody else left)

    def _visibility(self, peer: Peer, previous: Peer) -> None:
        """A preset may hide a peer or show it: to the others it goes or comes."""
        others = self._hearers(peer, oneself=False)
        if peer.hidden and not previous.hidden:
            self._hub.send(others, messages.PeerLeft(peer_id=peer.id, reason="left"))
        elif previous.hidden and not peer.hidden:
            self._hub.send(others, messages.PeerJoined(peer=render.peer_info(peer)))
        elif peer.preset_name != previous.preset_name:
            self.updated(peer)

    def _stage_requests(self) -> messages.StageRequests:
        return messages.StageRequests(requests=render.stage_requests(self._session.stage_requests))

    def _to_admitters(self, event: messages.AnyEvent) -> None:
        self._hub.send([peer.id for peer in self._session.presence.admitters], event)

    def _others(self, publication: Publication) -> list[str]:
        return [peer_id for peer_id in self._session.peers if peer_id != publication.peer_id]

    def _about(self, peer: Peer, event: messages.AnyEvent, *, oneself: bool = True) -> None:
        """To everyone who may know of the peer."""
        if not peer.hidden:
            self._hub.send(self._hearers(peer, oneself=oneself), event)
        elif oneself:
            self.to_peer(peer.id, event)

    def _hearers(self, peer: Peer, *, oneself: bool) -> list[str]:
        skip, seen = None if oneself else peer.id, peer.id in self._seen
        return [
            one.id
            for one in self._session.peers.values()
            if one.id != skip and (seen or one.sees_everybody or one.id == peer.id)
        ]
