"""What a peer may know of how the server sees its own media."""

from __future__ import annotations

from signaling.protocol import messages
from signaling.services.live import ports
from signaling.services.live.session import LiveSession


async def get_stats(live: LiveSession, peer_id: str, _request: messages.GetStats) -> messages.StatsGiven:
    found = await live.media.stats(peer_id)
    return messages.StatsGiven(
        publications=tuple(map(_stream, found.publications)),
        subscriptions=tuple(map(_stream, found.subscriptions)),
        estimate=found.estimate,
    )


def _stream(one: ports.StreamStats) -> messages.StreamStats:
    layer = one.layer
    return messages.StreamStats(
        publication_id=one.publication_id,
        bitrate=one.bitrate,
        packet_rate=one.packet_rate,
        frame_rate=one.frame_rate,
        loss=one.loss,
        repaired=one.repaired,
        jitter=one.jitter,
        rtt=one.rtt,
        frozen=one.frozen,
        freezes=one.freezes,
        score=one.score,
        layer=None if layer is None else messages.Layer(spatial=layer.spatial, temporal=layer.temporal),
    )
