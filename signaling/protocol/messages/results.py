"""What a request is answered with, where it succeeded."""

from __future__ import annotations

from typing import Any

from signaling.protocol.messages.values import (
    IceServer,
    Layer,
    MeetingInfo,
    Outbound,
    PeerInfo,
    PublicationInfo,
    StageInfo,
    StageRequestInfo,
    StageStatusName,
    WaitingPeerInfo,
)


class Joined(Outbound):
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
    waiting: tuple[WaitingPeerInfo, ...]
    """Who waits to be admitted, longest first; empty without the permission accept_waiting_requests."""
    ice_servers: tuple[IceServer, ...]
    """For `iceServers`. Credentials expire; `ice_servers` brings others in time."""


class Waiting(Outbound):
    """Instead of `Joined`: one is not in, but waits to be admitted. `admitted` or `session_left` follows;
    until then only `leave` and `update_token` are taken, and a socket that is lost gives the place up."""

    me: WaitingPeerInfo
    peer_id: str
    seq: int
    """The number of the event that the first one follows."""
    meeting: MeetingInfo
    ui: dict[str, Any]


class Snapshot(Outbound):
    """The state of the session where the missed events are not all kept, as of `Resumed.seq`. Offers that
    wait for an answer, speakers, layers and pauses follow as events."""

    me: PeerInfo
    meeting: MeetingInfo
    permissions: dict[str, Any]
    config: dict[str, Any]
    ui: dict[str, Any]
    stage: StageInfo
    peers: tuple[PeerInfo, ...]
    """Everyone else."""
    publications: tuple[PublicationInfo, ...]
    """Everyone's, one's own included."""
    stage_requests: tuple[StageRequestInfo, ...]
    """Empty unless stage.is_host."""
    waiting: tuple[WaitingPeerInfo, ...]
    """Empty without the permission accept_waiting_requests."""
    subscriptions: tuple[str, ...]
    """Ids of the publications that one is subscribed to."""
    publishes: bool
    subscribes: bool
    """Whether one's publish and subscribe connections are there; one that is not has to be built anew."""


class Resumed(Outbound):
    peer_id: str
    session_id: str
    resume_token: str
    """A new one; the old one is void."""
    replayed: int
    """How many missed events follow."""
    seq: int
    """The number of the event that they follow: one's own `last_seq`, or that of the snapshot."""
    snapshot: Snapshot | None = None
    """Instead of the missed events, where `snapshot` was asked for."""
    ice_servers: tuple[IceServer, ...] = ()
    """With fresh credentials."""


class IceServersGiven(Outbound):
    ice_servers: tuple[IceServer, ...]
    ttl: float | None
    """Seconds for which the credentials are good; null: for ever."""


class StreamStats(Outbound):
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
    """To the client and back, from its reports. Null of a publication whose client answers no extended
    reports, or that came from another worker."""
    frozen: float
    """Share of the time in which something should have come for long, and did not."""
    freezes: int
    """Since the beginning."""
    score: int
    layer: Layer | None
    """On the wire, of a subscription to a video."""


class StatsGiven(Outbound):
    publications: tuple[StreamStats, ...]
    subscriptions: tuple[StreamStats, ...]
    estimate: float | None
    """Bits per second that the way to this client is thought to carry."""


class PublishedItem(Outbound):
    mid: str
    publication_id: str
    source: str
    codec: str
    encodings: int


class Published(Outbound):
    answer: str
    publications: tuple[PublishedItem, ...]


class SubscribeItem(Outbound):
    publication_id: str
    ok: bool
    error: dict[str, Any] | None = None


class Subscribed(Outbound):
    subscriptions: tuple[SubscribeItem, ...]


class StageActionItem(Outbound):
    peer_id: str
    ok: bool
    error: dict[str, Any] | None = None


class StageActionDone(Outbound):
    """Result of stage requests. `status` is one's own afterwards; `peers` the outcome per named peer."""

    status: StageStatusName
    peers: tuple[StageActionItem, ...] = ()


class WaitingActionItem(Outbound):
    peer_id: str
    ok: bool
    error: dict[str, Any] | None = None


class WaitingActionDone(Outbound):
    """Result of `admit` and `deny`: the outcome per peer. One too many for the meeting goes on waiting."""

    peers: tuple[WaitingActionItem, ...]


class Empty(Outbound):
    pass
