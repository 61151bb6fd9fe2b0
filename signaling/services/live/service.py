"""What leads into the running sessions: joins and resumes; and time, which ends them."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog
from pydantic import BaseModel

from signaling.domain.events import LeaveReason
from signaling.domain.participant import ParticipantClaims
from signaling.domain.peer import UNKNOWN, Origin
from signaling.domain.session_status import SessionEndReason
from signaling.errors import (
    MeetingNotOpenError,
    NoActiveSessionError,
    NotJoinedError,
    ResumeRefusedError,
)
from signaling.protocol import messages
from signaling.repeating import Repeating
from signaling.services.admission import Admission, admit
from signaling.services.live import entering, notes, waiting, welcome
from signaling.services.live.devices import told_by
from signaling.services.live.expiry import TokenExpiry
from signaling.services.live.local_sessions import LocalSessions, unless_over
from signaling.services.live.ports import SurvivingMedia
from signaling.services.live.records import end_unfinished
from signaling.services.live.reports import PeerReports
from signaling.services.live.requests import HANDLERS
from signaling.services.live.restore import restore
from signaling.services.live.running import RunningSessions
from signaling.services.live.session import LiveSession
from signaling.services.live.surroundings import Surroundings
from signaling.services.ports import Tokens
from signaling.services.token_participants import make_participant

log = structlog.get_logger(__name__)

T = TypeVar("T")


class LiveService(LocalSessions):
    """`start` before use, `close` at the end."""

    def __init__(self, around: Surroundings, tokens: Tokens) -> None:
        running = RunningSessions(around, on_left=self._forget_peer, on_admitted=self._admitted)
        super().__init__(around, running)
        self._tokens = tokens
        self._of_peer: dict[str, LiveSession] = {}
        self._resume_tokens: dict[str, str] = {}
        """Digest of a resume token -> peer id."""
        self._token_of: dict[str, str] = {}
        self._expiry = TokenExpiry(around, tokens)
        self.reports = PeerReports(around, lambda: self._running)
        self._repeated = self._over_time()
        self._on_peer_left: list[Callable[[str], None]] = []
        self._on_http_restored: list[Callable[[str, str], None]] = []

    def on_peer_left(self, listener: Callable[[str], None]) -> None:
        """Told the id of every peer that left, for whatever reason."""
        self._on_peer_left.append(listener)

    def on_http_restored(self, listener: Callable[[str, str], None]) -> None:
        """Told of every peer over HTTP that was taken over: its id, and what was noted of its resource."""
        self._on_http_restored.append(listener)

    # --- the life of the service -----------------------------------------------------------------------

    async def start(self) -> None:
        """Takes up what the nodes carry of a process that died, ends the rest, then watches over time."""
        servers = self._around.servers
        await servers.begin()
        surviving = await self._around.nodes.surviving()
        taken = [await self._take_over(one) for one in surviving]
        going_on = {live.session.id for live in taken if live is not None}
        left_behind = await end_unfinished(
            self._around.uow,
            self._around.outbox,
            self._around.clock,
            servers.id,
            alone=servers.alone,
            going_on=going_on,
        )
        if left_behind:
            log.warning("sessions.ended_after_restart", count=left_behind)
        await self.reports.resume()
        for one in self._repeated:
            one.start()

    def _over_time(self) -> list[Repeating]:
        """What is done again and again while the service runs."""
        settings, renew_every = self._around.settings, self._around.servers.renew_every
        done = [
            Repeating("live sweeper", self.sweep, every=settings.sweep_interval),
            Repeating("peer sampler", self.reports.poll, every=settings.sample_every),
        ]
        if renew_every is not None:
            done.append(Repeating("lease keeper", self.keep_lease, every=renew_every))
        return done

    async def _take_over(self, surviving: SurvivingMedia) -> LiveSession | None:
        """A session that does not come back keeps no other from it."""
        try:
            restored = await restore(
                surviving,
                self._around,
                on_left=self._forget_peer,
                on_admitted=self._admitted,
                on_ended=self._running.forget,
            )
        except Exception:
            log.exception("session.not_taken_over", session=surviving.notes.get("id"))
            await surviving.close()
            return None
        if restored is None:
            return None
        live = restored.live
        self._running.put(live)
        for peer_id in live.session.peers:
            self.remember(peer_id, live)
        for peer_id, token in restored.tokens.items():
            self._remember(live, peer_id, token)
        for peer_id, text in restored.http.items():
            live.notebook.put("http", peer_id, text)
            for listener in self._on_http_restored:
                listener(peer_id, text)
        self._expiry.resume(live, restored.until)
        live.keep_notes()
        return live

    async def close(self) -> None:
        """Everybody is told that the service goes; nobody can join from now on."""
        self._running.close()
        for one in self._repeated:
            await one.close()
        for live in await self._running.settled():
            await self._end(live, SessionEndReason.SERVER_SHUTDOWN, LeaveReason.SHUTDOWN)
        await self._running.catch_up()
        await self.reports.save()

    async def sweep(self) -> None:
        """One look at what is due."""
        for peer_id in self._expiry.due():
            over = self._of_peer.get(peer_id)
            if over is not None:
                await unless_over(over, partial(over.leave, peer_id, LeaveReason.TIMED_OUT))
        for live in list(self._running):
            if live.due():
                try:
                    await unless_over(live, live.sweep)
                except Exception:
                    log.exception("session.sweep_failed", session=live.session.id)
        await self._running.catch_up()

    async def keep_lease(self) -> None:
        """Says that this server is there, and ends what those had who do not say so any more. Raises what the
        store raises; the next time makes up for it."""
        servers = self._around.servers
        if await servers.renew():
            await servers.end_lost()
            return
        log.error("lease.lost", server=servers.id)
        had = list(self._running)
        try:
            await servers.begin_anew()
        finally:
            for live in had:
                await self._end(live, SessionEndReason.SERVER_LOST, LeaveReason.SHUTDOWN)

    # --- peers -----------------------------------------------------------------------------------------

    async def join(
        self, request: messages.Join, origin: Origin = UNKNOWN
    ) -> messages.Joined | messages.Waiting:
        """Raises `InvalidTokenError`, `MeetingInactiveError`, `NotFoundError` (the preset, the meeting),
        `JoinRefusedError`, `MeetingNotOpenError`, `MeetingFullError`, `WaitingRoomFullError`,
        `PermissionDenied` (the name), `UnavailableError` (no node, or going down), `OverloadedError`,
        `MisdirectedError` (another server has the session)."""
        claims = self._tokens.verify(request.token)
        return await self.enter(claims, partial(self._join, request, claims, origin), name=request.name)

    async def enter(
        self,
        claims: ParticipantClaims,
        work: Callable[[LiveSession, Admission], Awaitable[T]],
        *,
        name: str | None = None,
    ) -> T:
        """Does the work of a participant who comes in, in the owner of the running session or of a new one.

        Looks in the session's own turn: a removal that was in force before it is seen here, one that comes
        later finds the peer. Before a session is begun it is looked as well. `name` is that of a guest, who
        is made a participant here.
        """
        self._around.nodes.admit()
        if claims.guest is not None:
            await make_participant(self._around.uow, self._around.clock, claims.guest, name)

        async def in_turn(live: LiveSession) -> T:
            admission = await admit(self._around.uow, claims)
            admission.check_join(live.configuration.values)
            return await work(live, admission)

        while True:
            live = await self._session_for(claims)
            try:
                return await live.owner.do(partial(in_turn, live))
            except NotJoinedError:
                log.info("join.again", session=live.session.id)  # it ended before our turn came

    def runs(self, meeting_id: str) -> bool:
        """Whether this server has the meeting's session."""
        return meeting_id in self._running

    async def check_here(self, meeting_id: str) -> None:
        """Raises `NoActiveSessionError` where the meeting has no session, `MisdirectedError` where another
        server has it."""
        if not self.runs(meeting_id):
            await self._around.servers.free(meeting_id)
            raise NoActiveSessionError

    def remember(self, peer_id: str, live: LiveSession) -> None:
        """A peer that joined; forgotten when it leaves."""
        self._of_peer[peer_id] = live

    async def within(self, peer_id: str, work: Callable[[LiveSession], Awaitable[T]]) -> T:
        """Does some work about a peer in its session's owner. Raises `NotJoinedError` when it is gone."""
        live = self._of_peer.get(peer_id)
        if live is None:
            raise NotJoinedError
        return await live.owner.do(partial(work, live))

    async def resume(self, request: messages.Resume, socket_id: str | None = None) -> messages.Resumed:
        """The peer of the token speaks over another socket now. Raises `ResumeRefusedError`."""
        peer_id = self._resume_tokens.get(notes.digest(request.resume_token))
        live = None if peer_id is None else self._of_peer.get(peer_id)
        if peer_id is None or live is None:
            raise ResumeRefusedError
        try:
            return await live.owner.do(partial(self._resume, live, peer_id, request, socket_id))
        except NotJoinedError:
            raise ResumeRefusedError from None

    async def handle(self, peer_id: str, request: messages.AnyRequest) -> BaseModel:
        """A joined peer's request; raises the named error that answers it."""
        live = self._of_peer.get(peer_id)
        if live is None:
            raise NotJoinedError
        if isinstance(request, messages.UpdateToken):
            return await live.owner.do(partial(self._expiry.update, live, peer_id, request))
        if isinstance(request, messages.ReportDevices):
            return self._report_devices(live, peer_id, request)
        return await live.owner.do(partial(HANDLERS[type(request)], live, peer_id, request))

    def _report_devices(
        self, live: LiveSession, peer_id: str, request: messages.ReportDevices
    ) -> messages.Empty:
        """Past the owner, who has better to do: it changes nothing of the session. Raises
        `InvalidInputError`."""
        live.session.peer(peer_id)
        self.reports.handle_devices(live, peer_id, *told_by(request))
        return messages.Empty()

    async def detach(self, peer_id: str) -> None:
        """The peer's socket is gone."""
        live = self._of_peer.get(peer_id)
        if live is not None:
            await unless_over(live, partial(live.detach, peer_id))

    # --- beginning and ending --------------------------------------------------------------------------

    async def _session_for(self, claims: ParticipantClaims) -> LiveSession:
        """Where the claims lead. Only for a session that runs they are not looked into yet."""
        running = self._running.get(claims.meeting_id)
        if running is not None and not self._running.closing:
            return running
        admission = await admit(self._around.uow, claims)
        configuration = await self._configuration_for(admission.meeting)
        admission.check_join(configuration.values)
        try:
            admission.check_open(configuration.values)
        except MeetingNotOpenError:
            await self._around.servers.free(claims.meeting_id)  # unless somebody has opened it elsewhere
            raise
        return await self._running.of(admission.meeting, configuration)

    def _forget_peer(self, peer_id: str) -> None:
        self._expiry.forget(peer_id)
        self.reports.handle_left(peer_id)
        self._of_peer.pop(peer_id, None)
        token = self._token_of.pop(peer_id, None)
        if token is not None:
            del self._resume_tokens[token]
        for listener in self._on_peer_left:
            listener(peer_id)

    # --- joining and resuming, in the owner ------------------------------------------------------------

    async def _join(
        self,
        request: messages.Join,
        claims: ParticipantClaims,
        origin: Origin,
        live: LiveSession,
        admission: Admission,
    ) -> messages.Joined | messages.Waiting:
        peer = entering.arriving(live, admission.participant, admission.preset, request, origin)
        if waiting.must_wait(live, peer):
            answer = await waiting.wait(live, peer, claims)
            self.remember(peer.id, live)
            self._expiry.begin(live, peer.id, claims)
            return answer
        await entering.enter(live, peer)
        await waiting.follow(live)
        self.remember(peer.id, live)
        self._expiry.begin(live, peer.id, claims)
        return welcome.joined(live, live.session.peer(peer.id), self._new_token(live, peer.id))

    def _admitted(self, live: LiveSession, peer_id: str) -> str:
        """The resume token of one that has waited."""
        self._expiry.admitted(live, peer_id)
        return self._new_token(live, peer_id)

    def _new_token(self, live: LiveSession, peer_id: str) -> str:
        token = secrets.token_urlsafe(32)
        self._remember(live, peer_id, notes.digest(token))
        return token

    async def _resume(
        self, live: LiveSession, peer_id: str, request: messages.Resume, socket_id: str | None
    ) -> messages.Resumed:
        if self._token_of.get(peer_id) != notes.digest(request.resume_token):
            raise ResumeRefusedError
        resumption = await live.resume(
            peer_id, request.last_seq, or_snapshot=request.snapshot, socket_id=socket_id
        )
        token = self._new_token(live, peer_id)
        offer = live.connectivity.give(peer_id, live.session.peer(peer_id).participant_id)
        return messages.Resumed(
            peer_id=peer_id,
            session_id=live.session.id,
            resume_token=token,
            replayed=resumption.missed,
            seq=resumption.seq,
            snapshot=resumption.snapshot,
            ice_servers=offer.servers,
        )

    def _remember(self, live: LiveSession, peer_id: str, token: str) -> None:
        """The digest of a token; the peer's former one is void."""
        before = self._token_of.pop(peer_id, None)
        if before is not None:
            del self._resume_tokens[before]
        self._resume_tokens[token] = peer_id
        self._token_of[peer_id] = token
        live.notebook.put("token", peer_id, token)
