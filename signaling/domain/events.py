"""What happened in a session, as values. Decisions return them; services make them true at the node, keep
what the store keeps, and then announce them. An event carries the object as it is afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from signaling.domain.peer import Peer
from signaling.domain.permission import StageStatus
from signaling.domain.publication import EndReason, Publication, Subscription
from signaling.domain.session_status import SessionEndReason, SessionStatus


class LeaveReason(StrEnum):
    LEFT = "left"
    KICKED = "kicked"
    TIMEOUT = "timeout"
    TIMED_OUT = "timed_out"
    """Its token is over."""
    ENDED = "ended"
    SHUTDOWN = "shutdown"
    REJECTED = "rejected"
    """It waited, and was not admitted."""


@dataclass(frozen=True, slots=True)
class PeerWaits:
    """It waits to be admitted, or waits as somebody else now (a name, a preset)."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class PeerAdmitted:
    """It waited, and joins now: the event of that follows."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class PeerTurnedAway:
    """It waited, and is gone; it was never in."""

    peer: Peer
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class PeerJoined:
    peer: Peer


@dataclass(frozen=True, slots=True)
class PeerDetached:
    """Its socket is gone; its media flows on until it resumes or its time is over."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class PeerResumed:
    peer: Peer
    socket_id: str | None = None
    """None for a peer over HTTP, whose media connection is back."""


@dataclass(frozen=True, slots=True)
class SocketReplaced:
    """Another socket speaks for the peer before the old one was known to be gone: nobody saw it away."""

    peer: Peer
    socket_id: str | None


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """Its subscriptions ended with it; its publications have events of their own, before this one."""

    peer: Peer
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class PublicationAdded:
    publication: Publication


@dataclass(frozen=True, slots=True)
class PublicationMuted:
    publication: Publication


@dataclass(frozen=True, slots=True)
class PublicationUnmuted:
    publication: Publication


@dataclass(frozen=True, slots=True)
class PublicationEnded:
    """The subscriptions to it ended with it."""

    publication: Publication
    reason: EndReason


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """The publication goes on, but not to this peer."""

    subscription: Subscription
    reason: EndReason


@dataclass(frozen=True, slots=True)
class GrantsChanged:
    """What the peer may publish is something else now; the node is told before anything is announced."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class CensorChanged:
    """A moderator blocked sources of the peer, or allowed them again; `peer.censored` says which are."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class StageStatusChanged:
    """`action` is a stage action, or "permission" where a changed preset did it. `by` is a host's peer id."""

    peer: Peer
    previous: StageStatus
    action: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class StageRequestsChanged:
    """The list of pending requests, which hosts see, is another one."""


@dataclass(frozen=True, slots=True)
class PresetChanged:
    peer: Peer
    previous: Peer


@dataclass(frozen=True, slots=True)
class MediaLost:
    """What these peers published and subscribed to is gone with the node that carried it."""

    peer_ids: tuple[str, ...]
    publications: tuple[Publication, ...]


@dataclass(frozen=True, slots=True)
class SessionStatusChanged:
    """But for the end, which has an event of its own."""

    status: SessionStatus


@dataclass(frozen=True, slots=True)
class SessionEnded:
    reason: SessionEndReason


Event = (
    PeerWaits
    | PeerAdmitted
    | PeerTurnedAway
    | PeerJoined
    | PeerDetached
    | PeerResumed
    | SocketReplaced
    | PeerLeft
    | PublicationAdded
    | PublicationMuted
    | PublicationUnmuted
    | PublicationEnded
    | SubscriptionEnded
    | GrantsChanged
    | CensorChanged
    | StageStatusChanged
    | StageRequestsChanged
    | PresetChanged
    | MediaLost
    | SessionStatusChanged
    | SessionEnded
)
Events = list[Event]
