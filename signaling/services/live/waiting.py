"""The waiting room made true: who waits is told so, and comes in when a moderator, the organization or the
rules let them. Runs in the session's owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from signaling.domain.events import LeaveReason
from signaling.domain.participant import ParticipantClaims
from signaling.domain.peer import Peer
from signaling.domain.targets import Targets
from signaling.errors import (
    InvalidInputError,
    InvalidTokenError,
    JoinRefusedError,
    MeetingInactiveError,
    NotFoundError,
    SignalingError,
)
from signaling.protocol import messages
from signaling.services.admission import admit as recheck
from signaling.services.live import entering, welcome
from signaling.services.live.render import error_dict

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession

log = structlog.get_logger(__name__)

_REFUSALS: Final = (InvalidTokenError, JoinRefusedError, MeetingInactiveError, NotFoundError)


def must_wait(live: LiveSession, peer: Peer) -> bool:
    return live.session.must_wait(peer, lobby=bool(live.configuration.values.lobby_enabled))


async def wait(live: LiveSession, peer: Peer, claims: ParticipantClaims) -> messages.Waiting:
    """It waits from now on. Raises `WaitingRoomFullError` and `LimitExceededError`."""
    events = live.session.wait(peer, live.around.clock.monotonic())
    live.waiting_claims[peer.id] = claims
    live.open_mailbox(peer.id, waits=True)
    await live.carry_out(events)
    log.info("peer.waits", session=live.session.id, peer=peer.id, preset=peer.preset_name)
    return welcome.waiting(live, peer)


async def change(live: LiveSession, peer: Peer) -> None:
    """What is known of one that waits is something else now, by which it may be let in."""
    if peer != live.session.waiting_room.peer(peer.id):
        await live.carry_out(live.session.wait(peer, live.around.clock.monotonic()))


async def follow(live: LiveSession) -> None:
    """Lets in whom nothing keeps any more, first come first. Where there is no room they go on waiting, and
    are tried again with the next sweep; whom the meeting does not take any more is turned away."""
    for peer in live.session.waiting_room:
        if live.session.over:
            return
        if must_wait(live, peer):
            continue
        try:
            await _let_in(live, peer.id)
        except _REFUSALS as error:
            log.info("peer.refused", session=live.session.id, peer=peer.id, error=error.name)
            await turn_away(live, [peer.id], LeaveReason.REJECTED)
        except Exception as error:  # also whatever the store's adapter raises
            log.debug("peer.not_admitted", session=live.session.id, peer=peer.id, error=repr(error))
            return


async def _let_in(live: LiveSession, peer_id: str) -> None:
    """Raises `NotFoundError` where it does not wait any more. What else it raises leaves it waiting: what a
    join is refused for now, whatever was so when it came, `MeetingFullError`, `OverloadedError`, and what the
    store raises."""
    waiting = live.session.waiting_room.peer(peer_id)
    live.around.nodes.admit()
    admission = await recheck(live.around.uow, live.waiting_claims[peer_id])
    admission.check_join(live.configuration.values)
    peer = replace(waiting, joined_at=live.around.clock.now())
    await entering.write(live, peer)
    events = live.session.admit(peer)
    live.around.hub.admit(peer_id)
    live.announcer.announce(events)
    live.waiting_claims.pop(peer_id)
    token, seq = live.on_admitted(live, peer_id), live.around.hub.seq(peer_id) + 1
    joined = welcome.joined(live, live.session.peer(peer_id), token, seq=seq)
    live.announcer.to_peer(peer_id, messages.Admitted(joined=joined))
    log.info("peer.admitted", session=live.session.id, peer=peer_id, preset=peer.preset_name)


async def turn_away(live: LiveSession, peer_ids: Iterable[str], reason: LeaveReason) -> None:
    """Who does not wait (any more) is passed over."""
    now, session = live.around.clock.monotonic(), live.session
    waiting = [one for one in dict.fromkeys(peer_ids) if one in session.waiting_room]
    await live.carry_out([event for one in waiting for event in session.turn_away(one, reason, now)])


# --- by a moderator -----------------------------------------------------------------------------------------


async def admit(live: LiveSession, peer_id: str, request: messages.Admit) -> messages.WaitingActionDone:
    live.session.peer(peer_id).check_admits()
    items = []
    for one in _named(live, request):
        try:
            await _let_in(live, one)
        except SignalingError as error:
            items.append(messages.WaitingActionItem(peer_id=one, ok=False, error=error_dict(error)))
        else:
            items.append(messages.WaitingActionItem(peer_id=one, ok=True))
    return messages.WaitingActionDone(peers=tuple(items))


async def deny(live: LiveSession, peer_id: str, request: messages.Deny) -> messages.WaitingActionDone:
    live.session.peer(peer_id).check_admits()
    items, waiting = [], []
    for one in _named(live, request):
        try:
            waiting.append(live.session.waiting_room.peer(one).id)
        except SignalingError as error:
            items.append(messages.WaitingActionItem(peer_id=one, ok=False, error=error_dict(error)))
    await turn_away(live, waiting, LeaveReason.REJECTED)
    items += [messages.WaitingActionItem(peer_id=one, ok=True) for one in waiting]
    return messages.WaitingActionDone(peers=tuple(items))


def _named(live: LiveSession, request: messages.Admit | messages.Deny) -> list[str]:
    if request.all:
        return [peer.id for peer in live.session.waiting_room]
    if not request.peer_ids:
        raise InvalidInputError("Name those who are meant, or all.", field="peer_ids")
    return list(dict.fromkeys(request.peer_ids))


# --- by the organization itself: the ids of the participants it is about ----------------------------------


async def admit_targets(live: LiveSession, targets: Targets) -> list[str]:
    """Those who are in now. Raises what keeps the first out, where it keeps out all of them."""
    admitted: list[Peer] = []
    refused: SignalingError | None = None
    for peer in targets.among(live.session.waiting_room):
        try:
            await _let_in(live, peer.id)
        except SignalingError as error:
            refused = refused or error
        else:
            admitted.append(peer)
    if refused is not None and not admitted:
        raise refused
    return _participants(admitted)


async def deny_targets(live: LiveSession, targets: Targets) -> list[str]:
    chosen = targets.among(live.session.waiting_room)
    await turn_away(live, [peer.id for peer in chosen], LeaveReason.REJECTED)
    return _participants(chosen)


def _participants(peers: Sequence[Peer]) -> list[str]:
    return list(dict.fromkeys(peer.participant_id for peer in peers))
