"""How people come into a session that takes them at once; who has to wait, see `waiting`. Runs in the
session's owner.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import structlog

from signaling.domain.events import LeaveReason
from signaling.domain.participant import Participant
from signaling.domain.peer import Origin, Peer, joining_peer
from signaling.domain.preset import Preset
from signaling.domain.session_status import SessionEndReason
from signaling.errors import NotJoinedError, PermissionDenied
from signaling.ids import new_id
from signaling.protocol import messages
from signaling.services.live.records import EndedElsewhere

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession

log = structlog.get_logger(__name__)


def arriving(
    live: LiveSession, participant: Participant, preset: Preset, request: messages.Join, origin: Origin
) -> Peer:
    """As it comes by a socket. Raises `PermissionDenied` for a name that it may not choose."""
    preset = live.furnished(preset)
    name = _display_name(participant, preset, request.name)
    hardware = request.hardware or messages.Hardware()
    return joining_peer(
        new_id("peer"),
        participant_id=participant.id,
        custom_participant_id=participant.custom_participant_id,
        name=name,
        registered_name=None if name == participant.name else participant.name,
        picture=participant.picture,
        preset=preset,
        device=request.device,
        joined_at=live.around.clock.now(),
        origin=replace(
            origin,
            sdk=request.sdk or None,
            context=request.context,
            cores=hardware.cores,
            memory=hardware.memory,
        ),
    )


def arriving_over_http(
    live: LiveSession, participant: Participant, preset: Preset, device: Literal["whip", "whep"]
) -> Peer:
    """Without a socket. It counts as detached until its media connection is up."""
    return joining_peer(
        new_id("peer"),
        participant_id=participant.id,
        custom_participant_id=participant.custom_participant_id,
        name=participant.name,
        picture=participant.picture,
        preset=live.furnished(preset),
        device=device,
        joined_at=live.around.clock.now(),
        detached_at=live.around.clock.monotonic(),
    )


async def enter(live: LiveSession, peer: Peer) -> None:
    """One that need not wait. (Who waited for such a one is let in by `waiting.follow`.) Raises what `write`
    raises."""
    await write(live, peer)
    events = live.session.join(peer)
    if not peer.over_http:
        live.open_mailbox(peer.id)
    live.announcer.announce(events)
    log.info("peer.joined", session=live.session.id, peer=peer.id, preset=peer.preset_name)


async def write(live: LiveSession, peer: Peer) -> None:
    """Its attendance, before it is in. Raises `MeetingFullError`, `NotJoinedError` where the session has
    ended elsewhere, and what the store raises."""
    session = live.session
    session.presence.check_room(peer, live.configuration.values.max_participants)
    try:
        await live.records.joined(peer, present=session.presence.counted + peer.counted)
    except EndedElsewhere:
        await live.end(SessionEndReason.SERVER_LOST, peers_leave=LeaveReason.SHUTDOWN)
        raise NotJoinedError("The session has ended. Join again.") from None
    if not session.was_live:
        live.begin_time()


def _display_name(participant: Participant, preset: Preset, wanted: str | None) -> str:
    if wanted is None or wanted == participant.name:
        return participant.name
    if not preset.permissions.can_edit_display_name:
        raise PermissionDenied("You may not choose your display name. Join without one.")
    return wanted
