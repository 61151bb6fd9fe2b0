"""What signaling and a node say to each other.

A link carries `Command`s from signaling to the node, each answered by exactly one `Reply`, and `Event`s the
other way. Commands of one link are applied in the order in which they were sent. The values are pydantic
models because they cross a process boundary; `sfu.control.link` frames them as length-prefixed JSON.

Ids (`router_id`, `transport_id`, `producer_id`, `consumer_id`) are chosen by signaling, so that a command can
be retried and a lost reply does not lose an object.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sfu.rtp.parameters import Codec

Kind = Literal["audio", "video"]
GrantKind = Literal["audio", "video", "data"]
DataDropReason = Literal["not_permitted", "rate_limited", "malformed", "slow_receiver", "too_large"]
Direction = Literal["publish", "subscribe"]
TransportStateName = Literal["new", "connecting", "connected", "disconnected", "failed", "closed"]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LayerSpec(_Message):
    """A pair (spatial, temporal), counted from 0 = lowest."""

    spatial: int = Field(ge=0, le=7)
    temporal: int = Field(ge=0, le=7)


class Grant(_Message):
    """What one transport may publish: a source by name ("camera", "microphone", ...) and its kind.

    `max_spatial` is the highest encoding forwarded, `max_bitrate` the bits a second of all encodings
    together, `max_frame_rate` the frames a second of each; None for no limit. They are in the answer where
    clients keep to it, and policed at the node. Of audio, `stereo`, `dtx` and `average_bitrate` are what the
    answer asks the client's encoder for. Of kind "data", whatever the source, it is the right to send
    messages over data channels.
    """

    source: str
    kind: GrantKind
    max_spatial: int | None = None
    max_bitrate: int | None = None
    max_frame_rate: float | None = None
    stereo: bool = False
    dtx: bool = False
    average_bitrate: int | None = None


class ProducerSpec(_Message):
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


class ProducerInfo(_Message):
    producer_id: str
    mid: str
    kind: Kind
    codec: str
    """Media type as in SDP, for example "video/VP8"."""
    encodings: int
    """Number of simulcast encodings negotiated, 1 without simulcast."""


class ConsumerSpec(_Message):
    """`mid` names the m-line to send on where the client offers; else the node chooses it."""

    consumer_id: str
    producer_id: str
    mid: str | None = None
    preferred: LayerSpec | None = None
    paused: bool = False


# --- pipes -------------------------------------------------------------------------------------------


class PipedCodec(_Message):
    """The publisher's codec, as `sfu.rtp.parameters.Codec` has it."""

    mime: str
    payload_type: int
    clock_rate: int
    channels: int
    parameters: tuple[tuple[str, str | None], ...] = ()
    feedback: tuple[str, ...] = ()

    @classmethod
    def of(cls, codec: Codec) -> PipedCodec:
        return cls(
            mime=codec.mime,
            payload_type=codec.payload_type,
            clock_rate=codec.clock_rate,
            channels=codec.channels,
            parameters=codec.parameters,
            feedback=codec.feedback,
        )

    def to_codec(self) -> Codec:
        return Codec(
            self.mime, self.payload_type, self.clock_rate, self.channels, self.parameters, self.feedback
        )


class PipedEncoding(_Message):
    """An encoding, lowest first, and the SSRCs it has on the pipe."""

    rid: str | None
    ssrc: int
    rtx_ssrc: int


class PipedProducer(_Message):
    """A producer as the far end of a pipe makes it: what the origin says in `Piped`, and `ReceiveProducer`
    carries over. `transport_id` is that of the publisher at the origin; it keeps the tracks of one person
    in one stream. `payload_type` and `rtx_payload_type` (0: none) are those on the pipe."""

    producer_id: str
    transport_id: str
    source: str
    kind: Kind
    codec: PipedCodec
    payload_type: int
    rtx_payload_type: int
    encodings: tuple[PipedEncoding, ...] = Field(min_length=1)
    paused: bool = False
    sends_red: bool = False
    """The publisher sends audio with redundancy, so receivers get it with redundancy."""


# --- commands: signaling -> node ---------------------------------------------------------------------


class CreateRouter(_Message):
    """`loudest_audio`: only so many of the loudest voices are forwarded; None for all."""

    type: Literal["create_router"] = "create_router"
    router_id: str
    loudest_audio: int | None = Field(default=None, ge=1)


class CloseRouter(_Message):
    type: Literal["close_router"] = "close_router"
    router_id: str


