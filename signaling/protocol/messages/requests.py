"""What a client sends."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from signaling.protocol.messages.values import (
    MAX_PUBLICATIONS,
    Hardware,
    Id,
    Inbound,
    Kind,
    Layer,
    MediaDevice,
    Sdp,
    Source,
    TransportName,
)


class Request(Inbound):
    id: int = Field(ge=0, lt=2**53)


class Join(Request):
    type: Literal["join"] = "join"
    token: str = Field(min_length=1, max_length=8192)
    name: str | None = Field(default=None, max_length=128)
    """Display name for this session; needs permission can_edit_display_name."""
    device: Literal["desktop", "mobile", "bot"] = "desktop"
    sdk: str = Field(default="", max_length=64)
    context: str | None = Field(default=None, max_length=4096)
    """Any text, kept with this attendance and shown to the organization; lists can be filtered by it."""
    hardware: Hardware | None = None
    """Kept with this attendance, for the report about the peer."""


class Resume(Request):
    type: Literal["resume"] = "resume"
    resume_token: str = Field(min_length=1, max_length=256)
    last_seq: int = Field(ge=0)
    snapshot: bool = False
    """Where the missed events are not all kept, the state as a whole is taken instead."""


class Leave(Request):
    type: Literal["leave"] = "leave"


class UpdateToken(Request):
    """Another client token, before the present one is over: then the peer would be put out."""

    type: Literal["update_token"] = "update_token"
    token: str = Field(min_length=1, max_length=8192)


class ReportDevices(Request):
    """Which microphones, cameras and speakers there are, all of them, each time that something about them
    changed: for the report about the peer, which the organization reads. What it changes there is bounded;
    nobody in the meeting is told. To say nothing is as good."""

    type: Literal["report_devices"] = "report_devices"
    devices: tuple[MediaDevice, ...] = Field(max_length=64)
    """Of which one knows what they are called: no browser says so before it was allowed to use one."""
    used: tuple[Id, ...] = Field(default=(), max_length=3)
    """The ids of those in use, one of each kind at most."""


class Ping(Request):
    type: Literal["ping"] = "ping"


class PublicationSpec(Inbound):
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


class SubscriptionSpec(Inbound):
    publication_id: Id
    preferred: Layer | None = None
    paused: bool = False


class Subscribe(Request):
    """An event `subscribe_offer` follows for those that were accepted. Videos beyond the preset's
    `max_video_streams` for the device are refused with `LimitExceeded`; shared screens do not count."""

    type: Literal["subscribe"] = "subscribe"
    subscriptions: tuple[SubscriptionSpec, ...] = Field(min_length=1, max_length=256)


class Unsubscribe(Request):
    type: Literal["unsubscribe"] = "unsubscribe"
    publication_ids: tuple[Id, ...] = Field(min_length=1, max_length=256)


class SubscribeAnswer(Request):
    type: Literal["subscribe_answer"] = "subscribe_answer"
    version: int = Field(ge=1)
    answer: Sdp
    move: int | None = None
    """Of the `subscribe_move` that it answers."""


class SubscribeMoved(Request):
    """What one receives comes over the new connection of this `subscribe_move`: the old one is closed.

    `NotFound` says that the move was called off: the old connection goes on.
    """

    type: Literal["subscribe_moved"] = "subscribe_moved"
    move: int


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


class TileSpec(Inbound):
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
    `max_video_streams` says for the device; of a page that has more, those of whom it names first.
    """

    type: Literal["set_view"] = "set_view"
    mode: Literal["manual", "page", "speakers"]
    peer_ids: tuple[Id, ...] = Field(default=(), max_length=256)
    count: int = Field(default=6, ge=0, le=64)
    encrypted: bool | None = None
    """What the client can open: only what is encrypted end to end, only what is not, or (null) both."""


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


class MuteAll(Request):
    """Mute what all others say; as mute_peer of microphones. Without `allow_unmute` nobody but the asking one
    can unmute, those who come later included, until it is sent again with it; `uncensor` allows some."""

    type: Literal["mute_all"] = "mute_all"
    allow_unmute: bool = True


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


class UpdatePermissions(Request):
    """Change what others may while they are in, by a part of `permissions` as presets have it; needs
    can_change_participant_permissions."""

    type: Literal["update_permissions"] = "update_permissions"
    peer_ids: tuple[Id, ...] = Field(min_length=1, max_length=1000)
    permissions: dict[str, Any] = Field(min_length=1, max_length=100)


class Admit(Request):
    """Let in who waits, `all` of them or these; needs accept_waiting_requests."""

    type: Literal["admit"] = "admit"
    peer_ids: tuple[Id, ...] = Field(default=(), max_length=1000)
    all: bool = False


class Deny(Request):
    """Turn away who waits, `all` of them or these: they hear `session_left` `rejected`. As `admit`."""

    type: Literal["deny"] = "deny"
    peer_ids: tuple[Id, ...] = Field(default=(), max_length=1000)
    all: bool = False


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
    | UpdateToken
    | ReportDevices
    | Ping
    | Publish
    | Unpublish
    | Subscribe
    | Unsubscribe
    | SubscribeAnswer
    | SubscribeMoved
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
    | MuteAll
    | Censor
    | Uncensor
    | Kick
    | KickAll
    | UpdatePermissions
    | Admit
    | Deny
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

request_adapter: TypeAdapter[AnyRequest] = TypeAdapter(AnyRequest)
