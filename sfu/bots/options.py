"""What a bot is told: how it connects, and what it publishes."""

from __future__ import annotations

from dataclasses import dataclass

from sfu.bots.association import AssociationOptions, ClientAssociation, Route
from sfu.bots.departures import Departures
from sfu.bots.media import HD
from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.bots.subscribe import SAMPLE_INTERVAL
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.srtp_profile import SrtpProfile


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """Video to publish: one stream id, or one per simulcast encoding, lowest first; the highest has pictures
    of `size`, each one below half of the next."""

    stream_ids: tuple[int, ...]
    source: str = "camera"
    packets_per_second: float = 400.0
    payload_size: int = 1100
    size: tuple[int, int] = HD


@dataclass(frozen=True, slots=True)
class AudioSpec:
    stream_id: int
    source: str = "microphone"
    payload_size: int = 100


@dataclass(frozen=True, slots=True)
class BotOptions:
    """`sample`: one received packet in so many is opened. `ssrc_base` keeps the SSRCs of bots apart.

    `departures`: senders note there when packets leave, for receivers of the same process. `rebuild`: at
    `media_reset`, connect and publish again, as a browser does. `heeds_wanted`: encodings that nobody
    receives are not sent, as a browser does not. `device`: what it says it is.
    """

    certificate: Certificate
    profiles: tuple[SrtpProfile, ...] = tuple(SrtpProfile)
    auto_subscribe: bool = False
    sample: int = SAMPLE_INTERVAL
    nack: bool = False
    tcp: bool = False
    route: Route | None = None
    batching: bool = True
    ssrc_base: int = 1000
    rebuild: bool = False
    heeds_wanted: bool = False
    departures: Departures | None = None
    device: str = "bot"

    def association(self) -> ClientAssociation:
        return ClientAssociation(
            AssociationOptions(self.certificate, self.profiles, self.tcp, self.route, self.batching)
        )


def add_track(publisher: PublishTransport, spec: VideoSpec | AudioSpec) -> OutboundTrack:
    """Announce on a publish connection what is to be published."""
    if isinstance(spec, AudioSpec):
        return publisher.add_audio(spec.stream_id, source=spec.source, payload_size=spec.payload_size)
    return publisher.add_video(
        spec.stream_ids,
        source=spec.source,
        packets_per_second=spec.packets_per_second,
        payload_size=spec.payload_size,
        size=spec.size,
    )
