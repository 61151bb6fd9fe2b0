"""The state of a session as one peer is told it: when it joins, and when it comes back after lost events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signaling.domain.peer import Peer
from signaling.protocol import messages
from signaling.services.live import render

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession


def joined(live: LiveSession, peer: Peer, resume_token: str, *, seq: int | None = None) -> messages.Joined:
    """`seq`: of the event that brings it, where that is none of a join's answer."""
    settings = live.around.settings
    return messages.Joined(
        peer_id=peer.id,
        session_id=live.session.id,
        resume_token=resume_token,
        resume_within=settings.resume_within,
        seq=live.around.hub.seq(peer.id) if seq is None else seq,
        ice_servers=live.connectivity.give(peer.id, peer.participant_id).servers,
        **_seen_by(live, peer),
    )


def waiting(live: LiveSession, peer: Peer) -> messages.Waiting:
    """All that somebody is told who is not in."""
    return messages.Waiting(
        me=render.waiting_info(peer),
        peer_id=peer.id,
        seq=live.around.hub.seq(peer.id),
        meeting=render.meeting_info(live.meeting, peer, None),
        ui=peer.preset.to_dict()["ui"],
    )


def snapshot(live: LiveSession, peer: Peer) -> messages.Snapshot:
    return messages.Snapshot(
        subscriptions=tuple(live.session.subscriptions.of(peer.id)),
        publishes=live.media.has(peer.id, "publish"),
        subscribes=live.media.has(peer.id, "subscribe"),
        **_seen_by(live, peer),
    )


def _seen_by(live: LiveSession, peer: Peer) -> dict[str, Any]:
    """What either message says of the session."""
    session = live.session
    preset = peer.preset.to_dict()
    stage = render.stage_info(peer)
    return {
        "me": render.peer_info(peer),
        "meeting": render.meeting_info(live.meeting, peer, live.time_limit.ends_at),
        "permissions": preset["permissions"],
        "config": preset["config"],
        "ui": preset["ui"],
        "stage": stage,
        "peers": tuple(render.peer_info(one) for one in live.announcer.shown_to(peer)),
        "publications": tuple(render.publication_info(one) for one in session.publications.values()),
        "stage_requests": render.stage_requests(session.stage_requests) if stage.is_host else (),
        "waiting": render.waiting_list(session.waiting_room) if peer.admits else (),
    }
