"""What the server tells a client of its own accord."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from signaling.protocol.messages.results import Joined
from signaling.protocol.messages.values import (
    IceServer,
    Kind,
    Layer,
    Outbound,
    PeerInfo,
    PublicationInfo,
    StageInfo,
    StageRequestInfo,
    StageStatusName,
    TransportName,
    WaitingPeerInfo,
)


class PeerJoined(Outbound):
    type: Literal["peer_joined"] = "peer_joined"
    peer: PeerInfo


class PeerUpdated(Outbound):
    """Connection, name, picture or preset of a peer changed; the whole of it follows. (Stage: see below.)"""

    type: Literal["peer_updated"] = "peer_updated"
    peer: PeerInfo


class PeerLeft(Outbound):
    type: Literal["peer_left"] = "peer_left"
    peer_id: str
    reason: Literal["left", "kicked", "timeout", "ended", "replaced"]


class PublicationAdded(Outbound):
    type: Literal["publication_added"] = "publication_added"
    publication: PublicationInfo


class PublicationUpdated(Outbound):
    """Mute state changed (also of one's own, when a moderator did it)."""

    type: Literal["publication_updated"] = "publication_updated"
    publication: PublicationInfo


class PublicationRemoved(Outbound):
    """Also of one's own, when the server ended it."""

    type: Literal["publication_removed"] = "publication_removed"
    publication_id: str
    peer_id: str
    reason: Literal[
        "unpublished", "peer_left", "stage_left", "permission_revoked", "transport_closed", "node_lost"
    ]


class OfferMid(Outbound):
    mid: str
    publication_id: str
    peer_id: str
    source: str
    kind: Kind


class SubscribeOffer(Outbound):
    """An offer for the subscribe connection; answer with `subscribe_answer` of the same version.

    `mids` lists the m-lines that carry media now, those not listed are inactive. `moved` is the number of the
    move by which the connection took another's place: while `subscribe_moved` is not answered, it tells whose
    offer this is.
    """

    type: Literal["subscribe_offer"] = "subscribe_offer"
    version: int
    offer: str
    mids: tuple[OfferMid, ...]
    moved: int | None = None


class SubscribeMove(Outbound):
    """Receive over another connection, built beside the one there is, from another part of the server.

    Answer with `subscribe_answer` of the same version and `move`; once that connection carries what the old
    one does, send `subscribe_moved` and close the old one. With the number of a move that is under way it
    is the next offer of its connection. A client that does not follow within 10 seconds stays where it is.
    """

    type: Literal["subscribe_move"] = "subscribe_move"
    move: int
    version: int
    offer: str
    mids: tuple[OfferMid, ...]


class SubscriptionEnded(Outbound):
    type: Literal["subscription_ended"] = "subscription_ended"
    publication_id: str
    reason: Literal["unpublished", "unsupported_codec", "permission_revoked", "node_lost"]


class Quality(Outbound):
    """How good a stream is, from 0 (of no use) to 10, when that changed: "publish", what the server gets of
    one's own publication; "subscribe", what one gets of somebody's. Until told otherwise it is 10."""

    type: Literal["quality"] = "quality"
    publication_id: str
    direction: TransportName
    score: int


class SubscriptionPaused(Outbound):
    """The server sends nothing of this video for now, though it is wanted: "bandwidth", there is not enough
    of it on the way here; "overload", the server has more to do than it can. Another reason takes the place
    of the one before. It is no pause that the client asked for, and the publication is not muted."""

    type: Literal["subscription_paused"] = "subscription_paused"
    publication_id: str
    reason: Literal["bandwidth", "overload"]


class SubscriptionResumed(Outbound):
    """What `subscription_paused` told is over."""

    type: Literal["subscription_resumed"] = "subscription_resumed"
    publication_id: str


class PublicationWanted(Outbound):
    """Of one's own: by encoding, lowest first, whether anybody receives it. What is not wanted need not be
    sent (`RTCRtpEncodingParameters.active`); what is wanted again, somebody waits for."""

    type: Literal["publication_wanted"] = "publication_wanted"
    publication_id: str
    encodings: tuple[bool, ...]


class PublicationLimited(Outbound):
    """To its owner: more is sent of it than the preset grants, so only the lowest `forwarded` of its
    `encodings` reach anybody; none with 0. All of them again: it keeps to the limit. `reason` says what is
    too much: bits, frames, or the size of a picture."""

    type: Literal["publication_limited"] = "publication_limited"
    publication_id: str
    forwarded: int
    encodings: int
    reason: Literal["bitrate", "frame_rate", "frame_size"] | None = None


class LayerChanged(Outbound):
    type: Literal["layer_changed"] = "layer_changed"
    publication_id: str
    current: Layer


class SpeakerInfo(Outbound):
    peer_id: str
    publication_id: str
    level: int
    """RFC 6464: 0 loudest, 127 silence."""


class Speakers(Outbound):
    """Who is speaking, loudest first. `active` is the active speaker with hysteresis."""

    type: Literal["speakers"] = "speakers"
    speakers: tuple[SpeakerInfo, ...]
    active: str | None
    """peer_id"""


class DataDropped(Outbound):
    """At most about once a second and reason: messages over data channels that were not relayed.

    Of those this peer sent: `not_permitted`, `rate_limited`, `malformed`. Of those it was to get:
    `slow_receiver`, `too_large`.
    """

    type: Literal["data_dropped"] = "data_dropped"
    reason: Literal["not_permitted", "rate_limited", "malformed", "slow_receiver", "too_large"]
    messages: int


class TransportState(Outbound):
    type: Literal["transport_state"] = "transport_state"
    transport: TransportName
    state: Literal["new", "connecting", "connected", "disconnected", "failed", "closed"]


class StageStatusChanged(Outbound):
    """Of any peer, oneself included. `action` says why, `by` who (a host) where it was not the peer."""

    type: Literal["stage_status"] = "stage_status"
    peer_id: str
    status: StageStatusName
    previous: StageStatusName
    action: Literal["request", "cancel", "grant", "deny", "join", "leave", "kick", "permission"]
    by: str | None = None


class StageChanged(Outbound):
    """One's own standing after a change of status or permissions."""

    type: Literal["stage"] = "stage"
    stage: StageInfo


class StageRequests(Outbound):
    """To hosts: the pending requests, oldest first, whole list."""

    type: Literal["stage_requests"] = "stage_requests"
    requests: tuple[StageRequestInfo, ...]


class Admitted(Outbound):
    """One waited, and is in now: what a join is answered with otherwise. `joined.seq` is this event's."""

    type: Literal["admitted"] = "admitted"
    joined: Joined


class WaitingList(Outbound):
    """To those who may admit: who waits, longest first, whole list. When one gets the right, and, empty, when
    one loses it; in between the two events below tell what changes."""

    type: Literal["waiting_list"] = "waiting_list"
    waiting: tuple[WaitingPeerInfo, ...]


class PeerWaiting(Outbound):
    """To those who may admit: somebody waits, or waits under another name now."""

    type: Literal["peer_waiting"] = "peer_waiting"
    peer: WaitingPeerInfo


class PeerWaitingEnded(Outbound):
    """To those who may admit: they do not wait any more."""

    type: Literal["peer_waiting_ended"] = "peer_waiting_ended"
    peer_id: str
    reason: Literal["admitted", "rejected", "left", "kicked", "timeout"]


class PermissionsUpdated(Outbound):
    type: Literal["permissions_updated"] = "permissions_updated"
    preset_name: str
    permissions: dict[str, Any]
    config: dict[str, Any]


class MediaReset(Outbound):
    """The media node is gone and the session was placed again: rebuild both peer connections.

    All publications and subscriptions ended; publish and subscribe afresh.
    """

    type: Literal["media_reset"] = "media_reset"
    reason: Literal["node_lost"]


class IceServersChanged(Outbound):
    """Apply by `setConfiguration`; allocations that exist live on, the next ICE restart uses these."""

    type: Literal["ice_servers"] = "ice_servers"
    ice_servers: tuple[IceServer, ...]
    ttl: float | None
    """Seconds for which the credentials are good; null: for ever."""


class SessionEnding(Outbound):
    """The session will have lasted as long as it may: it ends in so many seconds, for everybody."""

    type: Literal["session_ending"] = "session_ending"
    ends_at: str
    seconds_left: int


class SessionLeft(Outbound):
    """The last event: this peer is out, the socket closes."""

    type: Literal["session_left"] = "session_left"
    reason: Literal["left", "kicked", "ended", "timeout", "timed_out", "replaced", "shutdown", "rejected"]


AnyEvent = Annotated[
    PeerJoined
    | PeerUpdated
    | PeerLeft
    | PublicationAdded
    | PublicationUpdated
    | PublicationRemoved
    | SubscribeOffer
    | SubscribeMove
    | SubscriptionEnded
    | SubscriptionPaused
    | SubscriptionResumed
    | PublicationWanted
    | PublicationLimited
    | LayerChanged
    | Quality
    | Speakers
    | TransportState
    | DataDropped
    | StageStatusChanged
    | StageChanged
    | StageRequests
    | Admitted
    | WaitingList
    | PeerWaiting
    | PeerWaitingEnded
    | PermissionsUpdated
    | MediaReset
    | IceServersChanged
    | SessionEnding
    | SessionLeft,
    Field(discriminator="type"),
]

event_adapter: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
