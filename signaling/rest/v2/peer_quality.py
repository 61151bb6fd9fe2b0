"""How `/v2/sessions` shows what was measured of a peer: samples, what they come to, and candidate pairs.

What browsers alone would know (what they concealed, decoded, or waited for) is not here: the node measures
what it receives, and what the reports of receivers say of what it sends.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, JsonValue

from signaling.domain.candidate_pair import CandidatePair, CandidateProtocol, CandidateType
from signaling.domain.peer_quality import HEADINGS, Heading, Medium, Reading, Track, mos_of
from signaling.domain.peer_report import PeerReport
from signaling.domain.quality_summary import Distribution, Exceeding, QualitySummary, summarise
from signaling.rest.envelope import Timestamp
from signaling.rest.parsing import ABSENT_IF_NONE, Answer

_MS: Final = 1000.0
_PERCENT: Final = 100.0


QUALITY_STATS: Final = {
    "peer_id": "peer_01k9zt1v5h8w2c4m6n0q3r7s9a",
    "direction": "received",
    "start": "2026-01-31T09:30:00.125Z",
    "end": "2026-01-31T09:30:10.125Z",
    "average_quality": 4.8,
    "audio_bandwidth": 32_000.0,
    "video_bandwidth": 1_200_000.0,
    "audio_packet_loss": 0.0,
    "video_packet_loss": 0.1,
    "audio_stats": [
        {
            "timestamp": "2026-01-31T09:30:10.125Z",
            "concealment_events": None,
            "packets_lost": 0.0,
            "jitter": 0.002,
            "quality": 5.0,
        }
    ],
    "video_stats": [
        {
            "timestamp": "2026-01-31T09:30:10.125Z",
            "frame_width": None,
            "frame_height": None,
            "frames_dropped": None,
            "frames_per_second": 30.0,
            "packets_lost": 1.0,
            "jitter": 0.004,
            "quality": 4.6,
        }
    ],
}


class Sample(Answer):
    """Of all streams of its kind together, over the `seconds` up to `timestamp`. Jitter and round trip are in
    seconds, the bitrate in bits of payload per second."""

    timestamp: Timestamp
    seconds: float
    streams: float
    packets_lost: float
    jitter: float
    rtt: float | None
    bitrate: float
    frames_per_second: Annotated[float | None, ABSENT_IF_NONE] = None
    """Of video: the best stream's."""
    frozen: float
    """The seconds in which nothing came that should have."""
    mos_quality: float
    """From 1 (bad) to 5 (excellent)."""
    worst_mos_quality: float
    """Of the worst stream at its worst."""


class SentSample(Sample):
    """What the peer sent, as it arrived."""

    packets_sent: float
    bytes_sent: float


class ReceivedSample(Sample):
    """What the peer was sent, as its reports say that it arrived."""

    packets_received: float
    bytes_received: float


class Percentiles(Answer):
    avg: float
    p50: float
    p75: float
    p90: float


class LossFractions(Answer):
    """The average in percent of the packets, and in what fraction of the time so many percent were lost."""

    avg: float
    five: float = Field(serialization_alias="5_or_greater_event_fraction")
    ten: float = Field(serialization_alias="10_or_greater_event_fraction")
    twenty_five: float = Field(serialization_alias="25_or_greater_event_fraction")
    fifty: float = Field(serialization_alias="50_or_greater_event_fraction")


class DelayFractions(Answer):
    """The average in milliseconds, and in what fraction of the time it took so long."""

    avg: float
    tenth: float = Field(serialization_alias="100ms_or_greater_event_fraction")
    quarter: float = Field(serialization_alias="250ms_or_greater_event_fraction")
    half: float = Field(serialization_alias="500ms_or_greater_event_fraction")


class Issues(Answer):
    no_video_fraction: float


class Cumulative(Answer):
    """Over all the time in which there was something of the kind."""

    seconds: float
    quality_mos: Percentiles
    packet_loss: LossFractions
    rtt: DelayFractions | None
    frame_per_second: Annotated[Percentiles | None, ABSENT_IF_NONE] = None
    issues: Annotated[Issues | None, ABSENT_IF_NONE] = None
    """Of video."""


