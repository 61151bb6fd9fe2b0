"""What REST asks of the sessions of this process, and does to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice

import structlog

from signaling.domain.configuration import NOTHING_SAID, Configuration, EffectiveConfiguration
from signaling.domain.events import LeaveReason
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.peer import Peer
from signaling.domain.session_status import SessionEndReason
from signaling.domain.targets import Targets
from signaling.errors import ConflictError, NoActiveSessionError, NotJoinedError
from signaling.services.levels import allowed_for
from signaling.services.live import moderation, waiting
from signaling.services.live.running import RunningSessions
from signaling.services.live.session import OPENED_WAITS, LiveSession
from signaling.services.live.standing import follow_participant, follow_preset
from signaling.services.live.surroundings import Surroundings
from signaling.services.ports import LiveSessionView, Outlook, PresentView, WaitingView

log = structlog.get_logger(__name__)


class LocalSessions:
    """Implements `signaling.services.ports.LiveSessions` for those that run here."""

    def __init__(self, around: Surroundings, running: RunningSessions) -> None:
        self._around = around
        self._running = running

    # --- looking and moderating ------------------------------------------------------------------------

    async def active(self, meeting_id: str) -> LiveSessionView | None:
        live = self._running.get(meeting_id)
        return None if live is None else _view(live)

    async def outlook(self, meeting_id: str, participant_id: str, *, names: int) -> Outlook | None:
        live = self._running.get(meeting_id)
        if live is None:
            return None
        counted = (peer for peer in live.session.peers.values() if peer.counted)
        return Outlook(
            live_participants=live.session.presence.counted,
            present=tuple(PresentView(peer.name, peer.picture) for peer in islice(counted, names)),
            lobby=bool(live.configuration.values.lobby_enabled),
            moderated=live.session.presence.moderated,
            admitted=participant_id in live.session.waiting_room.admitted,
        )

    async def kick(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        return await self._moderate(meeting_id, targets, moderation.put_out)

    async def kick_all(self, meeting_id: str) -> int:
        live = self._active(meeting_id)
        return await live.owner.do(partial(moderation.end_for_all, live))

    async def mute(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        return await self._moderate(meeting_id, targets, moderation.mute_targets)

    async def mute_all(self, meeting_id: str, *, allow_unmute: bool) -> int:
        live = self._active(meeting_id)
        return await live.owner.do(partial(moderation.silence, live, allow_unmute=allow_unmute))

    async def censor(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        return await self._moderate(meeting_id, targets, moderation.censor_targets)

    async def unmute(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        return await self._moderate(meeting_id, targets, moderation.uncensor_targets)

    async def waiting(self, meeting_id: str) -> Sequence[WaitingView]:
        return [_waiting_view(peer) for peer in self._active(meeting_id).session.waiting_room]

    async def admit(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        return await self._moderate(meeting_id, targets, waiting.admit_targets)

    async def deny(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        return await self._moderate(meeting_id, targets, waiting.deny_targets)

    async def _moderate(
        self,
        meeting_id: str,
        targets: Targets,
        work: Callable[[LiveSession, Targets], Awaitable[list[str]]],
    ) -> Sequence[Participant]:
        live = self._active(meeting_id)
        return await self._participants(live, await live.owner.do(partial(work, live, targets)))

    # --- following what was changed ----------------------------------------------------------------------

    async def preset_changed(self, organization_id: str, preset_name: str) -> None:
        async with self._around.uow(reading=True) as uow:
            record = await uow.presets.by_name(organization_id, preset_name)
        if record is None:
            return
        for live in list(self._running):
            if live.session.organization_id == organization_id:
                await unless_over(live, partial(follow_preset, live, record.preset))

    async def participant_changed(self, participant: Participant) -> None:
        live = self._running.get(participant.meeting_id)
        if live is None:
            return
        async with self._around.uow(reading=True) as uow:
            record = await uow.presets.by_name(participant.organization_id, participant.preset_name)
        preset = None if record is None else record.preset
        await unless_over(live, partial(follow_participant, live, participant, preset))

    async def participant_removed(self, participant: Participant) -> None:
        live = self._running.get(participant.meeting_id)
        if live is not None:
            peers = live.session.peers

            async def work() -> None:
                await live.remove([one.id for one in peers.values() if one.participant_id == participant.id])
                theirs = [one.id for one in live.session.waiting_room if one.participant_id == participant.id]
                await waiting.turn_away(live, theirs, LeaveReason.KICKED)

            await unless_over(live, work)

    async def meeting_changed(self, meeting: Meeting) -> None:
        self._around.outbox.forget_meeting(meeting.id)
        live = self._running.get(meeting.id)
        if live is not None:
            configuration = await self._configuration_for(meeting)
            await unless_over(live, partial(live.change_meeting, meeting, configuration))

    async def meeting_removed(self, meeting: Meeting) -> None:
        live = self._running.get(meeting.id)
        if live is not None:
            await self._end(live, SessionEndReason.MEETING_DELETED, LeaveReason.KICKED)

    async def open(self, meeting: Meeting, said: Configuration) -> LiveSessionView:
        configuration = await self._configuration_for(meeting, said)
        live = await self._running.of(meeting, configuration, wait=OPENED_WAITS)
        if not live.configuration.said_alone(said):
            raise ConflictError("A session runs already, with another configuration. Close it first.")
        return _view(live)

    # --- inside ----------------------------------------------------------------------------------------

    def _active(self, meeting_id: str) -> LiveSession:
        live = self._running.get(meeting_id)
        if live is None:
            raise NoActiveSessionError
        return live

    async def _participants(self, live: LiveSession, ids: Sequence[str]) -> list[Participant]:
        async with self._around.uow(reading=True) as uow:
            found = [
                await uow.participants.get(live.session.organization_id, live.session.meeting_id, one)
                for one in ids
            ]
        return [one for one in found if one is not None]

    async def _configuration_for(
        self, meeting: Meeting, said: Configuration = NOTHING_SAID
    ) -> EffectiveConfiguration:
        """`said` for one session alone."""
        async with self._around.uow(reading=True) as uow:
            return await allowed_for(uow, self._around.house.system, meeting, said)

    async def _end(self, live: LiveSession, reason: SessionEndReason, peers_leave: LeaveReason) -> None:
        await unless_over(live, partial(live.end, reason, peers_leave=peers_leave))
        await live.owner.wait_stopped()


def _view(live: LiveSession) -> LiveSessionView:
    record = live.records.record
    return LiveSessionView(
        id=record.id,
        meeting_id=record.meeting_id,
        organization_id=record.organization_id,
        meeting_title=live.meeting.title,
        status=live.session.status,
        live_participants=live.session.presence.counted,
        max_concurrent_participants=record.max_concurrent_participants,
        minutes_consumed=live.records.minutes_consumed(),
        started_at=record.started_at,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def _waiting_view(peer: Peer) -> WaitingView:
    return WaitingView(
        peer_id=peer.id,
        participant_id=peer.participant_id,
        custom_participant_id=peer.custom_participant_id,
        name=peer.name,
        picture=peer.picture,
        since=peer.joined_at,
    )


async def unless_over(live: LiveSession, work: Callable[[], Awaitable[None]]) -> None:
    """A session that ended meanwhile needs nothing any more."""
    try:
        await live.owner.do(work)
    except NotJoinedError:
        log.debug("session.over_already", session=live.session.id)
