"""Requests about standing: the stage, muting others, putting out. Runs in the session's owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from signaling.domain.events import Event, LeaveReason, StageRequestsChanged
from signaling.domain.stage import StageAction
from signaling.errors import SignalingError
from signaling.protocol import messages
from signaling.services.live.render import error_dict
from signaling.services.live.session import LiveSession

HOST_ENDED_MEETING = "HOST_ENDED_MEETING"


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


async def kick_all(live: LiveSession, peer_id: str, _request: messages.KickAll) -> messages.Empty:
    """Ends the session for everybody, the caller included."""
    live.session.peer(peer_id).check_may_kick()
    await live.end(HOST_ENDED_MEETING)
    return messages.Empty()


async def leave(live: LiveSession, peer_id: str, _request: messages.Leave) -> messages.Empty:
    await live.leave(peer_id, LeaveReason.LEFT)
    return messages.Empty()
