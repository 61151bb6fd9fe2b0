"""What passed over transports since they were sampled last, for the reports about their people.

Read when signaling asks, every few seconds, from what the meters keep anyway. Streams of one medium are put
together here, so that what goes over the link, and is kept, does not grow with how many people are watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sfu.consumer import Consumer
from sfu.control.messages import Medium, MediumSample, PathSample, TransportSample
from sfu.producer import Producer
from sfu.publish_transport import PublishTransport
from sfu.quality.meter import Figures, Passed
from sfu.subscribe_transport import SubscribeTransport
from sfu.transport import Transport
from sfu.webrtc.udp import Path

LocalOf = Callable[[Path], tuple[str, int]]
"""Address and port of ours that a path leads from."""


def sample_of(transport: Transport, local_of: LocalOf) -> TransportSample:
    """What it has to tell is told once: the next sample begins here."""
    media: dict[Medium, list[tuple[Passed, Figures]]] = {}
    estimate = None
    if isinstance(transport, PublishTransport):
        _sort(transport.producers.values(), media)
    elif isinstance(transport, SubscribeTransport):
        _sort(transport.consumers.values(), media)
        estimate = float(transport.bandwidth.estimate)
    samples = tuple(_together(medium, streams) for medium, streams in media.items())
    return TransportSample(
        transport_id=transport.id,
        path=_path(transport, local_of, _mean_of(one.rtt for one in samples), estimate),
        media=samples,
    )


def _sort(
    streams: Iterable[Producer] | Iterable[Consumer], media: dict[Medium, list[tuple[Passed, Figures]]]
) -> None:
    for stream in streams:
        passed = stream.meter.poll_passed()
        if passed.packets or passed.frozen:
            producer = stream if isinstance(stream, Producer) else stream.producer
            media.setdefault(_medium_of(producer), []).append((passed, stream.meter.figures))


def _medium_of(producer: Producer) -> Medium:
    if producer.kind == "audio":
        return "screen_audio" if producer.source == "screen_audio" else "audio"
    return "screen" if producer.source == "screen" else "video"


def _together(medium: Medium, streams: list[tuple[Passed, Figures]]) -> MediumSample:
    count = len(streams)
    passed, figures = [one for one, _ in streams], [one for _, one in streams]
    return MediumSample(
        medium=medium,
        streams=count,
        packets=sum(one.packets for one in passed),
        octets=sum(one.octets for one in passed),
        lost=sum(one.lost for one in passed),
        jitter=sum(one.jitter for one in figures) / count,
        rtt=_mean_of(one.rtt for one in figures),
        frame_rate=max((one.frame_rate for one in figures if one.frame_rate is not None), default=None),
        frozen=max(one.frozen for one in passed),
        score=sum(one.score for one in figures) / count,
        worst=min(one.score for one in figures),
    )


def _mean_of(values: Iterable[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return sum(known) / len(known) if known else None


def _path(
    transport: Transport, local_of: LocalOf, rtt: float | None, estimate: float | None
) -> PathSample | None:
    path = transport.association.path
    if path is None:
        return None
    # A TCP path's address begins with "tcp".
    host, port = path.address[1:3] if path.reliable else path.address[:2]
    local_host, local_port = local_of(path)
    return PathSample(
        protocol="tcp" if path.reliable else "udp",
        local_host=local_host,
        local_port=local_port,
        remote_host=str(host),
        remote_port=int(port),
        remote_type=transport.announced.type_of(str(host), int(port)),
        rtt=rtt,
        estimate=estimate,
    )
