"""The client protocol: every request, result and event that crosses `/v2/ws`.

Frames are JSON text:

    request    {"id": 7, "type": "publish", ...}                      client -> server, ids rise per socket
    response   {"id": 7, "ok": true, "result": {...}}                 exactly one per request
               {"id": 7, "ok": false, "error": {"code": 2001, "name": "PermissionDenied", "message": "..."}}
    event      {"seq": 12, "event": {"type": "peer_joined", ...}}     server -> client, seq counts per peer

The first request is `join` or `resume`. Events missed while a socket was down are replayed on resume.
The TypeScript types are generated from the JSON Schema of these models (`signaling.protocol.schema`).

One file, and a long one, because it is read as one: the whole vocabulary of a client, and no logic.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

MAX_SDP_LENGTH = 64 * 1024
MAX_MESSAGE_LENGTH = 256 * 1024
MAX_PUBLICATIONS = 64

Kind = Literal["audio", "video"]
TransportName = Literal["publish", "subscribe"]
Id = Annotated[str, Field(min_length=1, max_length=64)]
Sdp = Annotated[str, Field(min_length=1, max_length=MAX_SDP_LENGTH)]
Source = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
"""camera, microphone, screen, screen_audio, or a stream key of the client's own."""


class StageStatusName(StrEnum):
    OFF_STAGE = "OFF_STAGE"
    REQUESTED_TO_JOIN_STAGE = "REQUESTED_TO_JOIN_STAGE"
    ACCEPTED_TO_JOIN_STAGE = "ACCEPTED_TO_JOIN_STAGE"
    ON_STAGE = "ON_STAGE"


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Layer(_In):
    """(spatial, temporal), 0 = lowest."""

    spatial: int = Field(ge=0, le=7)
    temporal: int = Field(default=7, ge=0, le=7)


# --- requests ------------------------------------------------------------------------------------------


class Request(_In):
    id: int = Field(ge=0, lt=2**53)


class Join(Request):
    type: Literal["join"] = "join"
    token: str = Field(min_length=1, max_length=8192)
    name: str | None = Field(default=None, max_length=128)
    """Display name for this session; needs permission can_edit_display_name."""
    device: Literal["desktop", "mobile", "bot"] = "desktop"
    sdk: str = Field(default="", max_length=64)


class Resume(Request):
    type: Literal["resume"] = "resume"
    resume_token: str = Field(min_length=1, max_length=256)
    last_seq: int = Field(ge=0)


class Leave(Request):
    type: Literal["leave"] = "leave"


class Ping(Request):
    type: Literal["ping"] = "ping"


class PublicationSpec(_In):
    mid: str = Field(min_length=1, max_length=16)
    source: Source
    kind: Kind
    muted: bool = False
    encrypted: bool = False
    """End to end, by the client: the server forwards what it cannot read, and does not record it."""


class Publish(Request):
    """Announce sources and offer the publish connection.

    `offer` is the whole publish offer. m-lines of earlier publications stay as they are; a publication that
    is refused fails the request and nothing changes. With no publications it only renegotiates (for example
    an ICE restart), or makes the connection for data channels alone.
    """

    type: Literal["publish"] = "publish"
    offer: Sdp
    publications: tuple[PublicationSpec, ...] = Field(default=(), max_length=MAX_PUBLICATIONS)


class Unpublish(Request):
    type: Literal["unpublish"] = "unpublish"
    publication_ids: tuple[Id, ...] = Field(min_length=1, max_length=MAX_PUBLICATIONS)


class SubscriptionSpec(_In):
    publication_id: Id
    preferred: Layer | None = None
    paused: bool = False


class Subscribe(Request):
    """An event `subscribe_offer` follows for those that were accepted."""

    type: Literal["subscribe"] = "subscribe"
    subscriptions: tuple[SubscriptionSpec, ...] = Field(min_length=1, max_length=256)


class Unsubscribe(Request):
    type: Literal["unsubscribe"] = "unsubscribe"
    publication_ids: tuple[Id, ...] = Field(min_length=1, max_length=256)


class SubscribeAnswer(Request):
    type: Literal["subscribe_answer"] = "subscribe_answer"
    version: int = Field(ge=1)
    answer: Sdp