class CreateTransport(_Message):
    type: Literal["create_transport"] = "create_transport"
    router_id: str
    transport_id: str
    direction: Direction
    grants: tuple[Grant, ...] = ()
    client_offers: bool = False
    """Of a subscribe transport: its m-lines come from one `HandleViewOffer` instead of offers of ours."""
    label: str = ""
    """Shown in the subscribe SDP as the msid prefix and in logs, and on a publish transport the address of
    data messages to and from it; never a person's name or a token."""


class CloseTransport(_Message):
    type: Literal["close_transport"] = "close_transport"
    transport_id: str


class SetGrants(_Message):
    """Replaces a publish transport's grants. Producers outside them are closed in the same loop turn."""

    type: Literal["set_grants"] = "set_grants"
    transport_id: str
    grants: tuple[Grant, ...]


class HandleOffer(_Message):
    """A publish offer. `producers` lists every m-line that may carry media, old ones included.

    An m-line that is not listed, or whose source is not granted, is answered inactive.
    """

    type: Literal["handle_offer"] = "handle_offer"
    transport_id: str
    sdp: str
    producers: tuple[ProducerSpec, ...]


class HandleAnswer(_Message):
    """The client's answer to the subscribe offer of that version."""

    type: Literal["handle_answer"] = "handle_answer"
    transport_id: str
    version: int
    sdp: str


class HandleViewOffer(_Message):
    """The one offer of a client that receives by offering (WHEP), on a transport with `client_offers`.

    `consumers` are those to begin with, each on an m-line of the offer; `Consume` puts others there later.
    Every m-line with a codec in common is answered sendonly, but one whose consumer has a codec that the
    client lacks is answered inactive.
    """

    type: Literal["handle_view_offer"] = "handle_view_offer"
    transport_id: str
    sdp: str
    consumers: tuple[ConsumerSpec, ...]


class HandleCandidate(_Message):
    type: Literal["handle_candidate"] = "handle_candidate"
    transport_id: str
    candidate: str | None


class RestartIce(_Message):
    """New ICE credentials for a subscribe transport; an offer event follows. (Publish: the client offers.)"""

    type: Literal["restart_ice"] = "restart_ice"
    transport_id: str


class HandleIceRestart(_Message):
    """The client restarts ICE without an offer (RFC 9725 section 4.3.3): its new credentials."""

    type: Literal["handle_ice_restart"] = "handle_ice_restart"
    transport_id: str
    ufrag: str
    pwd: str


class CloseProducer(_Message):
    type: Literal["close_producer"] = "close_producer"
    producer_id: str


class PauseProducer(_Message):
    """Stops forwarding of a producer at the node (mute). Consumers stay."""

    type: Literal["pause_producer"] = "pause_producer"
    producer_id: str


class ResumeProducer(_Message):
    type: Literal["resume_producer"] = "resume_producer"
    producer_id: str


class Consume(_Message):
    """Adds consumers to a subscribe transport; one coalesced offer event follows."""

    type: Literal["consume"] = "consume"
    transport_id: str
    consumers: tuple[ConsumerSpec, ...]


class CloseConsumers(_Message):
    type: Literal["close_consumers"] = "close_consumers"
    consumer_ids: tuple[str, ...]


class SetPreferredLayer(_Message):
    type: Literal["set_preferred_layer"] = "set_preferred_layer"
    consumer_id: str
    preferred: LayerSpec | None


class TileSpec(_Message):
    """Where a consumer is shown, in device pixels; 0 x 0 is nowhere, and nothing is sent. Among videos a
    higher `priority` is served first."""

    consumer_id: str
    width: int = Field(ge=0, le=16384)
    height: int = Field(ge=0, le=16384)
    priority: int = Field(default=0, ge=-100, le=100)


class SetTiles(_Message):
    """What a receiver shows of its consumers. Those that are not named stay as they were; one that was never
    named is taken for shown, as large as can be."""

    type: Literal["set_tiles"] = "set_tiles"
    transport_id: str
    tiles: tuple[TileSpec, ...]


class PauseConsumer(_Message):
    type: Literal["pause_consumer"] = "pause_consumer"
    consumer_id: str


class ResumeConsumer(_Message):
    type: Literal["resume_consumer"] = "resume_consumer"
    consumer_id: str


class CreatePipe(_Message):
    """One end of a pipe to another node. The reply, `PipeCreated`, goes to the other end's `ConnectPipe`.

    `secure`: sealed with AES-GCM under a key that this end makes. Without it both ends have to be on one
    machine's loopback interface, or the node refuses with "insecure_pipe".
    """

    type: Literal["create_pipe"] = "create_pipe"
    pipe_id: str
    secure: bool = True


