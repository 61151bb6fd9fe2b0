"""Requests about standing: the stage, muting others, putting out. Runs in the session's owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

from signaling.domain.events import Event, LeaveReason, StageRequestsChanged
from signaling.domain.live_permissions import changed
from signaling.domain.peer import Peer
from signaling.domain.session_status import SessionEndReason
from signaling.domain.stage import StageAction
from signaling.domain.targets import Targets
from signaling.errors import SignalingError
from signaling.protocol import messages
from signaling.services.live.render import error_dict
from signaling.services.live.session import LiveSession

MICROPHONE: Final = frozenset({"microphone"})
"""And with it whatever else somebody says, under whichever name."""


class _OfPeers(Protocol):
    @property
    def peer_ids(self) -> tuple[str, ...]: ...


def own_stage(action: StageAction) -> Callable[..., Awaitable[messages.StageActionDone]]:
    """The handler of an action on oneself."""

    async def handle(live: LiveSession, peer_id: str, _request: messages.Request) -> messages.StageActionDone:
        await live.carry_out(live.session.act_on_stage(action, peer_id))
        return _done(live, peer_id)

    return handle


def host_stage(action: StageAction) -> Callable[..., Awaitable[messages.StageActionDone]]:
    """The handler of a host's action on others: each succeeds or fails on its own."""

    async def handle(live: LiveSession, peer_id: str, request: _OfPeers) -> messages.StageActionDone:
        live.session.peer(peer_id).check_stage_host()
        events: list[Event] = []
        items: list[messages.StageActionItem] = []
        for target_id in dict.fromkeys(request.peer_ids):
            try:
                events += live.session.act_on_stage(action, peer_id, target_id)
            except SignalingError as error:
                items.append(_failed(target_id, error))
            else:
                items.append(messages.StageActionItem(peer_id=target_id, ok=True))
        await live.carry_out(_once(events))
        return _done(live, peer_id, tuple(items))

    return handle


def _done(
    live: LiveSession, peer_id: str, items: tuple[messages.StageActionItem, ...] = ()
) -> messages.StageActionDone:
    status = live.session.peer(peer_id).status
    return messages.StageActionDone(status=messages.StageStatusName(status), peers=items)


def _failed(peer_id: str, error: SignalingError) -> messages.StageActionItem:
    return messages.StageActionItem(peer_id=peer_id, ok=False, error=error_dict(error))


def _once(events: list[Event]) -> list[Event]:
    """The list of requests is told whole, so once is enough, after everything else."""
    rest: list[Event] = [event for event in events if not isinstance(event, StageRequestsChanged)]
    return rest if len(rest) == len(events) else [*rest, StageRequestsChanged()]


async def mute_peer(live: LiveSession, peer_id: str, request: messages.MutePeer) -> messages.Empty:
    await live.carry_out(live.session.muting.mute_others(peer_id, request.peer_ids, request.sources))
    return messages.Empty()


async def censor(live: LiveSession, peer_id: str, request: messages.Censor) -> messages.Empty:
    await live.carry_out(live.session.muting.censor(peer_id, request.peer_ids, request.sources))
    return messages.Empty()


async def uncensor(live: LiveSession, peer_id: str, request: messages.Uncensor) -> messages.Empty:
    await live.carry_out(live.session.muting.uncensor(peer_id, request.peer_ids, request.sources))
    return messages.Empty()


async def kick(live: LiveSession, peer_id: str, request: messages.Kick) -> messages.Empty:
    """Who is gone already is as gone as was wanted."""
    live.session.peer(peer_id).check_may_kick()
    await live.remove(list(request.peer_ids))
    return messages.Empty()


async def update_permissions(
    live: LiveSession, peer_id: str, request: messages.UpdatePermissions
) -> messages.Empty:
    """In every tab of the participants named; for all of them or, where one cannot be, for none."""
    actor, peers = live.session.peer(peer_id), live.session.peers
    actor.check_may_change_permissions()
    named = {peers[one].participant_id for one in request.peer_ids if one in peers}
    targets = [peer for peer in peers.values() if peer.participant_id in named]
    presets = {
        id(preset): live.furnished(changed(preset, request.permissions, by=actor.preset))
        for preset in {id(peer.preset): peer.preset for peer in targets}.values()
    }
    for peer in targets:
        if peer.id in peers:
            await live.carry_out(live.session.change_permissions(peer.id, presets[id(peer.preset)]))
    return messages.Empty()


async def kick_all(live: LiveSession, peer_id: str, _request: messages.KickAll) -> messages.Empty:
    """Ends the session for everybody, the caller included."""
    live.session.peer(peer_id).check_may_kick()
    await live.end(SessionEndReason.HOST_ENDED_MEETING)
    return messages.Empty()


async def mute_all(live: LiveSession, peer_id: str, request: messages.MuteAll) -> messages.Empty:
    await live.carry_out(live.session.muting.mute_everybody(peer_id, allow_unmute=request.allow_unmute))
    return messages.Empty()


# --- by the organization itself: the ids of the participants it is about ----------------------------------


async def put_out(live: LiveSession, targets: Targets) -> list[str]:
    chosen = targets.among(live.session.peers.values())
    await live.remove([peer.id for peer in chosen])
    return _ids(chosen)


async def end_for_all(live: LiveSession) -> int:
    """How many were in."""
    count = len(_ids(live.session.peers.values()))
    await live.end(SessionEndReason.HOST_ENDED_MEETING)
    return count


async def mute_targets(live: LiveSession, targets: Targets) -> list[str]:
    chosen = targets.among(live.session.peers.values())
    await live.carry_out(live.session.muting.mute_audio(peer.id for peer in chosen))
    return _ids(chosen)


async def silence(live: LiveSession, *, allow_unmute: bool) -> int:
    """How many are in."""
    await live.carry_out(live.session.muting.silence(allow_unmute=allow_unmute))
    return len(_ids(peer for peer in live.session.peers.values() if not peer.hidden))


async def censor_targets(live: LiveSession, targets: Targets) -> list[str]:
    chosen = targets.among(live.session.peers.values())
    await live.carry_out(live.session.muting.block([peer.id for peer in chosen], MICROPHONE))
    return _ids(chosen)


async def uncensor_targets(live: LiveSession, targets: Targets) -> list[str]:
    """With everybody and nobody excluded, also what those who come later would find blocked."""
    chosen = targets.among(live.session.peers.values())
    muting = live.session.muting
    events = muting.allow([peer.id for peer in chosen], MICROPHONE)
    if targets.everybody and not targets.exclude:
        events += muting.allow_everybody(MICROPHONE)
    await live.carry_out(events)
    return _ids(chosen)


def _ids(peers: Iterable[Peer]) -> list[str]:
    """Of the participants, each once."""
    return list(dict.fromkeys(peer.participant_id for peer in peers))


async def leave(live: LiveSession, peer_id: str, _request: messages.Leave) -> messages.Empty:
    await live.leave(peer_id, LeaveReason.LEFT)
    return messages.Empty()
