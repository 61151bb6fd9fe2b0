"""Keeps WHEP players on what they watch, while publications come and go and others begin to speak.

A view's m-lines were fixed by the player's one offer; here the publication on each is changed. Runs in the
session's owner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from signaling.domain.peer import Kind
from signaling.domain.publication import Publication, Subscription
from signaling.domain.viewing import Wanted, choose
from signaling.errors import SignalingError

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class View:
    """`lines` are the m-lines that may carry something, by kind; `showing` the publication ids on them."""

    peer_id: str
    wanted: Wanted
    lines: dict[Kind, str]
    showing: dict[Kind, str] = field(default_factory=dict)
    undecodable: set[str] = field(default_factory=set)
    """Publications that the player has no codec for."""


def wanted_now(live: LiveSession, view: View) -> dict[Kind, Publication]:
    """What the view should show, of the kinds it has lines for. Only what its peer may receive, and a video
    only while there is room for one in what its participant's players show together."""
    session = live.session
    may_see = [
        one
        for one in session.publications.values()
        if one.peer_id != view.peer_id
        and one.id not in view.undecodable
        and session.peers[one.peer_id].may_publish(one.source, one.kind)
    ]
    chosen = choose(view.wanted, may_see, session.peers, speaking=live.active_speaker, showing=view.showing)
    return {kind: one for kind, one in chosen.items() if kind in view.lines and _fits(live, view, one)}


def _fits(live: LiveSession, view: View, publication: Publication) -> bool:
    """Another video takes the place of the one that is shown."""
    session = live.session
    peer = session.peers.get(view.peer_id)
    if peer is None or not session.receiving.counts(publication):
        return True
    shown = view.showing.get("video")
    before = session.publications.get(shown or "")
    given_up = before is not None and session.receiving.counts(before)
    return session.receiving.room(peer) + given_up > 0


async def follow(live: LiveSession) -> None:
    """Bring every view to what it should show. What fails is tried again with the next change."""
    for view in list(live.views.values()):
        try:
            await _follow(live, view)
        except SignalingError as error:
            log.warning("view.not_followed", session=live.session.id, peer=view.peer_id, error=error.name)


async def _follow(live: LiveSession, view: View) -> None:
    wanted = wanted_now(live, view)
    for kind in view.lines:
        publication = wanted.get(kind)
        shown = view.showing.get(kind)
        if shown is not None and (view.peer_id, shown) not in live.session.subscriptions:
            del view.showing[kind]
            live.views.touch(view.peer_id)
            shown = None
        if publication is not None and publication.id != shown:
            await _show(live, view, kind, publication)


async def _show(live: LiveSession, view: View, kind: Kind, publication: Publication) -> None:
    live.session.receiving.check_subscribe(view.peer_id, publication.id)
    live.views.touch(view.peer_id)
    shown = view.showing.pop(kind, None)
    if shown is not None:
        await live.media.unsubscribe(view.peer_id, live.session.receiving.unsubscribe(view.peer_id, [shown]))
    subscription = Subscription(view.peer_id, publication.id)
    failed = await live.media.feed(view.lines[kind], subscription)
    if failed is None:
        live.session.receiving.subscribe([subscription])
        view.showing[kind] = publication.id
    elif failed == "unsupported_codec":
        view.undecodable.add(publication.id)
