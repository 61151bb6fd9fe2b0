"""What live sessions need of the media nodes and of the sockets, in the words of people: publish, subscribe.

`signaling.nodes` implements `MediaNodes`, `signaling.ws.hub` implements `PeerHub`, `signaling.auth.turn`
implements `IceServers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from signaling.domain.publication import EndReason, Grant, Layer, Publication, Subscription, Tile
from signaling.protocol.closing import CloseCode
from signaling.protocol.messages import AnyEvent, IceServer

Direction = Literal["publish", "subscribe"]
PauseReason = Literal["bandwidth", "overload"]
DataDropReason = Literal["not_permitted", "rate_limited", "malformed", "slow_receiver", "too_large"]
TransportStateName = Literal["new", "connecting", "connected", "disconnected", "failed", "closed"]


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


@dataclass(frozen=True, slots=True)
class IceAnswer:
    """Our half of an ICE restart; candidates as in SDP without "a="."""

    ufrag: str
    pwd: str
    candidates: tuple[str, ...]


# --- what a node tells ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferMid:
    mid: str
    publication_id: str


@dataclass(frozen=True, slots=True)
class OfferMade:
    """A subscribe offer for a peer. `mids` are the m-lines that carry media now.

    With `move`, it is of a connection that is to take the place of the one there is, see `begin_move`.
    """

    peer_id: str
    version: int
    sdp: str
    mids: tuple[OfferMid, ...]
    move: int | None = None


@dataclass(frozen=True, slots=True)
class TransportStateChanged:
    peer_id: str
    direction: Direction
    state: TransportStateName


@dataclass(frozen=True, slots=True)
class PublicationClosed:
    publication_id: str
    reason: EndReason


@dataclass(frozen=True, slots=True)
class SubscriptionClosed:
    peer_id: str
    publication_id: str
    reason: EndReason


@dataclass(frozen=True, slots=True)
class LayerChanged:
    peer_id: str
    publication_id: str
    current: Layer


@dataclass(frozen=True, slots=True)
class SubscriptionPaused:
    """The node sends nothing of it for now, though it is wanted."""

    peer_id: str
    publication_id: str
    reason: PauseReason


@dataclass(frozen=True, slots=True)
class SubscriptionResumed:
    peer_id: str
    publication_id: str


@dataclass(frozen=True, slots=True)
class LayersWanted:
    """By encoding, lowest first: whether somebody receives it."""

    publication_id: str
    encodings: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class PublicationLimited:
    """More is sent of it than was granted, by `reason`: only its lowest `forwarded` encodings go on; or all
    again."""

    publication_id: str
    forwarded: int
    encodings: int
    reason: Literal["bitrate", "frame_rate", "frame_size"] | None = None


@dataclass(frozen=True, slots=True)
class PublicationScored:
    """How good what arrives of it is, 0 to 10."""

    publication_id: str
    score: int


@dataclass(frozen=True, slots=True)
class SubscriptionScored:
    """How good what this peer gets of it is, 0 to 10."""

    peer_id: str
    publication_id: str
    score: int


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """Loudest first, as (publication id, RFC 6464 level)."""

    speakers: tuple[tuple[str, int], ...]
    dominant: str | None


@dataclass(frozen=True, slots=True)
class DataDropped:
    """Data messages of a peer, or to it, that were not relayed."""

    peer_id: str
    reason: DataDropReason
    messages: int


@dataclass(frozen=True, slots=True)
class NodeLost:
    """A node is gone, and with it everything that these peers published and subscribed to. `recover` gives
    them another one."""

    peer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MovesProposed:
    """A node is busy, another one is not: up to so many `peers` should move what they receive."""

    from_node: str
    to_node: str
    peers: int


MediaEvent = (
    OfferMade
    | TransportStateChanged
    | PublicationClosed
    | SubscriptionClosed
    | LayerChanged
    | SubscriptionPaused
    | SubscriptionResumed
    | LayersWanted
    | PublicationLimited
    | PublicationScored
    | SubscriptionScored
    | SpeakersChanged
    | DataDropped
    | NodeLost
    | MovesProposed
)
MediaListener = Callable[[MediaEvent], None]
"""Called in order and in the loop; must not block."""


class MediaSession(Protocol):
    """One session's media, on one node or several.

    What asks a node for something new raises `MediaUnavailableError` when the node is lost or does not
    answer, and `InvalidInputError` where the client's SDP or candidate is at fault. What only ends something
    (mute and narrower grants too) never raises for what is gone already, nor for a lost node, which carries
    nothing.
    """

    @property
    def node_id(self) -> str:
        """The main node's."""
        ...

    async def limit_voices(self, most: int | None) -> None:
        """Forward only so many of the loudest voices; 0: all, None: as the server is set. Raises for nothing:
        a node that is lost will be asked again when there is another."""
        ...

    async def handle_offer(
        self,
        peer_id: str,
        sdp: str,
        grants: Sequence[Grant],
        kept: Sequence[Publication],
        new: Sequence[Publication],
    ) -> Answer:
        """Makes the publish transport at the first offer; the grants are in force before the offer is."""
        ...

    async def set_grants(self, peer_id: str, grants: Sequence[Grant]) -> None:
        """In force when it returns: what is outside of them is closed at the node."""
        ...

    async def end_publications(self, publication_ids: Iterable[str]) -> None: ...
    async def mute(self, publication_id: str) -> None: ...
    async def unmute(self, publication_id: str) -> None: ...

    async def subscribe(self, peer_id: str, subscriptions: Sequence[Subscription]) -> Mapping[str, str]:
        """Returns those that failed: publication id to the node's error code. An `OfferMade` follows."""
        ...

    async def view(self, peer_id: str, sdp: str, subscriptions: Mapping[str, Subscription]) -> ViewAnswer:
        """The one offer of a peer that receives by offering (WHEP). `subscriptions` by m-line.

        Raises `UnsupportedError` when nothing can be sent on any of its m-lines.
        """
        ...

    async def feed(self, mid: str, subscription: Subscription) -> str | None:
        """Puts a publication on a free m-line of a view. Returns the node's error code where it cannot."""
        ...

    async def unsubscribe(self, peer_id: str, publication_ids: Iterable[str]) -> None: ...
    async def change_subscription(self, before: Subscription, after: Subscription) -> None: ...

    async def set_tiles(self, peer_id: str, tiles: Mapping[str, Tile]) -> None:
        """By publication id. Those that are not subscribed are passed over."""
        ...

    async def stats(self, peer_id: str) -> PeerStats:
        """Of the peer's own publications and subscriptions; empty where it has none."""
        ...

    def has(self, peer_id: str, direction: Direction) -> bool:
        """Whether the peer has that connection at a node."""
        ...

    async def retell(self, peer_id: str) -> None:
        """Has the state of the peer's connections and of what is on them told again, as events."""
        ...

    def note(self, changes: Mapping[str, str | None]) -> None:
        """Keeps notes about the session where its media is, for whoever takes both over; None forgets."""
        ...

    async def handle_answer(
        self, peer_id: str, version: int, sdp: str, *, move: int | None = None
    ) -> None: ...
    async def handle_candidate(self, peer_id: str, direction: Direction, candidate: str | None) -> None: ...
    async def restart_ice(self, peer_id: str) -> None: ...
    async def handle_ice_restart(
        self, peer_id: str, direction: Direction, ufrag: str, pwd: str
    ) -> IceAnswer: ...

    def movable(self, node_id: str) -> list[str]:
        """Peers that receive on that node and may move to another one."""
        ...

    async def begin_move(
        self, peer_id: str, node_id: str, subscriptions: Sequence[Subscription], tiles: Mapping[str, Tile]
    ) -> bool:
        """Have a peer receive from another node: whether that began. An `OfferMade` with a `move` follows,
        for a connection beside the one there is. A change of what it receives calls it off, so does time."""
        ...

    async def finish_move(self, peer_id: str, move: int) -> None:
        """It receives over the new connection; the old one is closed. Asking twice changes nothing.

        Raises `NotFoundError` when the move was called off: the old connection goes on.
        """
        ...

    async def close_transport(self, peer_id: str, direction: Direction) -> None: ...
    async def close_peer(self, peer_id: str) -> None: ...

    async def recover(self, peer_ids: Iterable[str]) -> None:
        """Gives other nodes to peers that `NodeLost` named; those that left meanwhile are passed over.

        Waits a while for a node to come up; raises `MediaUnavailableError` when none does.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Carried:
    """What the nodes still have of a session that was taken over. `subscriptions` as they are there."""

    media: MediaSession
    publication_ids: frozenset[str]
    paused: frozenset[str]
    """Publications of which the node forwards nothing, for they were muted."""
    subscriptions: tuple[Subscription, ...]


class SurvivingMedia(Protocol):
    """A session's media that outlived the process which had it, and that one's notes. Take it or close it."""

    @property
    def notes(self) -> Mapping[str, str]: ...

    async def take(
        self,
        session_id: str,
        peer_ids: Iterable[str],
        publications: Sequence[Publication],
        listener: MediaListener,
    ) -> Carried:
        """What the nodes have beyond these peers and publications is closed there."""
        ...

    async def close(self) -> None: ...


class MediaNodes(Protocol):
    async def surviving(self) -> Sequence[SurvivingMedia]:
        """What the nodes carried already when they were taken over. Asked once."""
        ...

    def admit(self) -> None:
        """Room for one more peer. Raises `OverloadedError` when no node that serves has any."""
        ...

    async def place(self, session_id: str, listener: MediaListener) -> MediaSession:
        """Choose a node and make the session's router there.

        Waits a while for a node to come up; raises `MediaUnavailableError` when none does.
        """
        ...


@dataclass(frozen=True, slots=True)
class IceServerOffer:
    """`ttl` in seconds, from now; None: they are good for ever."""

    servers: tuple[IceServer, ...]
    ttl: float | None


class IceServers(Protocol):
    def offer(self, participant_id: str, now: datetime) -> IceServerOffer:
        """The STUN and TURN servers for one participant, with credentials of their own."""
        ...


class PeerHub(Protocol):
    """Carries events to peers, numbered, whether a socket is there at the moment or not."""

    def open(self, peer_id: str, after_seq: int = 0) -> None:
        """Its first event gets the number that follows."""
        ...

    def seq(self, peer_id: str) -> int:
        """The number of the peer's latest event."""
        ...

    def missed(self, peer_id: str, last_seq: int) -> int:
        """How many came after that number. Raises `ResumeRefusedError` when they are not all kept."""
        ...

    def send(self, peer_ids: Iterable[str], event: AnyEvent) -> None: ...

    def close(self, peer_id: str, code: CloseCode) -> None:
        """The peer is out: its socket, if there is one, closes once the last event is on it."""
        ...
