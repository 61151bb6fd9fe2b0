"""A session taken up again after the process that had it died, from its notes, the store and the nodes.

    notes   who is in it, who publishes what, who stands where
    store   what became of meeting, presets and participants; its books are continued
    nodes   what media is still there: what is gone has ended, what nobody knows is closed

Where they differ, the node follows the notes and the notes follow the store, so that nothing is granted that
the store would not grant. Peers have lost their sockets and come back with their tokens, or their time to do
so ends. It is done within the session's owner, before anybody can come in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from signaling.domain.attendance import Attendance
from signaling.domain.configuration import EffectiveConfiguration
from signaling.domain.events import LeaveReason, SessionStatusChanged
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.preset import Preset
from signaling.domain.publication import grants_of
from signaling.domain.session import Session, SessionRecord
from signaling.services.levels import allowed_for
from signaling.services.live import viewing
from signaling.services.live.notes import Noted
from signaling.services.live.ports import Carried, MediaEvent, SurvivingMedia
from signaling.services.live.records import SessionRecords
from signaling.services.live.session import OPENED_WAITS, LiveSession
from signaling.services.live.standing import follow_participant, follow_preset
from signaling.services.live.surroundings import Surroundings
from signaling.services.live.viewing import View

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """`tokens`: peer id -> digest of its resume token. `http`: peer id -> what was noted of its resource.
    `until`: peer id -> when its client token is over."""

    live: LiveSession
    tokens: dict[str, str]
    http: dict[str, str]
    until: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Books:
    """What the store says. Presets by name, participants by id."""

    record: SessionRecord
    meeting: Meeting
    configuration: EffectiveConfiguration
    attendances: list[Attendance]
    presets: dict[str, Preset]
    participants: dict[str, Participant]


async def restore(
    surviving: SurvivingMedia,
    around: Surroundings,
    *,
    on_left: Callable[[str], None],
    on_admitted: Callable[[LiveSession, str], str],
    on_ended: Callable[[LiveSession], None],
) -> Restored | None:
    """None for what is no session any more: its media is closed."""
    session_id = surviving.notes.get("id", "")
    try:
        noted = Noted(surviving.notes)
        books = await _books(noted, session_id, around)
    except ValueError as error:
        log.error("session.notes_unreadable", session=session_id, error=type(error).__name__)
        books = None
    if books is None:
        await surviving.close()
        return None

    clock = around.clock
    session = Session(session_id, noted.session.meeting_id, noted.session.organization_id)
    peers = noted.peers(clock.monotonic())
    records = SessionRecords(books.record, around.uow, clock, around.outbox)
    records.resume(books.attendances, {peer.id for peer in peers})
    live = LiveSession(
        session,
        records,
        books.meeting,
        books.configuration,
        around,
        generation=noted.session.generation + 1,
        wait=OPENED_WAITS if books.record.started_at is None else None,
        on_left=on_left,
        on_admitted=on_admitted,
        on_ended=on_ended,
    )
    carried = await surviving.take(
        session_id, [peer.id for peer in peers], noted.publications, _listener(live)
    )
    session.resume_life(
        peers,
        [one for one in noted.publications if one.id in carried.publication_ids],
        carried.subscriptions,
        noted.session.memory,
        clock.monotonic(),
        admitted=noted.admitted,
        was_live=books.record.started_at is not None,
    )
    live.announcer.resume()
    for peer_id, mode in noted.view_modes.items():
        if peer_id in session.peers:
            session.view_modes.choose(peer_id, mode)
    for peer_id, player in noted.players.items():
        if peer_id in session.peers:
            showing, undecodable = dict(player.showing), set(player.undecodable)
            live.views[peer_id] = View(peer_id, player.wanted, dict(player.lines), showing, undecodable)
    live.take_media(carried.media)
    for peer in peers:
        if not peer.over_http:
            live.open_mailbox(peer.id)
    live.owner.start()
    await live.owner.do(partial(_reconcile, live, carried, books))
    log.warning("session.taken_over", session=session_id, peers=len(session.peers))
    present = session.peers
    return Restored(
        live,
        {peer_id: token for peer_id, token in noted.tokens.items() if peer_id in present},
        {peer_id: text for peer_id, text in noted.http.items() if peer_id in present},
        {peer_id: text for peer_id, text in noted.until.items() if peer_id in present},
    )


def _listener(live: LiveSession) -> Callable[[MediaEvent], None]:
    return live.handle_media_event


async def _books(noted: Noted, session_id: str, around: Surroundings) -> _Books | None:
    """None where the session has ended in the store, or its meeting is gone."""
    organization_id, meeting_id = noted.session.organization_id, noted.session.meeting_id
    peers = noted.peers(0.0)
    async with around.uow(reading=True) as uow:
        record = await uow.sessions.get(session_id)
        meeting = await uow.meetings.get(organization_id, meeting_id)
        if record is None or record.ended_at is not None or meeting is None:
            log.warning("session.not_in_the_store", session=session_id)
            return None
        attendances = await uow.sessions.attendances(session_id)
        configuration = await uow.configurations.snapshot(organization_id, session_id)
        if configuration is None:  # begun by a version that kept none
            configuration = await allowed_for(uow, around.house.system, meeting)
        participants: dict[str, Participant] = {}
        for participant_id in {peer.participant_id for peer in peers}:
            found = await uow.participants.get(organization_id, meeting_id, participant_id)
            if found is not None:
                participants[participant_id] = found
        names = {peer.preset_name for peer in peers} | {one.preset_name for one in participants.values()}
        presets = {}
        for name in names:
            preset = await uow.presets.by_name(organization_id, name)
            if preset is not None:
                presets[name] = preset.preset
    return _Books(record, meeting, configuration, list(attendances), presets, participants)


async def _reconcile(live: LiveSession, carried: Carried, books: _Books) -> None:
    session, media = live.session, carried.media
    if session.status is not live.records.record.status:
        await live.carry_out([SessionStatusChanged(session.status)])  # who waited has lost the socket
    await media.limit_voices(live.configuration.values.loudest_audio)
    known = books.participants
    await live.remove([one.id for one in session.peers.values() if one.participant_id not in known])
    for preset in books.presets.values():
        await follow_preset(live, preset)
    for participant in books.participants.values():
        await follow_participant(live, participant, books.presets.get(participant.preset_name))
    for peer in list(session.peers.values()):
        await media.set_grants(peer.id, grants_of(peer, session.publications.of(peer.id)))
        if not peer.over_http:
            continue
        if media.has(peer.id, "publish" if peer.device == "whip" else "subscribe"):
            await media.retell(peer.id)
        else:
            await live.leave(peer.id, LeaveReason.LEFT)
    for one in list(session.publications.values()):
        muted = one.muted_by is not None
        if muted and one.id not in carried.paused:
            await media.mute(one.id)
        elif not muted and one.id in carried.paused:
            await media.unmute(one.id)
    await viewing.follow(live)