class RestartIce(Request):
    """Of the subscribe transport; a new `subscribe_offer` follows. The publish side sends `publish`."""

    type: Literal["restart_ice"] = "restart_ice"


class Candidate(Request):
    """A trickled candidate; null or empty says there are no more."""

    type: Literal["candidate"] = "candidate"
    transport: TransportName
    candidate: str | None = Field(default=None, max_length=1024)


class SetLayer(Request):
    """The best layer wanted of a subscription; null for the best there is."""

    type: Literal["set_layer"] = "set_layer"
    publication_id: Id
    preferred: Layer | None = None


class TileSpec(_In):
    publication_id: Id
    width: int = Field(ge=0, le=16384)
    height: int = Field(ge=0, le=16384)
    """Of the picture on the screen, in device pixels; 0 x 0: it cannot be seen."""
    priority: int = Field(default=0, ge=-100, le=100)
    """Among videos, higher goes first where bandwidth is short."""


class SetTiles(Request):
    """Where subscribed videos are shown. What cannot be seen is not sent, a small tile gets a small layer.

    Those not named stay as they are; publications that are not subscribed (any more) are passed over. A video
    that was never named is taken for shown, as large as can be.
    """

    type: Literal["set_tiles"] = "set_tiles"
    tiles: tuple[TileSpec, ...] = Field(min_length=1, max_length=256)


class SetView(Request):
    """What to watch, without naming each publication: the server subscribes and unsubscribes for this peer.

    In "page" and "speakers" it receives every audio and every shared screen, and the videos of `peer_ids` or
    of the `count` who spoke last, as they come and go. "manual" leaves the subscriptions there are to the
    client again; it is how a peer begins. A view has at most as many videos as the preset's
    `max_video_streams` says for the device.
    """

    type: Literal["set_view"] = "set_view"
    mode: Literal["manual", "page", "speakers"]
    peer_ids: tuple[Id, ...] = Field(default=(), max_length=256)
    count: int = Field(default=6, ge=0, le=64)


class PauseSubscription(Request):
    type: Literal["pause_subscription"] = "pause_subscription"
    publication_id: Id


class ResumeSubscription(Request):
    type: Literal["resume_subscription"] = "resume_subscription"
    publication_id: Id


class Mute(Request):
    """Of one's own publication: packets stop at the node, everyone is told."""

    type: Literal["mute"] = "mute"
    publication_id: Id


class Unmute(Request):
    type: Literal["unmute"] = "unmute"
    publication_id: Id


class MutePeer(Request):
    """Mute others' sources; needs disable_participant_audio / _video / _screensharing."""

    type: Literal["mute_peer"] = "mute_peer"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)
    sources: tuple[Source, ...] = ("microphone",)


class Censor(Request):
    """Block others' sources: nothing of them is forwarded, and only `uncensor` lifts it. As mute_peer."""

    type: Literal["censor"] = "censor"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)
    sources: tuple[Source, ...] = Field(default=("microphone",), max_length=MAX_PUBLICATIONS)


class Uncensor(Request):
    """Allow them again. What was published stays muted until its owner unmutes it."""

    type: Literal["uncensor"] = "uncensor"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)
    sources: tuple[Source, ...] = Field(default=("microphone",), max_length=MAX_PUBLICATIONS)


class Kick(Request):
    type: Literal["kick"] = "kick"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)


class KickAll(Request):
    type: Literal["kick_all"] = "kick_all"


class GetIceServers(Request):
    """Fresh credentials for the TURN servers, for a client whose own may have expired while it slept."""

    type: Literal["get_ice_servers"] = "get_ice_servers"


class GetStats(Request):
    """How the server sees one's own publications and subscriptions."""

    type: Literal["get_stats"] = "get_stats"


class StageRequest(Request):
    type: Literal["stage_request"] = "stage_request"


class StageCancel(Request):
    type: Literal["stage_cancel"] = "stage_cancel"


class StageJoin(Request):
    type: Literal["stage_join"] = "stage_join"


class StageLeave(Request):
    type: Literal["stage_leave"] = "stage_leave"


class StageGrant(Request):
    """Accept a request; of a peer that is OFF_STAGE it is an invitation."""

    type: Literal["stage_grant"] = "stage_grant"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)


class StageInvite(Request):
    """The same as stage_grant, under the name that hosts use for a peer that did not ask."""

    type: Literal["stage_invite"] = "stage_invite"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)


