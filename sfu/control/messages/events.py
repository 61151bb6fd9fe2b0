"""Events: what a node tells signaling of its own accord."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from sfu.control.messages.values import (
    UNSHARED,
    DataDropReason,
    DataRelayed,
    Kind,
    LayerSpec,
    LimitReason,
    Message,
    TransportStateName,
)


class ConsumerMid(Message):
    mid: str
    consumer_id: str
    producer_id: str
    kind: Kind


class OfferReady(Message):
    """A subscribe offer. At most one is outstanding; changes made meanwhile go into the next version."""

    type: Literal["offer_ready"] = "offer_ready"
    transport_id: str
    version: int
    sdp: str
    mids: tuple[ConsumerMid, ...]


class TransportStateChanged(Message):
    type: Literal["transport_state"] = "transport_state"
    transport_id: str
    state: TransportStateName


class ProducerClosed(Message):
    """The node closed a producer on its own: reason "grant", "transport_closed" or "removed" (by SDP)."""

    type: Literal["producer_closed"] = "producer_closed"
    producer_id: str
    reason: str


class ProducerLimited(Message):
    """A producer sends more than was granted, so less or nothing of it is forwarded; or it came back.

    `forwarded` is how many of its encodings may be, the lowest first; `reason` what the next one exceeds,
    None where all of them may.
    """

    type: Literal["producer_limited"] = "producer_limited"
    producer_id: str
    forwarded: int
    encodings: int
    reason: LimitReason | None = None


class ConsumerClosed(Message):
    """Reason "producer_closed", "unsupported_codec" (refused in the answer) or "transport_closed"."""

    type: Literal["consumer_closed"] = "consumer_closed"
    consumer_id: str
    reason: str


PauseReason = Literal["bandwidth", "overload"]


class ConsumerPaused(Message):
    """The node sends nothing of a video for now, though its receiver wants it. Reason "bandwidth": there is
    not enough of it on the way to this receiver; "overload": this node has more to do than it can. With
    another reason it takes the place of the one before."""

    type: Literal["consumer_paused"] = "consumer_paused"
    consumer_id: str
    reason: PauseReason


class ConsumerResumed(Message):
    """What `ConsumerPaused` told is over."""

    type: Literal["consumer_resumed"] = "consumer_resumed"
    consumer_id: str


class LayersWanted(Message):
    """By encoding, lowest first: whether anybody receives it or waits for it. What is not wanted, the
    publisher may stop sending; what is wanted again, it should send at once."""

    type: Literal["layers_wanted"] = "layers_wanted"
    producer_id: str
    encodings: tuple[bool, ...]


class LayerChanged(Message):
    """The layer on the wire to a consumer is another one now."""

    type: Literal["layer_changed"] = "layer_changed"
    consumer_id: str
    current: LayerSpec


class ProducerScored(Message):
    """How good what arrives of a producer is, 0 to 10, when that changed. Until told otherwise it is 10."""

    type: Literal["producer_scored"] = "producer_scored"
    producer_id: str
    score: int = Field(ge=0, le=10)


class ConsumerScored(Message):
    """The same for what a receiver gets of it."""

    type: Literal["consumer_scored"] = "consumer_scored"
    consumer_id: str
    score: int = Field(ge=0, le=10)


class Speaker(Message):
    producer_id: str
    level: int
    """RFC 6464: 0 is loudest, 127 silence."""


class SpeakersChanged(Message):
    """Who is speaking in a router, loudest first; `dominant` changes with hysteresis."""

    type: Literal["speakers_changed"] = "speakers_changed"
    router_id: str
    speakers: tuple[Speaker, ...]
    dominant: str | None


class PipeStateChanged(Message):
    """The other end is heard, or has not been heard for three seconds."""

    type: Literal["pipe_state"] = "pipe_state"
    pipe_id: str
    state: Literal["connected", "silent"]


class DataDropped(Message):
    """About once a second: how many data messages of or to a publish transport were not relayed, and why.

    "not_permitted", "rate_limited" and "malformed" are of those it sent; "slow_receiver" and "too_large" of
    those it was to get.
    """

    type: Literal["data_dropped"] = "data_dropped"
    transport_id: str
    reason: DataDropReason
    messages: int


class DataForwarded(DataRelayed):
    """A message of a peer here that concerns peers on other nodes; see `SpreadData`."""

    type: Literal["data_forwarded"] = "data_forwarded"


class Spread(Message):
    """Counts since the start by bucket: one per upper bound, and one for what is above them all."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float
    """The sum of all values."""


class QualitySpread(Spread):
    """How a measure of streams is spread over them, each counted every two seconds: round trips and jitter
    in seconds, shares of packets lost on the way (repaired ones included), scores, bits of payload per
    second; of receivers' paths, estimates in bits per second, which have neither direction nor kind."""

    measure: Literal["rtt", "loss", "jitter", "score", "bitrate", "estimate"]
    direction: Literal["in", "out"] | None = None
    kind: Kind | None = None


class FreezeCount(Message):
    """How many freezes of streams from publishers ("in") or to receivers ("out") began since the start."""

    direction: Literal["in", "out"]
    kind: Kind
    count: int


class NodeLoad(Message):
    """Every 2 seconds, and when `pressure` changes: what this node carries."""

    type: Literal["node_load"] = "node_load"
    cpu: float
    """Busy fraction of one core over the last interval, 0.0 to 1.0."""
    packets_per_second: float
    lag: float = 0.0
    """Mean seconds by which its timers came late."""
    pressure: int = Field(default=0, ge=0)
    """The level of what it gives up (`sfu.pressure.Level`), 0 for nothing."""
    delays: Spread | None = None
    """Seconds from reading a packet to having handed its copies to the socket, by packets read."""
    routers: int
    transports: int
    counters: dict[str, float]
    quality: tuple[QualitySpread, ...] = ()
    freezes: tuple[FreezeCount, ...] = ()
    layers: tuple[int, ...] = ()
    """How many consumers have each spatial layer of a video on the wire, from the lowest on."""


Event = Annotated[
    OfferReady
    | TransportStateChanged
    | ProducerClosed
    | ProducerLimited
    | ConsumerClosed
    | ConsumerPaused
    | ConsumerResumed
    | LayersWanted
    | LayerChanged
    | ProducerScored
    | ConsumerScored
    | SpeakersChanged
    | PipeStateChanged
    | DataDropped
    | DataForwarded
    | NodeLoad,
    Field(discriminator="type"),
]

event_adapter: TypeAdapter[Event] = TypeAdapter(Event, config=UNSHARED)
