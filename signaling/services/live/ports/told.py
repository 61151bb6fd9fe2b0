"""What the nodes tell of a session's media, unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from signaling.domain.publication import EndReason, Layer
from signaling.services.live.ports.answers import Direction

PauseReason = Literal["bandwidth", "overload"]
DataDropReason = Literal["not_permitted", "rate_limited", "malformed", "slow_receiver", "too_large"]
TransportStateName = Literal["new", "connecting", "connected", "disconnected", "failed", "closed"]


@dataclass(frozen=True, slots=True)
class OfferMid:
    mid: str
    publication_id: str


@dataclass(frozen=True, slots=True)
class OfferMade:
    """A subscribe offer for a peer. `mids` are the m-lines that carry media now.

    With `move`, it is of a connection that is to take the place of the one there is, see `begin_move`; with
    `moved`, of the one that took it in that move.
    """

    peer_id: str
    version: int
    sdp: str
    mids: tuple[OfferMid, ...]
    move: int | None = None
    moved: int | None = None


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
