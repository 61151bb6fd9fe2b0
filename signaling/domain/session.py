"""One live run of a meeting: who is in it, who publishes what, who stands where.

The aggregate decides. Each method checks, changes the state and returns what happened as events; it does no
IO and is told the time. A refusal raises before anything changed. Its owner in the services applies one
command after the other, makes the events true at the node and announces them. It is one aggregate, so it is
one file; what needs to know only a part of it is in files of its own.

What always holds: a publication's owner is in the session and may publish it in its present standing; a
subscription's publication exists; nothing of a censored source is unmuted; the pending requests are exactly
the peers that are REQUESTED_TO_JOIN_STAGE, in the order of asking.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from signaling.domain.errors import (
    NotFoundError,
    NotJoinedError,
)
from signaling.domain.events import (
    Event,
    Events,
    GrantsChanged,
    LeaveReason,
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
    SessionEnded,
    SessionStatusChanged,
    SocketReplaced,
    StageRequestsChanged,
    StageStatusChanged,
)
from signaling.domain.memory import Memory
from signaling.domain.muting import Muting
from signaling.domain.peer import Peer
from signaling.domain.permission import StageStatus
from signaling.domain.presence import Presence
from signaling.domain.preset import Preset
from signaling.domain.publication import (
    Announced,
    EndReason,
    Publication,
    Subscription,
    grants_of,
)
from signaling.domain.publications import Publications
from signaling.domain.publishing import PublishPlan, plan
from signaling.domain.receiving import Receiving
from signaling.domain.session_end import status_at_end
from signaling.domain.session_status import (
    OVER,
    SessionEndReason,
    SessionRecord,
    SessionStatus,
    next_status,
)
from signaling.domain.stage import StageAction
from signaling.domain.stage import apply as apply_to_stage
from signaling.domain.subscriptions import Subscriptions
from signaling.domain.tracked import Tracked
from signaling.domain.view_mode import ViewModes
from signaling.domain.waiting_room import WaitingRoom

__all__ = ["PublishPlan", "Session", "SessionRecord", "SessionStatus"]


class Session:
    """The aggregate. `peers`, `publications` and `subscriptions` are for looking, not for changing."""

    def __init__(self, session_id: str, meeting_id: str, organization_id: str) -> None:
        self.id = session_id
        self.meeting_id = meeting_id
        self.organization_id = organization_id
        self.status = SessionStatus.CREATED
        self.peers: Tracked[str, Peer] = Tracked()
        self.publications = Publications()
        self.subscriptions = Subscriptions()
        self.presence = Presence(self.peers)
        self.muting = Muting(self.peers, self.publications)
        self.receiving = Receiving(self.presence, self.publications, self.subscriptions)
        self.view_modes = ViewModes()
        self.waiting_room = WaitingRoom()
        self._requests: dict[str, None] = {}
        self.was_live = False
        """Whether anybody was ever admitted."""
        self._at_end = SessionStatus.FINISHED
        self.empty_since: float | None = None
        """On the monotonic clock; None while somebody is in. Begins anew where only some that wait come, or
        the last of them goes."""

    @property
    def over(self) -> bool:
        return self.status in OVER

    @property
    def memory(self) -> Memory:
        return Memory(tuple(self._requests), self.muting.blocked, self.view_modes.spoke)

    def resume_life(
        self,
        peers: Iterable[Peer],
        publications: Iterable[Publication],
        subscriptions: Iterable[Subscription],
        memory: Memory,
        now: float,
        *,
        admitted: Iterable[str] = (),
        was_live: bool,
    ) -> None:
        """Instead of `start`: it was begun in another process. What breaks its promises is left out."""
        self.start(now)
        self.muting.resume(memory.blocked)
        self.waiting_room.resume(admitted)
        for peer in peers:
            self._put(replace(peer, censored=self.muting.censored(peer.participant_id)))
        for one in publications:
            owner = self.peers.get(one.peer_id)
            if owner is not None and owner.may_publish(one.source, one.kind):
                self.publications[one.id] = one
        for subscription in subscriptions:
            if subscription.peer_id in self.peers and subscription.publication_id in self.publications:
                self.subscriptions.put(subscription)
        asking = [peer_id for peer_id in memory.requests if peer_id in self.peers]
        self._requests = dict.fromkeys(one for one in asking if self.peers[one].asks_for_stage)
        for peer_id in reversed(memory.spoke):
            if peer_id in self.peers:
                self.view_modes.handle_speaker(peer_id)
        if self.peers:
            self.empty_since = None
        if self.peers or was_live:
            self._become(SessionStatus.LIVE)

    # --- looking ---------------------------------------------------------------------------------------

    def peer(self, peer_id: str) -> Peer:
        """Raises `NotJoinedError`."""
        return self.presence.peer(peer_id)

    def peer_or_waiting(self, peer_id: str) -> Peer:
        """Raises `NotJoinedError`."""
        return self.waiting_room.peer(peer_id) if peer_id in self.waiting_room else self.peer(peer_id)

    def must_wait(self, peer: Peer, *, lobby: bool) -> bool:
        return self.waiting_room.keeps(peer, lobby=lobby, moderated=self.presence.moderated)

    @property
    def stage_requests(self) -> list[Peer]:
        """Oldest first. A hidden peer is not seen asking."""
        asking = (self.peers[peer_id] for peer_id in self._requests)
        return [peer for peer in asking if not peer.hidden]

    # --- coming and going ------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        self._become(SessionStatus.READY)
        self.empty_since = now

    def wait(self, peer: Peer, now: float) -> Events:
        """For one that must; also again, where what is known of it has changed. Raises
        `WaitingRoomFullError` and `LimitExceededError`."""
        self._check_runs()
        self.waiting_room.put(peer)
        return [PeerWaits(self.waiting_room.peer(peer.id)), *self._settle(now)]

    def turn_away(self, peer_id: str, reason: LeaveReason, now: float) -> Events:
        """One that waits, at whoever's wish."""
        return [PeerTurnedAway(self.waiting_room.drop(peer_id), reason), *self._settle(now)]

    def admit(self, peer: Peer) -> Events:
        """One that waits, as it is when it joins."""
        self._check_runs()
        self.waiting_room.accept(peer.id)
        return [PeerAdmitted(peer), *self.join(peer)]

    def join(self, peer: Peer) -> Events:
        self._check_runs()
        assert peer.id not in self.peers, "peer ids are never used twice"
        peer = self.presence.as_in_other_tabs(peer)
        joined = self._put(replace(peer, censored=self.muting.censored(peer.participant_id)))
        self.empty_since = None
        return [PeerJoined(joined), *self._become(SessionStatus.LIVE)]

    def detach(self, peer_id: str, now: float) -> Events:
        """Its socket is gone."""
        peer = self.peer(peer_id)
        if not peer.connected:
            return []
        return [PeerDetached(self._put(replace(peer, detached_at=now)))]

    def resume(self, peer_id: str, socket_id: str | None = None) -> Events:
        """A new socket speaks for it; or, without one, its media connection is back."""
        peer = self.peer(peer_id)
        if not peer.connected:
            return [PeerResumed(self._put(replace(peer, detached_at=None)), socket_id)]
        return [] if socket_id is None else [SocketReplaced(peer, socket_id)]

    def leave(self, peer_id: str, reason: LeaveReason, now: float) -> Events:
        peer = self.peer(peer_id)
        events: Events = [self._end(one, EndReason.PEER_LEFT) for one in self.publications.of(peer_id)]
        self.receiving.lose_all(peer_id)
        self.view_modes.forget(peer_id)
        del self.peers[peer_id]
        events.append(PeerLeft(peer, reason))
        events += self._withdraw_request(peer_id)
        if not self.peers:
            self.empty_since = now
        if reason is LeaveReason.KICKED:
            self.waiting_room.forget(peer.participant_id)
        return [*events, *self._settle(now)]

    def end(
        self, reason: SessionEndReason, now: float, *, peers_leave: LeaveReason = LeaveReason.ENDED
    ) -> Events:
        """Everybody leaves and nobody can join any more."""
        self._at_end = status_at_end(reason, was_live=self.was_live)
        self.status = next_status(self.status, SessionStatus.ENDING if self.was_live else self._at_end)
        events = [event for peer_id in list(self.peers) for event in self.leave(peer_id, peers_leave, now)]
        for waiting in self.waiting_room:
            events += self.turn_away(waiting.id, peers_leave, now)
        return [*events, SessionEnded(reason)]

    def finish(self) -> None:
        """Nothing of it is running any more."""
        if self.status is not self._at_end:
            self.status = next_status(self.status, self._at_end)

    # --- publishing ------------------------------------------------------------------------------------

    def plan_publish(
        self, peer_id: str, announced: Sequence[Announced], new_id: Callable[[], str]
    ) -> PublishPlan:
        """Whether all of it may be published now, and what it comes to; see `publishing.plan`."""
        peer, own = self.peer(peer_id), self.publications.of(peer_id)
        return plan(peer, own, announced, new_id, screens_shared=self.publications.screens)

    def publish(self, publications: Iterable[Publication]) -> Events:
        """Adds planned publications, now that the node has accepted them."""
        events: Events = []
        for one in publications:
            assert self.peers[one.peer_id].may_publish(one.source, one.kind), "a plan is carried out at once"
            self.publications[one.id] = one
            events.append(PublicationAdded(one))
        return events

    def unpublish(self, peer_id: str, publication_ids: Iterable[str]) -> Events:
        """Of one's own. All or nothing."""
        own = [self._own(peer_id, publication_id) for publication_id in dict.fromkeys(publication_ids)]
        return [self._end(one, EndReason.UNPUBLISHED) for one in own]

    def lose_publication(self, publication_id: str, reason: EndReason) -> Events:
        """The node ended it on its own."""
        lost = self.publications.get(publication_id)
        return [] if lost is None else [self._end(lost, reason)]

    def lose_publishing(self, peer_id: str) -> Events:
        """The peer's publish connection failed."""
        lost = self.publications.of(peer_id)
        return [self._end(one, EndReason.TRANSPORT_CLOSED) for one in lost]

    def lose_media(self, peer_ids: Collection[str]) -> Events:
        """The node of these peers is gone, and with it everything that they published and subscribed to."""
        lost = [one for one in self.publications.values() if one.peer_id in peer_ids]
        for publication in lost:
            self._end(publication, EndReason.NODE_LOST)
        for peer_id in peer_ids:
            self.receiving.lose_all(peer_id)
        return [MediaLost(tuple(peer_ids), tuple(lost))]

    # --- standing --------------------------------------------------------------------------------------

    def act_on_stage(self, action: StageAction, actor_id: str, target_id: str | None = None) -> Events:
        """One stage action on oneself, or by a host on another. Raises what `stage.apply` raises."""
        actor = self.peer(actor_id)
        target = actor if target_id is None else self.peers.get(target_id)
        if target is None:
            raise NotFoundError.of("peer", str(target_id))
        status = apply_to_stage(action, actor.on_stage_terms, target.on_stage_terms)
        by = actor_id if target_id is not None and target_id != actor_id else None
        return self._stand(target, replace(target, status=status), str(action), EndReason.STAGE_LEFT, by)

    def change_preset(self, peer_id: str, preset: Preset) -> Events:
        """A preset as the organization has it applies to a peer from now on, and to what was changed of its
        permissions puts an end; nothing happens where it is the one that the peer has been given already."""
        before = self.peer(peer_id)
        if before.own_preset == preset:
            return []
        return self._become_under(before, replace(before.under(preset), changed_from=None))

    def change_permissions(self, peer_id: str, preset: Preset) -> Events:
        """The peer's preset with other permissions applies to it until it is given another one."""
        before = self.peer(peer_id)
        return self._become_under(before, replace(before.under(preset), changed_from=before.own_preset))

    def _become_under(self, before: Peer, after: Peer) -> Events:
        """What it no longer may, ends here."""
        if before.preset == after.preset:
            self._put(after)
            return []
        events = self._stand(before, after, "permission", EndReason.PERMISSION_REVOKED, None)
        for one in self.receiving.beyond(after):
            events += self.receiving.lose(after.id, one, EndReason.PERMISSION_REVOKED)
        return [PresetChanged(after, before), *events]

    def rename(self, peer_id: str, name: str, picture: str | None) -> Peer | None:
        """The peer as it is told now that its participant is called so, None if nothing changed."""
        peer = self.peer(peer_id)
        changed = peer.known_as(name, picture)
        return None if changed == peer else self._put(changed)

    # --- inside ----------------------------------------------------------------------------------------

    def _check_runs(self) -> None:
        if self.over:
            raise NotJoinedError("The session has ended. Join again.")

    def _settle(self, now: float) -> Events:
        """What it is while nobody comes or goes follows from who is in and who waits."""
        if self.over or self.peers:
            return []
        idle = SessionStatus.LIVE if self.was_live else SessionStatus.READY
        events = self._become(SessionStatus.WAITING if len(self.waiting_room) else idle)
        if events:
            self.empty_since = now
        return events

    def _become(self, status: SessionStatus) -> Events:
        if status is self.status:
            return []
        self.status = next_status(self.status, status)
        self.was_live = self.was_live or status is SessionStatus.LIVE
        return [SessionStatusChanged(status)]

    def _put(self, peer: Peer) -> Peer:
        self.peers[peer.id] = peer
        return peer

    def _own(self, peer_id: str, publication_id: str) -> Publication:
        self.peer(peer_id)
        return self.publications.own(peer_id, publication_id)

    def _end(self, publication: Publication, reason: EndReason) -> Event:
        del self.publications[publication.id]
        self.subscriptions.drop_publication(publication.id)
        return PublicationEnded(publication, reason)

    def _stand(self, before: Peer, after: Peer, action: str, reason: EndReason, by: str | None) -> Events:
        """A peer stands otherwise: grants, publications and requests follow in the same step."""
        self._put(after)
        own = self.publications.of(after.id)
        events: Events = []
        if grants_of(before, own) != grants_of(after, own):
            events.append(GrantsChanged(after))
        events += [self._end(one, reason) for one in own if not after.may_publish(one.source, one.kind)]
        if before.status is after.status:
            return events
        events.append(StageStatusChanged(after, before.status, action, by))
        if after.status is StageStatus.REQUESTED_TO_JOIN_STAGE:
            self._requests[after.id] = None
            return [*events, StageRequestsChanged()]
        return events + self._withdraw_request(after.id)

    def _withdraw_request(self, peer_id: str) -> Events:
        if peer_id not in self._requests:
            return []
        del self._requests[peer_id]
        return [StageRequestsChanged()]