class StageDeny(Request):
    type: Literal["stage_deny"] = "stage_deny"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)


class StageKick(Request):
    type: Literal["stage_kick"] = "stage_kick"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)


AnyRequest = Annotated[
    Join
    | Resume
    | Leave
    | Ping
    | Publish
    | Unpublish
    | Subscribe
    | Unsubscribe
    | SubscribeAnswer
    | RestartIce
    | Candidate
    | SetLayer
    | SetTiles
    | SetView
    | PauseSubscription
    | ResumeSubscription
    | Mute
    | Unmute
    | MutePeer
    | Censor
    | Uncensor
    | Kick
    | KickAll
    | GetIceServers
    | GetStats
    | StageRequest
    | StageCancel
    | StageJoin
    | StageLeave
    | StageGrant
    | StageInvite
    | StageDeny
    | StageKick,
    Field(discriminator="type"),
]

# --- what results and events are made of -----------------------------------------------------------------


class PeerInfo(_Out):
    peer_id: str
    participant_id: str
    custom_participant_id: str | None
    name: str
    picture: str | None
    preset_name: str
    stage_status: StageStatusName
    device: str
    connection: Literal["connected", "detached"] = "connected"
    joined_at: str
    censored: tuple[str, ...] = ()
    """Sources that a moderator has blocked."""


class PublicationInfo(_Out):
    publication_id: str
    peer_id: str
    source: str
    kind: Kind
    codec: str
    encodings: int
    muted: bool
    muted_by: Literal["owner", "moderator"] | None = None
    encrypted: bool = False
    """End to end: without the key there is nothing to see."""


class IceServer(_Out):
    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class StageInfo(_Out):
    """The joining peer's own standing. `access` and `can_produce` are derived on the server."""

    enabled: bool
    status: StageStatusName
    access: Literal["ALLOWED", "NOT_ALLOWED", "CAN_REQUEST"]
    is_host: bool
    """May accept requests, invite and remove."""
    can_produce: dict[str, bool]
    """By source kind audio, video, screenshare: what may be published in the present status."""


class StageRequestInfo(_Out):
    peer_id: str
    participant_id: str
    name: str


class MeetingInfo(_Out):
    meeting_id: str
    title: str | None
    view_type: str


# --- results -----------------------------------------------------------------------------------------------


class Joined(_Out):
    peer_id: str
    session_id: str
    resume_token: str
    resume_within: float
    """Seconds for which a lost socket can be resumed."""
    seq: int
    """The state below is as of this event number."""
    me: PeerInfo
    meeting: MeetingInfo
    permissions: dict[str, Any]
    """The preset's permissions, snake_case, complete."""
    config: dict[str, Any]
    ui: dict[str, Any]
    stage: StageInfo
    peers: tuple[PeerInfo, ...]
    """Everyone else."""
    publications: tuple[PublicationInfo, ...]
    """Everyone else's."""
    stage_requests: tuple[StageRequestInfo, ...]
    """Empty unless stage.is_host."""
    ice_servers: tuple[IceServer, ...]
    """For `iceServers`. Credentials expire; `ice_servers` brings others in time."""


class Resumed(_Out):
    peer_id: str
    session_id: str
    resume_token: str
    """A new one; the old one is void."""
    replayed: int
    """How many missed events follow."""
    ice_servers: tuple[IceServer, ...] = ()
    """With fresh credentials."""


class IceServersGiven(_Out):
    ice_servers: tuple[IceServer, ...]
    ttl: float | None
    """Seconds for which the credentials are good; null: for ever."""


class StreamStats(_Out):
    """A publication as it arrives at the server, or a subscription as it leaves, over the last two seconds.
    Rates are per second, bitrates in bits of payload, shares 0 to 1, times in seconds."""

    publication_id: str
    bitrate: float
    packet_rate: float
    frame_rate: float | None
    """Null of audio, and where it is not known."""
    loss: float
    """Share of the packets that never came, ..."""
    repaired: float
    """... and of those that came only when they were sent again."""
    jitter: float
    rtt: float | None
    """Of subscriptions, from the receiver's reports."""
    frozen: float
    """Share of the time in which something should have come for long, and did not."""
    freezes: int
    """Since the beginning."""
    score: int
    layer: Layer | None
    """On the wire, of a subscription to a video."""