class Quality(Answer):
    """A producer is what the peer sends, a consumer what it receives. Nothing and null: there was none."""

    audio_producer: tuple[SentSample, ...] = ()
    audio_producer_cumulative: Cumulative | None = None
    audio_consumer: tuple[ReceivedSample, ...] = ()
    audio_consumer_cumulative: Cumulative | None = None
    video_producer: tuple[SentSample, ...] = ()
    video_producer_cumulative: Cumulative | None = None
    video_consumer: tuple[ReceivedSample, ...] = ()
    video_consumer_cumulative: Cumulative | None = None
    screenshare_audio_producer: tuple[SentSample, ...] = ()
    screenshare_audio_producer_cumulative: Cumulative | None = None
    screenshare_audio_consumer: tuple[ReceivedSample, ...] = ()
    screenshare_audio_consumer_cumulative: Cumulative | None = None
    screenshare_video_producer: tuple[SentSample, ...] = ()
    screenshare_video_producer_cumulative: Cumulative | None = None
    screenshare_video_consumer: tuple[ReceivedSample, ...] = ()
    screenshare_video_consumer_cumulative: Cumulative | None = None


class CandidatePairAnswer(Answer):
    """One pair of addresses that a connection used: local is the server's. Of IPv6 addresses of clients there
    is the subnet of 64 bits. Packets and bytes are those of media."""

    local_candidate_address: str
    local_candidate_port: int
    local_candidate_protocol: CandidateProtocol
    local_candidate_type: Literal["host"] = "host"
    remote_candidate_address: str
    remote_candidate_port: int
    remote_candidate_protocol: CandidateProtocol
    remote_candidate_type: CandidateType
    """host, srflx or relay as the client announced it; prflx where it did not announce the address."""
    nominated: bool = True
    current_round_trip_time: float | None
    """Seconds; null where nothing was measured."""
    available_outgoing_bitrate: float | None = None
    """Towards the peer, as estimated last, in bits per second."""
    packets_sent: Annotated[int | None, ABSENT_IF_NONE] = None
    bytes_sent: Annotated[int | None, ABSENT_IF_NONE] = None
    packets_received: Annotated[int | None, ABSENT_IF_NONE] = None
    bytes_received: Annotated[int | None, ABSENT_IF_NONE] = None
    first_used_at: Timestamp
    last_used_at: Timestamp


class CandidatePairs(Answer):
    """In the order in which they were chosen."""

    producing_transport: tuple[CandidatePairAnswer, ...] = ()
    consuming_transport: tuple[CandidatePairAnswer, ...] = ()


class AudioStat(Answer):
    timestamp: Timestamp
    concealment_events: None = None
    packets_lost: float
    jitter: float
    quality: float


class VideoStat(Answer):
    timestamp: Timestamp
    frame_width: None = None
    frame_height: None = None
    frames_dropped: None = None
    frames_per_second: float | None
    packets_lost: float
    jitter: float
    quality: float


class QualityStats(Answer):
    """Microphones and cameras, one way; what is null was not measured. Bandwidths are the mean in bits
    per second, losses percents of the packets, qualities 1 to 5."""

    peer_id: str
    direction: Heading
    """sent: what the peer sent; received: what it was sent."""
    start: Timestamp
    end: Timestamp
    average_quality: float
    audio_bandwidth: float | None
    video_bandwidth: float | None
    audio_packet_loss: float | None
    video_packet_loss: float | None
    audio_stats: list[AudioStat]
    video_stats: list[VideoStat]


# --- rendering -----------------------------------------------------------------------------------------

Course = list[tuple[float, Reading]]
_NAMES: Final[dict[Medium, str]] = {
    "audio": "audio",
    "video": "video",
    "screen_audio": "screenshare_audio",
    "screen": "screenshare_video",
}


def quality_of(report: PeerReport) -> Quality:
    found: dict[str, object] = {}
    for track in report.series.tracks:
        course = list(report.series.of(track))
        name = f"{_NAMES[track.medium]}_{'producer' if track.heading == 'sent' else 'consumer'}"
        found[name] = [_sample(track, at, one) for at, one in course]
        found[f"{name}_cumulative"] = _cumulative(track, summarise([one for _, one in course]))
    return Quality.model_validate(found)


def quality_stats_of(peer_id: str, report: PeerReport) -> tuple[QualityStats, ...]:
    told = []
    for heading in HEADINGS:
        audio, video = (list(report.series.of(Track(heading, one))) for one in ("audio", "video"))
        if audio or video:
            told.append(_quality_stats(peer_id, heading, audio, video))
    return tuple(told)


def candidate_pairs_of(report: PeerReport) -> CandidatePairs | None:
    """None where nothing was measured."""
    if not len(report.pairs):
        return None
    return CandidatePairs(
        producing_transport=_pairs(report, "sent"),
        consuming_transport=_pairs(report, "received"),
    )


