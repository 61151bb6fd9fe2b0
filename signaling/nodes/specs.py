"""What signaling has decided, as the node is told it."""

from __future__ import annotations

from collections.abc import Iterable

from sfu.control import messages as node
from signaling.domain.publication import Grant, Layer, Publication, Subscription


def producer_spec(publication: Publication, producer_id: str) -> node.ProducerSpec:
    return node.ProducerSpec(
        producer_id=producer_id,
        mid=publication.mid,
        source=publication.source,
        kind=publication.kind,
        paused=publication.muted_by is not None,
        encrypted=publication.encrypted,
    )


def consumer_spec(
    subscription: Subscription, consumer_id: str, producer_id: str, mid: str | None = None
) -> node.ConsumerSpec:
    return node.ConsumerSpec(
        consumer_id=consumer_id,
        producer_id=producer_id,
        mid=mid,
        preferred=layer_spec(subscription.preferred),
        paused=subscription.paused,
    )


def set_grants(transport_id: str, grants: Iterable[Grant]) -> node.SetGrants:
    return node.SetGrants(transport_id=transport_id, grants=node_grants(grants))


def node_grants(grants: Iterable[Grant]) -> tuple[node.Grant, ...]:
    return tuple(
        node.Grant(
            source=grant.source,
            kind=grant.kind,
            max_bitrate=grant.limits.max_bitrate,
            max_frame_rate=grant.limits.max_frame_rate,
            max_pixels=grant.limits.max_pixels,
            stereo=grant.limits.stereo,
            dtx=grant.limits.dtx,
            average_bitrate=grant.limits.average_bitrate,
        )
        for grant in grants
    )


def layer_spec(layer: Layer | None) -> node.LayerSpec | None:
    return None if layer is None else node.LayerSpec(spatial=layer.spatial, temporal=layer.temporal)
