"""What a node tells of a session, in people's words. News of what has no name any more is nothing new."""

from __future__ import annotations

from collections.abc import Iterator

from sfu.control import messages as node
from signaling.domain.publication import EndReason, Layer
from signaling.nodes.names import Names
from signaling.services.live import ports

_PRODUCER_REASONS = {
    "grant": EndReason.PERMISSION_REVOKED,
    "transport_closed": EndReason.TRANSPORT_CLOSED,
    "removed": EndReason.UNPUBLISHED,
}
_CONSUMER_REASONS = {"unsupported_codec": EndReason.UNSUPPORTED_CODEC}


def in_peoples_words(event: node.Event, names: Names) -> ports.MediaEvent | None:
    """None where there is nothing to tell. What the node closed loses its name."""
    match event:
        case node.OfferReady():
            return _offer_made(event, names)
        case node.TransportStateChanged():
            transport = names.by_transport.get(event.transport_id)
            if transport is None:
                return None
            return ports.TransportStateChanged(transport.peer_id, transport.direction, event.state)
        case node.ProducerClosed():
            return _publication_closed(event, names)
        case node.ConsumerClosed():
            return _subscription_closed(event, names)
        case node.ConsumerPaused() | node.ConsumerResumed():
            return _bandwidth_changed(event, names)
        case node.LayersWanted():
            publication_id = names.publications.get(event.producer_id)
            return None if publication_id is None else ports.LayersWanted(publication_id, event.encodings)
        case node.ProducerLimited():
            publication_id = names.publications.get(event.producer_id)
            if publication_id is None:
                return None
            return ports.PublicationLimited(publication_id, event.forwarded, event.encodings, event.reason)
        case node.LayerChanged():
            key = names.subscriptions.get(event.consumer_id)
            current = Layer(event.current.spatial, event.current.temporal)
            return None if key is None else ports.LayerChanged(*key, current)
        case node.ProducerScored():
            publication_id = names.publications.get(event.producer_id)
            return None if publication_id is None else ports.PublicationScored(publication_id, event.score)
        case node.ConsumerScored():
            key = names.subscriptions.get(event.consumer_id)
            return None if key is None else ports.SubscriptionScored(*key, event.score)
        case node.SpeakersChanged():
            return _speakers_changed(event, names)
        case node.DataDropped():
            transport = names.by_transport.get(event.transport_id)
            if transport is None:
                return None
            return ports.DataDropped(transport.peer_id, event.reason, event.messages)
        case node.NodeLoad() | node.PipeStateChanged() | node.DataForwarded():
            return None


def _offer_made(event: node.OfferReady, names: Names) -> ports.MediaEvent | None:
    transport = names.by_transport.get(event.transport_id)
    if transport is None:
        return None
    mids = tuple(
        ports.OfferMid(one.mid, names.publications[one.producer_id])
        for one in event.mids
        if one.producer_id in names.publications
    )
    return ports.OfferMade(transport.peer_id, event.version, event.sdp, mids)


def _publication_closed(event: node.ProducerClosed, names: Names) -> ports.MediaEvent | None:
    publication_id = names.publications.get(event.producer_id)
    if publication_id is None:
        return None
    names.drop_producer(publication_id)
    reason = _PRODUCER_REASONS.get(event.reason, EndReason.TRANSPORT_CLOSED)
    return ports.PublicationClosed(publication_id, reason)


def _subscription_closed(event: node.ConsumerClosed, names: Names) -> ports.MediaEvent | None:
    key = names.subscriptions.get(event.consumer_id)
    if key is None:
        return None
    names.drop_consumer(*key)
    reason = _CONSUMER_REASONS.get(event.reason, EndReason.UNPUBLISHED)
    return ports.SubscriptionClosed(*key, reason)


def _bandwidth_changed(
    event: node.ConsumerPaused | node.ConsumerResumed, names: Names
) -> ports.MediaEvent | None:
    key = names.subscriptions.get(event.consumer_id)
    if key is None:
        return None
    if isinstance(event, node.ConsumerPaused):
        return ports.SubscriptionPaused(*key, event.reason)
    return ports.SubscriptionResumed(*key)


def _speakers_changed(event: node.SpeakersChanged, names: Names) -> ports.MediaEvent:
    known = names.publications
    return ports.SpeakersChanged(
        speakers=tuple(
            (known[one.producer_id], one.level) for one in event.speakers if one.producer_id in known
        ),
        dominant=None if event.dominant is None else known.get(event.dominant),
    )


def stats_in_peoples_words(stats: node.Stats, names: Names) -> ports.PeerStats:
    """Of one peer. Streams that have no name any more are left out."""
    publications: list[ports.StreamStats] = []
    subscriptions: list[ports.StreamStats] = []
    for one in stats.streams:
        publication_id = names.publications.get(one.producer_id)
        if publication_id is None:
            continue
        figures = one.model_dump(exclude={"producer_id", "consumer_id", "layer"})
        layer = None if one.layer is None else Layer(one.layer.spatial, one.layer.temporal)
        target = publications if one.consumer_id is None else subscriptions
        target.append(ports.StreamStats(publication_id=publication_id, layer=layer, **figures))
    estimate = next(iter(stats.estimates.values()), None)
    return ports.PeerStats(tuple(publications), tuple(subscriptions), estimate)


def samples_in_peoples_words(sampled: node.Sampled, names: Names) -> Iterator[ports.ConnectionSample]:
    """Connections that have no name any more are left out."""
    for one in sampled.transports:
        transport = names.by_transport.get(one.transport_id)
        if transport is not None:
            yield ports.ConnectionSample(
                peer_id=transport.peer_id,
                direction=transport.direction,
                path=None if one.path is None else ports.PathSample(**dict(one.path)),
                media=tuple(ports.MediumSample(**dict(medium)) for medium in one.media),
            )