def _sample(track: Track, at: float, one: Reading) -> SentSample | ReceivedSample:
    values: dict[str, Any] = {
        "timestamp": _time(at),
        "seconds": round(one.seconds, 3),
        "streams": round(one.streams, 2),
        "packets_lost": round(one.lost, 1),
        "jitter": round(one.jitter, 6),
        "rtt": _rounded(one.rtt, 6),
        "bitrate": round(one.bitrate),
        "frames_per_second": _rounded(one.frame_rate, 2),
        "frozen": round(one.frozen, 3),
        "mos_quality": round(one.mos, 2),
        "worst_mos_quality": round(mos_of(one.worst), 2),
    }
    packets, octets = round(one.packets), round(one.octets)
    if track.heading == "sent":
        return SentSample.model_validate(values | {"packets_sent": packets, "bytes_sent": octets})
    return ReceivedSample.model_validate(values | {"packets_received": packets, "bytes_received": octets})


def _cumulative(track: Track, summary: QualitySummary | None) -> Cumulative | None:
    if summary is None:
        return None
    video = track.medium in ("video", "screen")
    return Cumulative(
        seconds=round(summary.seconds, 3),
        quality_mos=_percentiles(summary.mos),
        packet_loss=_losses(summary.loss),
        rtt=None if summary.rtt is None else _delays(summary.rtt),
        frame_per_second=None if summary.frame_rate is None else _percentiles(summary.frame_rate),
        issues=Issues(no_video_fraction=round(summary.frozen, 4)) if video else None,
    )


def _percentiles(one: Distribution) -> Percentiles:
    return Percentiles(
        avg=round(one.mean, 2), p50=round(one.p50, 2), p75=round(one.p75, 2), p90=round(one.p90, 2)
    )


def _losses(one: Exceeding) -> LossFractions:
    five, ten, twenty_five, fifty = (round(share, 4) for share in one.shares)
    return LossFractions(
        avg=round(_PERCENT * one.mean, 3), five=five, ten=ten, twenty_five=twenty_five, fifty=fifty
    )


def _delays(one: Exceeding) -> DelayFractions:
    tenth, quarter, half = (round(share, 4) for share in one.shares)
    return DelayFractions(avg=round(_MS * one.mean, 2), tenth=tenth, quarter=quarter, half=half)


def _quality_stats(peer_id: str, heading: Heading, audio: Course, video: Course) -> QualityStats:
    both = audio + video
    seconds = sum(one.seconds for _, one in both)
    return QualityStats(
        peer_id=peer_id,
        direction=heading,
        start=_time(min(at - one.seconds for at, one in both)),
        end=_time(max(at for at, _ in both)),
        average_quality=round(sum(one.mos * one.seconds for _, one in both) / seconds, 2),
        audio_bandwidth=_bandwidth(audio),
        video_bandwidth=_bandwidth(video),
        audio_packet_loss=_loss(audio),
        video_packet_loss=_loss(video),
        audio_stats=[
            AudioStat(
                timestamp=_time(at),
                packets_lost=round(one.lost, 1),
                jitter=round(one.jitter, 6),
                quality=round(one.mos, 2),
            )
            for at, one in audio
        ],
        video_stats=[
            VideoStat(
                timestamp=_time(at),
                frames_per_second=_rounded(one.frame_rate, 2),
                packets_lost=round(one.lost, 1),
                jitter=round(one.jitter, 6),
                quality=round(one.mos, 2),
            )
            for at, one in video
        ],
    )


def _bandwidth(course: Course) -> float | None:
    seconds = sum(one.seconds for _, one in course)
    return round(8 * sum(one.octets for _, one in course) / seconds) if seconds else None


def _loss(course: Course) -> float | None:
    summary = summarise([one for _, one in course])
    return None if summary is None else round(_PERCENT * summary.loss.mean, 3)


def _pairs(report: PeerReport, heading: Heading) -> tuple[CandidatePairAnswer, ...]:
    return tuple(_pair(one) for one in report.pairs if one.heading == heading)


def _pair(one: CandidatePair) -> CandidatePairAnswer:
    passed: dict[str, JsonValue] = (
        {"packets_received": one.packets, "bytes_received": one.octets}
        if one.heading == "sent"
        else {"packets_sent": one.packets, "bytes_sent": one.octets}
    )
    return CandidatePairAnswer.model_validate(
        {
            "local_candidate_address": one.local_address,
            "local_candidate_port": one.local_port,
            "local_candidate_protocol": one.protocol,
            "remote_candidate_address": one.remote_address,
            "remote_candidate_port": one.remote_port,
            "remote_candidate_protocol": one.protocol,
            "remote_candidate_type": one.remote_type,
            "current_round_trip_time": _rounded(one.rtt, 6),
            "available_outgoing_bitrate": _rounded(one.estimate, 0),
            "first_used_at": _time(one.since),
            "last_used_at": _time(one.until),
            **passed,
        }
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
