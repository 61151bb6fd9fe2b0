"""What commands, replies and events are made of."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["audio", "video"]
GrantKind = Literal["audio", "video", "data"]
DataDropReason = Literal["not_permitted", "rate_limited", "malformed", "slow_receiver", "too_large"]
LimitReason = Literal["bitrate", "frame_rate", "frame_size"]
Direction = Literal["publish", "subscribe"]
TransportStateName = Literal["new", "connecting", "connected", "disconnected", "failed", "closed"]

Medium = Literal["audio", "video", "screen_audio", "screen"]
MAX_SAMPLED = 16
"""Transports that are sampled in one turn of a node."""

UNSHARED = ConfigDict(cache_strings="keys")
"""For who reads messages: most texts in them are ids that come once and never again. pydantic would keep the
last 16,384 of them for the next time."""


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LayerSpec(Message):
    """A pair (spatial, temporal), counted from 0 = lowest."""

    spatial: int = Field(ge=0, le=7)
    temporal: int = Field(ge=0, le=7)


class Grant(Message):
    """What one transport may publish: a source by name ("camera", "microphone", ...) and its kind.

    `max_spatial` is the highest encoding forwarded, `max_bitrate` the bits a second of all encodings
    together, `max_frame_rate` the frames a second of each, `max_pixels` the area of its pictures; None for
    no limit. They are in the answer where clients keep to it, and policed at the node. Of audio, `stereo`,
    `dtx` and `average_bitrate` are what the answer asks the client's encoder for. Of kind "data", whatever
    the source, it is the right to send messages over data channels.
    """

    source: str
    kind: GrantKind
    max_spatial: int | None = None
    max_bitrate: int | None = None
    max_frame_rate: float | None = None
    max_pixels: int | None = None
    stereo: bool = False
    dtx: bool = False
    average_bitrate: int | None = None


class ProducerSpec(Message):
    """Binds one m-line of a publish offer to a producer.

    `encrypted` says that the client encrypts its payloads end to end: a codec is refused of which key frames
    cannot be found without looking into them.
    """

    producer_id: str
    mid: str
    source: str
    kind: Kind
    paused: bool = False
    encrypted: bool = False


class ProducerInfo(Message):
    producer_id: str
    mid: str
    kind: Kind
    codec: str
    """Media type as in SDP, for example "video/VP8"."""
    encodings: int
    """Number of simulcast encodings negotiated, 1 without simulcast."""


class ConsumerSpec(Message):
    """`mid` names the m-line to send on where the client offers; else the node chooses it."""

    consumer_id: str
    producer_id: str
    mid: str | None = None
    preferred: LayerSpec | None = None
    paused: bool = False


class DataRelayed(Message):
    """A data message between peers of a session on different nodes; `to` None: everybody but the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    router_id: str
    sender: str
    to: tuple[str, ...] | None
    topic: str
    payload: bytes
    channel: Literal["reliable", "lossy"]