class ConnectPipe(_Message):
    """Where the other end is and, of a secure pipe, the key it seals with (hexadecimal: key, then salt)."""

    type: Literal["connect_pipe"] = "connect_pipe"
    pipe_id: str
    host: str
    port: int = Field(ge=1, le=65535)
    key: str | None = Field(default=None, repr=False)


class ClosePipe(_Message):
    """Also closes the producers that came by it, and their consumers, which are told."""

    type: Literal["close_pipe"] = "close_pipe"
    pipe_id: str


class SendProducer(_Message):
    """Take a producer of this node along a pipe. Answered with `Piped`; asking twice changes nothing."""

    type: Literal["send_producer"] = "send_producer"
    pipe_id: str
    producer_id: str


class StopSending(_Message):
    type: Literal["stop_sending"] = "stop_sending"
    pipe_id: str
    producer_id: str


class ReceiveProducer(_Message):
    """Make a producer that comes by a pipe; it is consumed, paused and closed by the id it has at its
    origin. Nothing flows until somebody here consumes it."""

    type: Literal["receive_producer"] = "receive_producer"
    pipe_id: str
    router_id: str
    producer: PipedProducer


class DataRelayed(_Message):
    """A data message between peers of a session on different nodes; `to` None: everybody but the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    router_id: str
    sender: str
    to: tuple[str, ...] | None
    topic: str
    payload: bytes
    channel: Literal["reliable", "lossy"]


class SpreadData(_Message):
    """Whether the router's session is on other nodes, too: what concerns peers there is told then."""

    type: Literal["spread_data"] = "spread_data"
    router_id: str
    spread: bool


class DeliverData(DataRelayed):
    """A message from another node, for the peers of this router."""

    type: Literal["deliver_data"] = "deliver_data"


class GetStats(_Message):
    """Node counters, and with a router_id that router's transports, producers and consumers. With
    transport_ids, `StreamStats` of those instead; ids that are not there are passed over."""

    type: Literal["get_stats"] = "get_stats"
    router_id: str | None = None
    transport_ids: tuple[str, ...] = ()


class Ping(_Message):
    type: Literal["ping"] = "ping"


class Drain(_Message):
    """No new routers; close what is left after `deadline` seconds and stop."""

    type: Literal["drain"] = "drain"
    deadline: float = 5.0


Command = Annotated[
    CreateRouter
    | CloseRouter
    | CreateTransport
    | CloseTransport
    | SetGrants
    | HandleOffer
    | HandleAnswer
    | HandleViewOffer
    | HandleCandidate
    | RestartIce
    | HandleIceRestart
    | CloseProducer
    | PauseProducer
    | ResumeProducer
    | Consume
    | CloseConsumers
    | SetPreferredLayer
    | SetTiles
    | PauseConsumer
    | ResumeConsumer
    | CreatePipe
    | ConnectPipe
    | ClosePipe
    | SendProducer
    | StopSending
    | ReceiveProducer
    | SpreadData
    | DeliverData
    | GetStats
    | Ping
    | Drain,
    Field(discriminator="type"),
]

# --- replies: node -> signaling ----------------------------------------------------------------------


class Done(_Message):
    type: Literal["done"] = "done"


class Failed(_Message):
    """The command changed nothing. `code` is stable, `message` is for a human."""

    type: Literal["failed"] = "failed"
    code: str
    message: str


class Answered(_Message):
    """Reply to HandleOffer."""

    type: Literal["answered"] = "answered"
    sdp: str
    producers: tuple[ProducerInfo, ...]


class Consumed(_Message):
    """Reply to Consume. `failed` maps a consumer id to an error code (such as "producer_not_found")."""

    type: Literal["consumed"] = "consumed"
    failed: dict[str, str] = {}


class ViewAnswered(_Message):
    """Reply to HandleViewOffer. `failed` maps a consumer id to an error code, as in `Consumed`."""

    type: Literal["view_answered"] = "view_answered"
    sdp: str
    failed: dict[str, str] = {}


class IceRestarted(_Message):
    """Reply to HandleIceRestart: our new credentials, and the candidates as in SDP without "a="."""

    type: Literal["ice_restarted"] = "ice_restarted"
    ufrag: str
    pwd: str
    candidates: tuple[str, ...]


class PipeCreated(_Message):
    """Where this end listens and, of a secure pipe, the key it seals with."""

    type: Literal["pipe_created"] = "pipe_created"
    host: str
    port: int
    key: str | None = Field(default=None, repr=False)


class Piped(_Message):
    """Reply to SendProducer."""

    type: Literal["piped"] = "piped"
    producer: PipedProducer