class StatsGiven(_Out):
    publications: tuple[StreamStats, ...]
    subscriptions: tuple[StreamStats, ...]
    estimate: float | None
    """Bits per second that the way to this client is thought to carry."""


class PublishedItem(_Out):
    mid: str
    publication_id: str
    source: str
    codec: str
    encodings: int


class Published(_Out):
    answer: str
    publications: tuple[PublishedItem, ...]


class SubscribeItem(_Out):
    publication_id: str
    ok: bool
    error: dict[str, Any] | None = None


class Subscribed(_Out):
    subscriptions: tuple[SubscribeItem, ...]


class StageActionItem(_Out):
    peer_id: str
    ok: bool
    error: dict[str, Any] | None = None


class StageActionDone(_Out):
    """Result of stage requests. `status` is one's own afterwards; `peers` the outcome per named peer."""

    status: StageStatusName
    peers: tuple[StageActionItem, ...] = ()


class Empty(_Out):
    pass


# --- events ---------------------------------------------------------------------------------------------


class PeerJoined(_Out):
    type: Literal["peer_joined"] = "peer_joined"
    peer: PeerInfo


class PeerUpdated(_Out):
    """Connection, name, picture or preset of a peer changed; the whole of it follows. (Stage: see below.)"""

    type: Literal["peer_updated"] = "peer_updated"
    peer: PeerInfo


class PeerLeft(_Out):
    type: Literal["peer_left"] = "peer_left"
    peer_id: str
    reason: Literal["left", "kicked", "timeout", "ended", "replaced"]


class PublicationAdded(_Out):
    type: Literal["publication_added"] = "publication_added"
    publication: PublicationInfo


class PublicationUpdated(_Out):
    """Mute state changed (also of one's own, when a moderator did it)."""

    type: Literal["publication_updated"] = "publication_updated"
    publication: PublicationInfo


class PublicationRemoved(_Out):
    """Also of one's own, when the server ended it."""

    type: Literal["publication_removed"] = "publication_removed"
    publication_id: str
    peer_id: str
    reason: Literal[
        "unpublished", "peer_left", "stage_left", "permission_revoked", "transport_closed", "node_lost"
    ]


class OfferMid(_Out):
    mid: str
    publication_id: str
    peer_id: str
    source: str
    kind: Kind


class SubscribeOffer(_Out):
    """An offer for the subscribe connection; answer with `subscribe_answer` of the same version.

    `mids` lists the m-lines that carry media now, those not listed are inactive.
    """

    type: Literal["subscribe_offer"] = "subscribe_offer"
    version: int
    offer: str
    mids: tuple[OfferMid, ...]


class SubscriptionEnded(_Out):
    type: Literal["subscription_ended"] = "subscription_ended"
    publication_id: str
    reason: Literal["unpublished", "unsupported_codec", "permission_revoked", "node_lost"]


class Quality(_Out):
    """How good a stream is, from 0 (of no use) to 10, when that changed: "publish", what the server gets of
    one's own publication; "subscribe", what one gets of somebody's. Until told otherwise it is 10."""

    type: Literal["quality"] = "quality"
    publication_id: str
    direction: TransportName
    score: int


class SubscriptionPaused(_Out):
    """The server sends nothing of this video for now, though it is wanted: "bandwidth", there is not enough
    of it on the way here; "overload", the server has more to do than it can. Another reason takes the place
    of the one before. It is no pause that the client asked for, and the publication is not muted."""

    type: Literal["subscription_paused"] = "subscription_paused"
    publication_id: str
    reason: Literal["bandwidth", "overload"]


class SubscriptionResumed(_Out):
    """What `subscription_paused` told is over."""

    type: Literal["subscription_resumed"] = "subscription_resumed"
    publication_id: str


class PublicationWanted(_Out):
    """Of one's own: by encoding, lowest first, whether anybody receives it. What is not wanted need not be
    sent (`RTCRtpEncodingParameters.active`); what is wanted again, somebody waits for."""

    type: Literal["publication_wanted"] = "publication_wanted"
    publication_id: str
    encodings: tuple[bool, ...]


