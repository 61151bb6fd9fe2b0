"""What a node tells of a session's media, as changes of the session and as events to peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from signaling.protocol import messages
from signaling.services.live import media_presence, moving, view_modes, viewing
from signaling.services.live.ports import (
    DataDropped,
    Direction,
    LayerChanged,
    LayersWanted,
    MediaEvent,
    MovesProposed,
    NodeLost,
    OfferMade,
    PublicationClosed,
    PublicationLimited,
    PublicationScored,
    SpeakersChanged,
    SubscriptionClosed,
    SubscriptionPaused,
    SubscriptionResumed,
    SubscriptionScored,
    TransportStateChanged,
    TransportStateName,
)

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession


async def handle(live: LiveSession, event: MediaEvent) -> None:
    """Runs in the session's owner. News of what is over already is nothing new."""
    session = live.session
    match event:
        case NodeLost(peer_ids):
            await live.lose_media(peer_ids)
        case MovesProposed():
            await moving.begin(live, event)
        case PublicationClosed(publication_id, reason):
            await live.carry_out(session.lose_publication(publication_id, reason))
        case SubscriptionClosed(peer_id, publication_id, reason):
            await live.carry_out(session.receiving.lose(peer_id, publication_id, reason))
        case SpeakersChanged():
            _speakers(live, event)
            await viewing.follow(live)
            if live.active_speaker is not None:
                await view_modes.handle_speaker(live, live.active_speaker)
        case TransportStateChanged(peer_id, direction, state):
            peer = session.peers.get(peer_id)
            if peer is not None and peer.over_http:
                await media_presence.handle_connection(live, peer, state)
            elif peer is not None:
                await _connection_changed(live, peer_id, direction, state)
        case LayersWanted(publication_id, encodings):
            publication = session.publications.get(publication_id)
            if publication is not None:
                wanted = messages.PublicationWanted(publication_id=publication_id, encodings=encodings)
                live.announcer.to_peer(publication.peer_id, wanted)
        case PublicationLimited(publication_id, forwarded, encodings, reason):
            publication = session.publications.get(publication_id)
            if publication is not None:
                limited = messages.PublicationLimited(
                    publication_id=publication_id, forwarded=forwarded, encodings=encodings, reason=reason
                )
                live.announcer.to_peer(publication.peer_id, limited)
        case PublicationScored(publication_id, score):
            publication = session.publications.get(publication_id)
            if publication is not None:
                told = messages.Quality(publication_id=publication_id, direction="publish", score=score)
                live.announcer.to_peer(publication.peer_id, told)
        case SubscriptionScored(peer_id, publication_id, score):
            if peer_id in session.peers:
                told = messages.Quality(publication_id=publication_id, direction="subscribe", score=score)
                live.announcer.to_peer(peer_id, told)
        case OfferMade() | LayerChanged() | SubscriptionPaused() | SubscriptionResumed() | DataDropped():
            if event.peer_id in session.peers:
                live.announcer.to_peer(event.peer_id, _to_peer(live, event))
        case _:
            assert_never(event)


async def _connection_changed(
    live: LiveSession, peer_id: str, direction: Direction, state: TransportStateName
) -> None:
    """A connection that failed does not recover; the next publish or subscribe begins another."""
    live.announcer.to_peer(peer_id, messages.TransportState(transport=direction, state=state))
    if state not in ("failed", "closed"):
        return
    await live.media.close_transport(peer_id, direction)
    if direction == "publish":
        await live.carry_out(live.session.lose_publishing(peer_id))
    else:
        live.session.receiving.lose_all(peer_id)


def _to_peer(
    live: LiveSession,
    event: OfferMade | LayerChanged | SubscriptionPaused | SubscriptionResumed | DataDropped,
) -> messages.AnyEvent:
    match event:
        case OfferMade():
            return _offer(live, event)
        case LayerChanged(_, publication_id, current):
            layer = messages.Layer(spatial=current.spatial, temporal=current.temporal)
            return messages.LayerChanged(publication_id=publication_id, current=layer)
        case DataDropped(_, reason, count):
            return messages.DataDropped(reason=reason, messages=count)
        case SubscriptionPaused(_, publication_id, reason):
            return messages.SubscriptionPaused(publication_id=publication_id, reason=reason)
        case SubscriptionResumed(_, publication_id):
            return messages.SubscriptionResumed(publication_id=publication_id)
        case _:
            assert_never(event)


def _offer(live: LiveSession, event: OfferMade) -> messages.SubscribeOffer | messages.SubscribeMove:
    """The m-lines in people's terms; a publication that ended meanwhile is in the next version's absence."""
    known = live.session.publications
    mids = tuple(
        messages.OfferMid(
            mid=one.mid,
            publication_id=one.publication_id,
            peer_id=known[one.publication_id].peer_id,
            source=known[one.publication_id].source,
            kind=known[one.publication_id].kind,
        )
        for one in event.mids
        if one.publication_id in known
    )
    if event.move is not None:
        return messages.SubscribeMove(move=event.move, version=event.version, offer=event.sdp, mids=mids)
    return messages.SubscribeOffer(version=event.version, offer=event.sdp, mids=mids, moved=event.moved)


def _speakers(live: LiveSession, event: SpeakersChanged) -> None:
    known = live.session.publications
    speakers = tuple(
        messages.SpeakerInfo(
            peer_id=known[publication_id].peer_id, publication_id=publication_id, level=level
        )
        for publication_id, level in event.speakers
        if publication_id in known
    )
    dominant = known.get(event.dominant) if event.dominant is not None else None
    active = live.active_speaker = None if dominant is None else dominant.peer_id
    live.announcer.to_all(messages.Speakers(speakers=speakers, active=active))
