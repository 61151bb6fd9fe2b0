"""What a node answers with, and the words that it is spoken to with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from signaling.domain.candidate_pair import CandidateProtocol, CandidateType
from signaling.domain.peer_quality import Medium
from signaling.domain.publication import Layer

Direction = Literal["publish", "subscribe"]


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What became of a publication in the answer."""

    codec: str
    encodings: int


@dataclass(frozen=True, slots=True)
class Answer:
    """`publications` holds those that were accepted, by publication id."""

    sdp: str
    publications: Mapping[str, Negotiated]


@dataclass(frozen=True, slots=True)
class ViewAnswer:
    """`failed` are those that could not be put on their m-line: publication id to the node's error code."""

    sdp: str
    failed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StreamStats:
    """A publication as it arrives, or a subscription as it leaves, over the last two seconds. Rates are per
    second, shares 0 to 1, times in seconds; None where there is no such thing or it is not known."""

    publication_id: str
    bitrate: float
    packet_rate: float
    frame_rate: float | None
    loss: float
    repaired: float
    jitter: float
    rtt: float | None
    frozen: float
    freezes: int
    score: int
    layer: Layer | None = None


@dataclass(frozen=True, slots=True)
class PeerStats:
    """`estimate`: bits per second that the way to the peer may carry; None where it gets nothing."""

    publications: tuple[StreamStats, ...] = ()
    subscriptions: tuple[StreamStats, ...] = ()
    estimate: float | None = None

    @classmethod
    def together(cls, parts: Sequence[PeerStats]) -> PeerStats:
        """Of a peer that sends to one node and receives from another: the last estimate counts."""
        return cls(
            publications=tuple(one for part in parts for one in part.publications),
            subscriptions=tuple(one for part in parts for one in part.subscriptions),
            estimate=next((one.estimate for one in reversed(parts) if one.estimate is not None), None),
        )


@dataclass(frozen=True, slots=True)
class PathSample:
    """The pair of addresses that a connection uses. `rtt` in seconds, `estimate` in bits per second."""

    protocol: CandidateProtocol
    local_host: str
    local_port: int
    remote_host: str
    remote_port: int
    remote_type: CandidateType
    rtt: float | None
    estimate: float | None


@dataclass(frozen=True, slots=True)
class MediumSample:
    """Streams of one medium together. Octets of payload, times in seconds, scores 0 to 10."""

    medium: Medium
    streams: int
    packets: int
    octets: int
    lost: float
    jitter: float
    rtt: float | None
    frame_rate: float | None
    frozen: float
    score: float
    worst: int


@dataclass(frozen=True, slots=True)
class ConnectionSample:
    """What passed over one connection of a peer since it was sampled before."""

    peer_id: str
    direction: Direction
    path: PathSample | None
    media: tuple[MediumSample, ...]


@dataclass(frozen=True, slots=True)
class IceAnswer:
    """Our half of an ICE restart; candidates as in SDP without "a="."""

    ufrag: str
    pwd: str
    candidates: tuple[str, ...]