class StreamStats(_Message):
    """A producer (`consumer_id` None) or a consumer over the last two seconds; see `sfu.meter.Figures`."""

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


class Stats(_Message):
    """`counters` are node totals since start; `router` is present where one was asked for."""

    type: Literal["stats"] = "stats"
    counters: dict[str, float]
    router: dict[str, object] | None = None
    streams: tuple[StreamStats, ...] = ()
    estimates: dict[str, float] = {}
    """By subscribe transport: bits per second that its path is thought to carry."""


Reply = Annotated[
    Done | Failed | Answered | Consumed | ViewAnswered | IceRestarted | PipeCreated | Piped | Stats,
    Field(discriminator="type"),
]

# --- events: node -> signaling -----------------------------------------------------------------------


class ConsumerMid(_Message):
    mid: str
    consumer_id: str
    producer_id: str
    kind: Kind


class OfferReady(_Message):
    """A subscribe offer. At most one is outstanding; changes made meanwhile go into the next version."""

    type: Literal["offer_ready"] = "offer_ready"
    transport_id: str
    version: int
    sdp: str
    mids: tuple[ConsumerMid, ...]


class TransportStateChanged(_Message):
    type: Literal["transport_state"] = "transport_state"
    transport_id: str
    state: TransportStateName


class ProducerClosed(_Message):
    """The node closed a producer on its own: reason "grant", "transport_closed" or "removed" (by SDP)."""

    type: Literal["producer_closed"] = "producer_closed"
    producer_id: str
    reason: str


class ProducerLimited(_Message):
    """A producer sends more than was granted, so less or nothing of it is forwarded; or it came back.

    `forwarded` is how many of its encodings may be, the lowest first.
    """

    type: Literal["producer_limited"] = "producer_limited"
    producer_id: str
    forwarded: int
    encodings: int


class ConsumerClosed(_Message):
    """Reason "producer_closed", "unsupported_codec" (refused in the answer) or "transport_closed"."""

    type: Literal["consumer_closed"] = "consumer_closed"
    consumer_id: str
    reason: str


PauseReason = Literal["bandwidth", "overload"]


class ConsumerPaused(_Message):
    """The node sends nothing of a video for now, though its receiver wants it. Reason "bandwidth": there is
    not enough of it on the way to this receiver; "overload": this node has more to do than it can. With
    another reason it takes the place of the one before."""

    type: Literal["consumer_paused"] = "consumer_paused"
    consumer_id: str
    reason: PauseReason


class ConsumerResumed(_Message):
    """What `ConsumerPaused` told is over."""

    type: Literal["consumer_resumed"] = "consumer_resumed"
    consumer_id: str


class LayersWanted(_Message):
    """By encoding, lowest first: whether anybody receives it or waits for it. What is not wanted, the
    publisher may stop sending; what is wanted again, it should send at once."""

    type: Literal["layers_wanted"] = "layers_wanted"
    producer_id: str
    encodings: tuple[bool, ...]


class LayerChanged(_Message):
    """The layer on the wire to a consumer is another one now."""

    type: Literal["layer_changed"] = "layer_changed"
    consumer_id: str
    current: LayerSpec


class ProducerScored(_Message):
    """How good what arrives of a producer is, 0 to 10, when that changed. Until told otherwise it is 10."""

    type: Literal["producer_scored"] = "producer_scored"
    producer_id: str
    score: int = Field(ge=0, le=10)


class ConsumerScored(_Message):
    """The same for what a receiver gets of it."""

    type: Literal["consumer_scored"] = "consumer_scored"
    consumer_id: str
    score: int = Field(ge=0, le=10)


class Speaker(_Message):
    producer_id: str
    level: int
    """RFC 6464: 0 is loudest, 127 silence."""


class SpeakersChanged(_Message):
    """Who is speaking in a router, loudest first; `dominant` changes with hysteresis."""

    type: Literal["speakers_changed"] = "speakers_changed"
    router_id: str
    speakers: tuple[Speaker, ...]
    dominant: str | None


class PipeStateChanged(_Message):
    """The other end is heard, or has not been heard for three seconds."""

    type: Literal["pipe_state"] = "pipe_state"
    pipe_id: str
    state: Literal["connected", "silent"]


class DataDropped(_Message):
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


class Spread(_Message):
    """Counts since the start by bucket: one per upper bound, and one for what is above them all."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float
    """The sum of all values."""


class NodeLoad(_Message):
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

command_adapter: TypeAdapter[Command] = TypeAdapter(Command)
reply_adapter: TypeAdapter[Reply] = TypeAdapter(Reply)
event_adapter: TypeAdapter[Event] = TypeAdapter(Event)
