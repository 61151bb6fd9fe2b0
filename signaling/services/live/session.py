"""One running session: decide, then make it true at the node, keep it, announce it.

Everything here runs inside the session's owner, one command after the other. The order in `carry_out` is the
promise that security rests on: media is stopped at the node before anybody hears that it was.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from signaling.domain.configuration import EffectiveConfiguration
from signaling.domain.events import (
    Event,
    GrantsChanged,
    LeaveReason,
    PeerLeft,
    PeerTurnedAway,
    PublicationEnded,
    PublicationMuted,
    PublicationUnmuted,
    SessionEnded,
    SubscriptionEnded,
)
from signaling.domain.meeting import Meeting
from signaling.domain.participant import ParticipantClaims
from signaling.domain.preset import Preset
from signaling.domain.publication import grants_of
from signaling.domain.session import Session, SessionRecord, SessionStatus
from signaling.domain.session_end import reason_of_silence
from signaling.domain.session_status import SessionEndReason
from signaling.domain.time_limit import TimeLimit
from signaling.domain.tracked import Tracked
from signaling.errors import (
    MediaUnavailableError,
    NotJoinedError,
    ResumeRefusedError,
)
from signaling.protocol import messages
from signaling.services.live import media_events, media_presence, view_modes, viewing, waiting, welcome
from signaling.services.live.announce import Announcer
from signaling.services.live.connectivity import Connectivity
from signaling.services.live.notebook import Notebook
from signaling.services.live.owner import Owner
from signaling.services.live.ports import MediaEvent, MediaSession
from signaling.services.live.records import SessionRecords
from signaling.services.live.surroundings import Surroundings
from signaling.services.live.viewing import View

log = structlog.get_logger(__name__)

OPENED_WAITS: Final = 600.0
"""Seconds for which a session that was opened waits for the first to join."""
WAITS_ALONE: Final = 3600.0
"""Seconds for which people wait in a session that nobody is in."""
REPLACE_RETRY = 1.0
"""Seconds between attempts to place a session again whose node was lost."""


EVENTS_PER_GENERATION = 1 << 40
"""The events of a session's peers are numbered from a multiple of this on, another one in every process that
has it: so no number of one is taken for another's. (Scripts count exactly to 2^53.)"""


@dataclass(frozen=True, slots=True)
class Resumption:
    """`missed` events follow the number `seq`; with a snapshot, that is the state as of it."""

    missed: int
    seq: int
    snapshot: messages.Snapshot | None = None


