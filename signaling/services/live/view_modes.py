"""View modes made true: what a peer's mode shows becomes its subscriptions, and nothing else.

Runs in the session's owner, whenever a view, the publications or the speakers have changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog

from signaling.domain.events import (
    Event,
    PresetChanged,
    PublicationAdded,
    PublicationEnded,
    PublicationMuted,
    PublicationUnmuted,
)
from signaling.domain.publication import Subscription
from signaling.domain.view_mode import ViewKind, ViewMode
from signaling.errors import MediaUnavailableError, SignalingError
from signaling.protocol import messages

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession

log = structlog.get_logger(__name__)

_CONCERNS = (PresetChanged, PublicationAdded, PublicationEnded, PublicationMuted, PublicationUnmuted)


async def set_view(live: LiveSession, peer_id: str, request: messages.SetView) -> messages.Empty:
    """In force when it is answered, but for the offers that follow."""
    live.session.peer(peer_id)
    view = ViewMode(ViewKind(request.mode), request.peer_ids, request.count, request.encrypted)
    live.session.view_modes.choose(peer_id, view)
    await _follow(live, peer_id)
    return messages.Empty()


async def handle_events(live: LiveSession, events: Iterable[Event]) -> None:
    """Let every view follow what happened to publications, and to how many of them may be seen."""
    if live.session.view_modes.of_peer and any(isinstance(event, _CONCERNS) for event in events):
        await _follow_all(live)


async def handle_speaker(live: LiveSession, peer_id: str) -> None:
    """There is another active speaker."""
    views = live.session.view_modes
    if views.handle_speaker(peer_id) and any(
        view.kind is ViewKind.SPEAKERS for view in views.of_peer.values()
    ):
        await _follow_all(live)


async def _follow_all(live: LiveSession) -> None:
    for peer_id in list(live.session.view_modes.of_peer):
        try:
            await _follow(live, peer_id)
        except MediaUnavailableError:
            # The node is gone. With the next one come new publications, which lead here again.
            log.info("view_mode.not_followed", session=live.session.id, peer=peer_id)


async def _follow(live: LiveSession, peer_id: str) -> None:
    session = live.session
    most = session.peer(peer_id).max_videos
    wanted = session.view_modes.wanted(peer_id, session.publications.values(), most)
    if wanted is None:
        return
    present = set(session.subscriptions.of(peer_id))
    gone = [publication_id for publication_id in present if publication_id not in wanted]
    new = [
        Subscription(peer_id, publication_id)
        for publication_id in session.publications
        if publication_id in wanted and publication_id not in present and _may(live, peer_id, publication_id)
    ]
    if gone:
        await live.media.unsubscribe(peer_id, session.receiving.unsubscribe(peer_id, gone))
    if new:
        failed = await live.media.subscribe(peer_id, new)
        session.receiving.subscribe(one for one in new if one.publication_id not in failed)


def _may(live: LiveSession, peer_id: str, publication_id: str) -> bool:
    try:
        live.session.receiving.check_subscribe(peer_id, publication_id)
    except SignalingError:
        return False
    return True
