"""Commands: what signaling asks a node to do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from sfu.control.messages.inventory import GetHoldings, GetRouter, Retell, SetNotes
from sfu.control.messages.piping import PipedProducer
from sfu.control.messages.values import (
    MAX_SAMPLED,
    UNSHARED,
    ConsumerSpec,
    DataRelayed,
    Direction,
    Grant,
    LayerSpec,
    Message,
    ProducerSpec,
)


class CreateRouter(Message):
    """`loudest_audio`: only so many of the loudest voices are forwarded; None for all."""

    type: Literal["create_router"] = "create_router"
    router_id: str
    loudest_audio: int | None = Field(default=None, ge=1)


class LimitVoices(Message):
    """From now on only so many of the loudest voices are forwarded; None for all."""

    type: Literal["limit_voices"] = "limit_voices"
    router_id: str
    loudest_audio: int | None = Field(default=None, ge=1)


class CloseRouter(Message):
    type: Literal["close_router"] = "close_router"
    router_id: str


class CreateTransport(Message):
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


class CloseTransport(Message):
    type: Literal["close_transport"] = "close_transport"
    transport_id: str


class SetGrants(Message):
    """Replaces a publish transport's grants. Producers outside them are closed in the same loop turn."""

    type: Literal["set_grants"] = "set_grants"
    transport_id: str
    grants: tuple[Grant, ...]


class HandleOffer(Message):
    """A publish offer. `producers` lists every m-line that may carry media, old ones included.

    An m-line that is not listed, or whose source is not granted, is answered inactive.
    """

    type: Literal["handle_offer"] = "handle_offer"
    transport_id: str
    sdp: str
    producers: tuple[ProducerSpec, ...]


class HandleAnswer(Message):
    """The client's answer to the subscribe offer of that version."""

    type: Literal["handle_answer"] = "handle_answer"
    transport_id: str
    version: int
    sdp: str


class HandleViewOffer(Message):
    """The one offer of a client that receives by offering (WHEP), on a transport with `client_offers`.

    `consumers` are those to begin with, each on an m-line of the offer; `Consume` puts others there later.
    Every m-line with a codec in common is answered sendonly, but one whose consumer has a codec that the
    client lacks is answered inactive.
    """

    type: Literal["handle_view_offer"] = "handle_view_offer"
    transport_id: str
    sdp: str
    consumers: tuple[ConsumerSpec, ...]


class HandleCandidate(Message):
    type: Literal["handle_candidate"] = "handle_candidate"
    transport_id: str
    candidate: str | None


class RestartIce(Message):
    """New ICE credentials for a subscribe transport; an offer event follows. (Publish: the client offers.)"""

    type: Literal["restart_ice"] = "restart_ice"
    transport_id: str


class HandleIceRestart(Message):
    """The client restarts ICE without an offer (RFC 9725 section 4.3.3): its new credentials."""

    type: Literal["handle_ice_restart"] = "handle_ice_restart"
    transport_id: str
    ufrag: str
    pwd: str


class CloseProducer(Message):
    type: Literal["close_producer"] = "close_producer"
    producer_id: str


class PauseProducer(Message):
    """Stops forwarding of a producer at the node (mute). Consumers stay."""

    type: Literal["pause_producer"] = "pause_producer"
    producer_id: str


class ResumeProducer(Message):
    type: Literal["resume_producer"] = "resume_producer"
    producer_id: str


class Consume(Message):
    """Adds consumers to a subscribe transport; one coalesced offer event follows."""

    type: Literal["consume"] = "consume"
    transport_id: str
    consumers: tuple[ConsumerSpec, ...]


class CloseConsumers(Message):
    type: Literal["close_consumers"] = "close_consumers"
    consumer_ids: tuple[str, ...]


class SetPreferredLayer(Message):
    type: Literal["set_preferred_layer"] = "set_preferred_layer"
    consumer_id: str
    preferred: LayerSpec | None