class LiveSession:
    """Made by `LiveService`; `on_left` and `on_ended` let it forget what is over, `on_admitted` gives a peer
    that waited its resume token."""

    def __init__(
        self,
        session: Session,
        records: SessionRecords,
        meeting: Meeting,
        configuration: EffectiveConfiguration,
        around: Surroundings,
        *,
        generation: int = 0,
        wait: float | None = None,
        on_left: Callable[[str], None],
        on_admitted: Callable[[LiveSession, str], str],
        on_ended: Callable[[LiveSession], None],
    ) -> None:
        self.session = session
        self.records = records
        self.meeting = meeting
        self.configuration = configuration
        self.time_limit = TimeLimit(records.record.started_at, configuration.values.max_duration_secs)
        self._wait = wait
        self.around = around
        self.owner = Owner(session.id, self.keep_notes)
        self.announcer = Announcer(session, around.hub)
        self.connectivity = Connectivity(around.ice_servers, around.clock)
        self.views: Tracked[str, View] = Tracked()
        """Of WHEP players, by peer id."""
        self.notebook = Notebook(session, self.views, generation)
        self.waiting_claims: dict[str, ParticipantClaims] = {}
        """By peer id, of those that wait: looked at again when they are admitted."""
        self.active_speaker: str | None = None
        """Peer id."""
        self._media: MediaSession | None = None
        self._recovering: set[asyncio.Task[None]] = set()
        self.on_admitted = on_admitted
        self._on_left = on_left
        self._on_ended = on_ended

    @property
    def media(self) -> MediaSession:
        """Raises `MediaUnavailableError` before the session has a place."""
        if self._media is None:
            raise MediaUnavailableError
        return self._media

    @property
    def grace(self) -> float:
        """Seconds for which it stays as it is while nobody is in."""
        keep_alive = self.configuration.values.session_keep_alive_time_in_secs or 0
        match self.session.status:
            case SessionStatus.READY:
                return max(keep_alive, self._wait or 0)
            case SessionStatus.WAITING:
                return WAITS_ALONE
        return keep_alive

    def furnished(self, preset: Preset) -> Preset:
        """A preset of the organization as it is in this session."""
        return self.configuration.values.laid_over(preset)

    async def change_meeting(self, meeting: Meeting, configuration: EffectiveConfiguration) -> None:
        """`configuration` as it would be for a new session: what of it changes while one runs, does."""
        self.meeting = meeting
        before, self.configuration = self.configuration, self.configuration.renewed(configuration)
        if self.configuration == before:
            return
        await self.records.keep_configuration(self.configuration)
        voices = self.configuration.values.loudest_audio
        if voices != before.values.loudest_audio:
            await self.media.limit_voices(voices)
        await waiting.follow(self)

    # --- the life of the session -----------------------------------------------------------------------

    async def start(self, *, instead_of: SessionRecord | None = None) -> None:
        """Places it on a node, keeps it (`instead_of` another, see `SessionRecords.add`), and takes commands
        from now on."""
        self._media = await self.around.nodes.place(self.session.id, self.handle_media_event)
        try:
            if self.configuration.values.loudest_audio is not None:
                await self._media.limit_voices(self.configuration.values.loudest_audio)
            await self.records.add(self.configuration, instead_of=instead_of)
        except BaseException:
            await self._media.close()
            raise
        self.session.start(self.around.clock.monotonic())
        self.keep_notes()
        self.owner.start()
        log.info("session.ready", session=self.session.id, meeting=self.meeting.id)

    def take_media(self, media: MediaSession) -> None:
        """Instead of `start`: its nodes carry it already."""
        self._media = media

    def keep_notes(self) -> None:
        """Where the media is, everything is noted that another process would need to go on with it."""
        changes = self.notebook.poll()
        if changes and self._media is not None and not self.session.over:
            self._media.note(changes)

    async def end(self, reason: SessionEndReason, *, peers_leave: LeaveReason = LeaveReason.ENDED) -> None:
        now = self.around.clock.monotonic()
        await self.carry_out(self.session.end(reason, now, peers_leave=peers_leave))
        self.session.finish()
        for task in self._recovering:
            task.cancel()
        self.owner.stop()
        log.info("session.ended", session=self.session.id, reason=reason)

    async def sweep(self) -> None:
        """What time alone brings about: peers that did not come back, an empty session's end."""
        now = self.around.clock.monotonic()
        for peer in self.session.presence.overdue(now, self.around.settings.resume_within):
            await self.leave(peer.id, LeaveReason.TIMEOUT)
        self._renew_ice_servers()
        await self.records.flush()
        await waiting.follow(self)
        await self._keep_time()
        empty = self.session.empty_since
        if empty is not None and now - empty >= self.grace and not self.session.over:
            await self.end(reason_of_silence(self.session.status, was_live=self.session.was_live))

    async def _keep_time(self) -> None:
        now, limit = self.around.clock.now(), self.time_limit
        if limit.over(now):
            await self.end(SessionEndReason.MAX_DURATION_REACHED)
        elif limit.warning_due(now):
            limit.handle_warned(now)
            self.announcer.ending(limit.ends_at, limit.left(now))

    def due(self) -> bool:
        """Whether a sweep may have something to do, without taking the owner's time."""
        now = self.around.clock.monotonic()
        empty = self.session.empty_since
        return (
            self.records.behind
            or bool(self.connectivity.due())
            or self._out_of_time()
            or (empty is not None and now - empty >= self.grace)
            or bool(self.session.waiting_room)
            or bool(self.session.presence.overdue(now, self.around.settings.resume_within))
        )

    def _out_of_time(self) -> bool:
        now = self.around.clock.now()
        return self.time_limit.over(now) or self.time_limit.warning_due(now)

    # --- peers -----------------------------------------------------------------------------------------

    def open_mailbox(self, peer_id: str, *, waits: bool = False) -> None:
        self.around.hub.open(peer_id, self.notebook.generation * EVENTS_PER_GENERATION, waits=waits)

    async def detach(self, peer_id: str) -> None:
        """Its socket is lost. Who waits gives the place up with it."""
        if peer_id in self.session.waiting_room:
            await self.leave(peer_id, LeaveReason.LEFT)
        elif peer_id in self.session.peers:
            self.connectivity.forget(peer_id)
            await self.carry_out(self.session.detach(peer_id, self.around.clock.monotonic()))

    async def resume(
        self, peer_id: str, last_seq: int, *, or_snapshot: bool, socket_id: str | None
    ) -> Resumption:
        """Raises `ResumeRefusedError` before anything changed; with `or_snapshot` not for lost events."""
        peer, hub = self.session.peer(peer_id), self.around.hub
        try:
            missed = hub.missed(peer_id, last_seq)
        except ResumeRefusedError:
            if not or_snapshot or peer.over_http:
                raise
            await self.carry_out(self.session.resume(peer_id, socket_id))
            seq = hub.seq(peer_id)
            hub.missed(peer_id, seq)
            snapshot = welcome.snapshot(self, self.session.peer(peer_id))
            await self.media.retell(peer_id)
            return Resumption(0, seq, snapshot)
        await self.carry_out(self.session.resume(peer_id, socket_id))
        return Resumption(missed, last_seq)

    async def leave(self, peer_id: str, reason: LeaveReason) -> None:
        if peer_id in self.session.peers:
            now = self.around.clock.monotonic()
            await self.carry_out(self.session.leave(peer_id, reason, now))
        else:
            await waiting.turn_away(self, [peer_id], reason)

    async def remove(self, peer_ids: list[str]) -> None:
        """Puts peers out."""
        now = self.around.clock.monotonic()
        present = [peer_id for peer_id in dict.fromkeys(peer_ids) if peer_id in self.session.peers]
        events = [
            event for peer_id in present for event in self.session.leave(peer_id, LeaveReason.KICKED, now)
        ]
        await self.carry_out(events)

    def begin_time(self) -> None:
        """The first is in."""
        assert self.records.record.started_at is not None, "the first join is written"
        self.time_limit.begin(self.records.record.started_at)
        log.info("session.live", session=self.session.id)

    # --- making it true --------------------------------------------------------------------------------

    async def carry_out(self, events: list[Event]) -> None:
        """At the node, in the store, to the peers: in this order."""
        await self._obey(events)
        await self.records.keep(events)
        self.announcer.announce(events)
        for event in events:
            if isinstance(event, PeerLeft):
                self.connectivity.forget(event.peer.id)
                self.views.drop(event.peer.id)
                log.info("peer.left", session=self.session.id, peer=event.peer.id, reason=event.reason)
                self._on_left(event.peer.id)
            elif isinstance(event, PeerTurnedAway):
                log.info("peer.turned_away", session=self.session.id, peer=event.peer.id, reason=event.reason)
                self.waiting_claims.pop(event.peer.id, None)
                self._on_left(event.peer.id)
            elif isinstance(event, SessionEnded):
                self._on_ended(self)
        for peer in media_presence.dismissed(self.session, events):
            await self.leave(peer.id, LeaveReason.LEFT)
        await viewing.follow(self)
        await view_modes.handle_events(self, events)
        await waiting.follow(self)

    async def _obey(self, events: list[Event]) -> None:
        media = self._media
        if media is None:
            return
        if any(isinstance(event, SessionEnded) for event in events):
            await media.close()
            return
        ended: list[str] = []
        for event in events:
            match event:
                case GrantsChanged(peer):
                    own = self.session.publications.of(peer.id)
                    await media.set_grants(peer.id, grants_of(peer, own))
                case PublicationEnded(publication):
                    ended.append(publication.id)
                case SubscriptionEnded(lost):
                    await media.unsubscribe(lost.peer_id, [lost.publication_id])
                case PublicationMuted(publication):
                    await media.mute(publication.id)
                case PublicationUnmuted(publication):
                    await media.unmute(publication.id)
                case PeerLeft(peer):
                    await media.close_peer(peer.id)
                case _:
                    pass
        await media.end_publications(ended)

    # --- the node --------------------------------------------------------------------------------------

    def handle_media_event(self, event: MediaEvent) -> None:
        """The node's listener: the owner deals with it in its turn."""
        self.owner.post(partial(media_events.handle, self, event))

    async def lose_media(self, peer_ids: Sequence[str]) -> None:
        """The node of these peers is gone. They are told once they have a place again."""
        present = [peer_id for peer_id in peer_ids if peer_id in self.session.peers]
        await self.carry_out(self.session.lose_media(present))
        task = asyncio.create_task(self._recover(present), name=f"recover {self.session.id}")
        self._recovering.add(task)
        task.add_done_callback(self._recovering.discard)

    async def _recover(self, peer_ids: Sequence[str]) -> None:
        while True:
            try:
                await self.media.recover(peer_ids)
            except MediaUnavailableError:
                log.warning("session.not_placed", session=self.session.id)
                await asyncio.sleep(REPLACE_RETRY)
            else:
                break
        with contextlib.suppress(NotJoinedError):  # the session ended meanwhile
            await self.owner.do(partial(self._recovered, peer_ids))

    async def _recovered(self, peer_ids: Sequence[str]) -> None:
        log.info("session.placed_again", session=self.session.id, peers=len(peer_ids))
        self.announcer.reset_media(peer_ids)

    def _renew_ice_servers(self) -> None:
        for peer_id in self.connectivity.due():
            offer = self.connectivity.give(peer_id, self.session.peer(peer_id).participant_id)
            renewed = messages.IceServersChanged(ice_servers=offer.servers, ttl=offer.ttl)
            self.announcer.to_peer(peer_id, renewed)