class PublicationLimited(_Out):
    """To its owner: more is sent of it than the preset grants, in bits or frames, so only the lowest
    `forwarded` of its `encodings` reach anybody; none with 0. All of them again: it keeps to the limit."""

    type: Literal["publication_limited"] = "publication_limited"
    publication_id: str
    forwarded: int
    encodings: int


class LayerChanged(_Out):
    type: Literal["layer_changed"] = "layer_changed"
    publication_id: str
    current: Layer


class SpeakerInfo(_Out):
    peer_id: str
    publication_id: str
    level: int
    """RFC 6464: 0 loudest, 127 silence."""


class Speakers(_Out):
    """Who is speaking, loudest first. `active` is the active speaker with hysteresis."""

    type: Literal["speakers"] = "speakers"
    speakers: tuple[SpeakerInfo, ...]
    active: str | None
    """peer_id"""


class DataDropped(_Out):
    """At most about once a second and reason: messages over data channels that were not relayed.

    Of those this peer sent: `not_permitted`, `rate_limited`, `malformed`. Of those it was to get:
    `slow_receiver`, `too_large`.
    """

    type: Literal["data_dropped"] = "data_dropped"
    reason: Literal["not_permitted", "rate_limited", "malformed", "slow_receiver", "too_large"]
    messages: int


class TransportState(_Out):
    type: Literal["transport_state"] = "transport_state"
    transport: TransportName
    state: Literal["new", "connecting", "connected", "disconnected", "failed", "closed"]


class StageStatusChanged(_Out):
    """Of any peer, oneself included. `action` says why, `by` who (a host) where it was not the peer."""

    type: Literal["stage_status"] = "stage_status"
    peer_id: str
    status: StageStatusName
    previous: StageStatusName
    action: Literal["request", "cancel", "grant", "deny", "join", "leave", "kick", "permission"]
    by: str | None = None


class StageChanged(_Out):
    """One's own standing after a change of status or permissions."""

    type: Literal["stage"] = "stage"
    stage: StageInfo


class StageRequests(_Out):
    """To hosts: the pending requests, oldest first, whole list."""

    type: Literal["stage_requests"] = "stage_requests"
    requests: tuple[StageRequestInfo, ...]


class PermissionsUpdated(_Out):
    type: Literal["permissions_updated"] = "permissions_updated"
    preset_name: str
    permissions: dict[str, Any]
    config: dict[str, Any]


class MediaReset(_Out):
    """The media node is gone and the session was placed again: rebuild both peer connections.

    All publications and subscriptions ended; publish and subscribe afresh.
    """

    type: Literal["media_reset"] = "media_reset"
    reason: Literal["node_lost"]


class IceServersChanged(_Out):
    """Apply by `setConfiguration`; allocations that exist live on, the next ICE restart uses these."""

    type: Literal["ice_servers"] = "ice_servers"
    ice_servers: tuple[IceServer, ...]
    ttl: float | None
    """Seconds for which the credentials are good; null: for ever."""


class SessionLeft(_Out):
    """The last event: this peer is out, the socket closes."""

    type: Literal["session_left"] = "session_left"
    reason: Literal["left", "kicked", "ended", "timeout", "replaced", "shutdown"]


AnyEvent = Annotated[
    PeerJoined
    | PeerUpdated
    | PeerLeft
    | PublicationAdded
    | PublicationUpdated
    | PublicationRemoved
    | SubscribeOffer
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
    | PermissionsUpdated
    | MediaReset
    | IceServersChanged
    | SessionLeft,
    Field(discriminator="type"),
]


class ErrorBody(_Out):
    """`code` is a number of the field (2001 ...), `name` is stable, `message` says what to do."""

    code: int
    name: str
    message: str
    field: str | None = None
    """The offending field of a malformed request, as a path ("subscriptions.0.preferred")."""
    retry_after: float | None = None
    """Seconds after which to try again; null where that would not help."""


class Success(_Out):
    id: int
    ok: Literal[True] = True
    result: dict[str, Any]


class Failure(_Out):
    """`id` is null when the frame was too broken to tell."""

    id: int | None
    ok: Literal[False] = False
    error: ErrorBody


class EventFrame(_Out):
    seq: int
    event: AnyEvent


request_adapter: TypeAdapter[AnyRequest] = TypeAdapter(AnyRequest)
event_adapter: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