class TileSpec(Message):
    """Where a consumer is shown, in device pixels; 0 x 0 is nowhere, and nothing is sent. Among videos a
    higher `priority` is served first."""

    consumer_id: str
    width: int = Field(ge=0, le=16384)
    height: int = Field(ge=0, le=16384)
    priority: int = Field(default=0, ge=-100, le=100)


class SetTiles(Message):
    """What a receiver shows of its consumers. Those that are not named stay as they were; one that was never
    named is taken for shown, as large as can be."""

    type: Literal["set_tiles"] = "set_tiles"
    transport_id: str
    tiles: tuple[TileSpec, ...]


class PauseConsumer(Message):
    type: Literal["pause_consumer"] = "pause_consumer"
    consumer_id: str


class ResumeConsumer(Message):
    type: Literal["resume_consumer"] = "resume_consumer"
    consumer_id: str


class CreatePipe(Message):
    """One end of a pipe to another node. The reply, `PipeCreated`, goes to the other end's `ConnectPipe`.

    `secure`: sealed with AES-GCM under a key that this end makes. Without it both ends have to be on one
    machine's loopback interface, or the node refuses with "insecure_pipe".

    `renew`: nothing comes through it any more. An end that there is gets another socket, by which it goes on
    from the next `ConnectPipe` on; keys, and what it carries, stay.
    """

    type: Literal["create_pipe"] = "create_pipe"
    pipe_id: str
    secure: bool = True
    renew: bool = False


class ConnectPipe(Message):
    """Where the other end is and, of a secure pipe, the key it seals with (hexadecimal: key, then salt)."""

    type: Literal["connect_pipe"] = "connect_pipe"
    pipe_id: str
    host: str
    port: int = Field(ge=1, le=65535)
    key: str | None = Field(default=None, repr=False)


class ClosePipe(Message):
    """Also closes the producers that came by it, and their consumers, which are told."""

    type: Literal["close_pipe"] = "close_pipe"
    pipe_id: str


class SendProducer(Message):
    """Take a producer of this node along a pipe. Answered with `Piped`; asking twice changes nothing."""

    type: Literal["send_producer"] = "send_producer"
    pipe_id: str
    producer_id: str


class StopSending(Message):
    type: Literal["stop_sending"] = "stop_sending"
    pipe_id: str
    producer_id: str


class ReceiveProducer(Message):
    """Make a producer that comes by a pipe; it is consumed, paused and closed by the id it has at its
    origin. Nothing flows until somebody here consumes it."""

    type: Literal["receive_producer"] = "receive_producer"
    pipe_id: str
    router_id: str
    producer: PipedProducer


class SpreadData(Message):
    """Whether the router's session is on other nodes, too: what concerns peers there is told then."""

    type: Literal["spread_data"] = "spread_data"
    router_id: str
    spread: bool


class DeliverData(DataRelayed):
    """A message from another node, for the peers of this router."""

    type: Literal["deliver_data"] = "deliver_data"


class GetStats(Message):
    """Node counters, and with a router_id that router's transports, producers and consumers. With
    transport_ids, `StreamStats` of those instead; ids that are not there are passed over."""

    type: Literal["get_stats"] = "get_stats"
    router_id: str | None = None
    transport_ids: tuple[str, ...] = ()


class Sample(Message):
    """What passed over these transports since they were sampled last, at most `MAX_SAMPLED` of them: whoever
    has more asks more often, so that media does not wait. Ids that are not there are passed over."""

    type: Literal["sample"] = "sample"
    transport_ids: tuple[str, ...] = Field(max_length=MAX_SAMPLED)


class Ping(Message):
    type: Literal["ping"] = "ping"


class Drain(Message):
    """No new routers; close what is left after `deadline` seconds and stop."""

    type: Literal["drain"] = "drain"
    deadline: float = 5.0


Command = Annotated[
    CreateRouter
    | LimitVoices
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
    | Sample
    | SetNotes
    | GetHoldings
    | GetRouter
    | Retell
    | Ping
    | Drain,
    Field(discriminator="type"),
]

command_adapter: TypeAdapter[Command] = TypeAdapter(Command, config=UNSHARED)
