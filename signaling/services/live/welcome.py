"""The state of a session as one peer is told it: when it joins, and when it comes back after lost events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signaling.domain.peer import Peer
from signaling.protocol import messages
from signaling.services.live import render

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession


def joined(live: LiveSession, peer: Peer, resume_token: str) -> messages.Joined:
    session, settings = live.session, live.around.settings
    others = [one for one in session.peers.values() if one.id != peer.id and not one.hidden]
    preset = peer.preset.to_dict()
    stage = render.stage_info(peer)
    return messages.Joined(
        peer_id=peer.id,
        session_id=session.id,
        resume_token=resume_token,
        resume_within=settings.resume_within,
        seq=live.around.hub.seq(peer.id),
        me=render.peer_info(peer),
        meeting=render.meeting_info(live.meeting, peer),
        permissions=preset["permissions"],
        config=preset["config"],
        ui=preset["ui"],
        stage=stage,
        peers=tuple(render.peer_info(one) for one in others),
        publications=tuple(render.publication_info(one) for one in session.publications.values()),
        stage_requests=render.stage_requests(session.stage_requests) if stage.is_host else (),
        ice_servers=live.connectivity.give(peer.id, peer.participant_id).servers,
    )


def snapshot(live: LiveSession, peer: Peer) -> messages.Snapshot:
    session, media = live.session, live.media
    others = [one for one in session.peers.values() if one.id != peer.id and not one.hidden]
    preset = peer.preset.to_dict()
    stage = render.stage_info(peer)
    return messages.Snapshot(
        me=render.peer_info(peer),
        meeting=render.meeting_info(live.meeting, peer),
        permissions=preset["permissions"],
        config=preset["config"],
        ui=preset["ui"],
        stage=stage,
        peers=tuple(render.peer_info(one) for one in others),
        publications=tuple(render.publication_info(one) for one in session.publications.values()),
        stage_requests=render.stage_requests(session.stage_requests) if stage.is_host else (),
        subscriptions=tuple(session.subscriptions.of(peer.id)),
        publishes=media.has(peer.id, "publish"),
        subscribes=media.has(peer.id, "subscribe"),
    )
