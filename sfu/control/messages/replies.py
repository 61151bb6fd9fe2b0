"""Replies: what a node answers to a command, exactly one to each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from sfu.control.messages.inventory import Holdings, RouterHeld
from sfu.control.messages.piping import PipedProducer
from sfu.control.messages.values import UNSHARED, LayerSpec, Medium, Message, ProducerInfo


class Done(Message):
    type: Literal["done"] = "done"


class Failed(Message):
    """The command changed nothing. `code` is stable, `message` is for a human."""

    type: Literal["failed"] = "failed"
    code: str
    message: str


class Answered(Message):
    """Reply to HandleOffer."""

    type: Literal["answered"] = "answered"
    sdp: str
    producers: tuple[ProducerInfo, ...]


class Consumed(Message):
    """Reply to Consume. `failed` maps a consumer id to an error code (such as "producer_not_found")."""

    type: Literal["consumed"] = "consumed"
    failed: dict[str, str] = Field(default_factory=dict)


class ViewAnswered(Message):
    """Reply to HandleViewOffer. `failed` maps a consumer id to an error code, as in `Consumed`."""

    type: Literal["view_answered"] = "view_answered"
    sdp: str
    failed: dict[str, str] = Field(default_factory=dict)


class IceRestarted(Message):
    """Reply to HandleIceRestart: our new credentials, and the candidates as in SDP without "a="."""

    type: Literal["ice_restarted"] = "ice_restarted"
    ufrag: str
    pwd: str
    candidates: tuple[str, ...]


class PipeCreated(Message):
    """Where this end listens and, of a secure pipe, the key it seals with."""

    type: Literal["pipe_created"] = "pipe_created"
    host: str
    port: int
    key: str | None = Field(default=None, repr=False)


class Piped(Message):
    """Reply to SendProducer."""

    type: Literal["piped"] = "piped"
    producer: PipedProducer


class StreamStats(Message):
    """A producer (without `consumer_id`) or a consumer over two seconds: `sfu.quality.meter.Figures`."""

    producer_id: str
    consumer_id: str | None = None
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
    layer: LayerSpec | None = None
    """On the wire to a consumer of a video."""


class Stats(Message):
    """`counters` are node totals since start; `router` is present where one was asked for."""

    type: Literal["stats"] = "stats"
    counters: dict[str, float]
    router: dict[str, object] | None = None
    streams: tuple[StreamStats, ...] = ()
    estimates: dict[str, float] = Field(default_factory=dict)
    """By subscribe transport: bits per second that its path is thought to carry."""


class PathSample(Message):
    """The pair of addresses that a transport sends to. `remote_type` is as the client told of its candidate:
    "prflx" where it never told of that address. `rtt` in seconds; `estimate` in bits per second."""

    protocol: Literal["udp", "tcp"]
    local_host: str
    local_port: int
    remote_host: str
    remote_port: int
    remote_type: Literal["host", "srflx", "prflx", "relay"]
    rtt: float | None = None
    estimate: float | None = None


class MediumSample(Message):
    """Streams of one medium on one transport that something passed of, together. Octets are of payload, times
    in seconds; jitter and score are the mean of them, `worst` is the lowest score, the frame rate the best
    one's. `frozen` is the longest that one of them stood still."""

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


class TransportSample(Message):
    transport_id: str
    path: PathSample | None = None
    media: tuple[MediumSample, ...] = ()


class Sampled(Message):
    """Reply to Sample."""

    type: Literal["sampled"] = "sampled"
    transports: tuple[TransportSample, ...] = ()


Reply = Annotated[
    Done
    | Failed
    | Answered
    | Consumed
    | ViewAnswered
    | IceRestarted
    | PipeCreated
    | Piped
    | Stats
    | Sampled
    | Holdings
    | RouterHeld,
    Field(discriminator="type"),
]

reply_adapter: TypeAdapter[Reply] = TypeAdapter(Reply, config=UNSHARED)
