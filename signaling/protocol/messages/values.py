"""What requests, results and events are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_SDP_LENGTH = 64 * 1024
MAX_MESSAGE_LENGTH = 256 * 1024
MAX_PUBLICATIONS = 64

Kind = Literal["audio", "video"]
TransportName = Literal["publish", "subscribe"]
ViewTypeName = Literal["GROUP_CALL", "WEBINAR", "AUDIO_ROOM", "LIVESTREAM", "CHAT"]
Id = Annotated[str, Field(min_length=1, max_length=64)]
Sdp = Annotated[str, Field(min_length=1, max_length=MAX_SDP_LENGTH)]
Source = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
"""camera, microphone, screen, screen_audio, or a stream key of the client's own."""


class StageStatusName(StrEnum):
    OFF_STAGE = "OFF_STAGE"
    REQUESTED_TO_JOIN_STAGE = "REQUESTED_TO_JOIN_STAGE"
    ACCEPTED_TO_JOIN_STAGE = "ACCEPTED_TO_JOIN_STAGE"
    ON_STAGE = "ON_STAGE"


class Inbound(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outbound(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Hardware(Inbound):
    """What a browser says of the machine that it runs on, as far as it does."""

    cores: int | None = Field(default=None, ge=1, le=4096)
    memory: float | None = Field(default=None, gt=0, le=65536)
    """Of the machine, in GiB. Browsers round it, and say no more than a few."""


class MediaDevice(Inbound):
    """A microphone, camera or speaker."""

    id: Id
    """Of the client's choice: it tells the device from the client's others."""
    kind: Literal["audioinput", "videoinput", "audiooutput"]
    label: str = Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    """As the browser calls it; without control characters."""


class Layer(Inbound):
    """(spatial, temporal), 0 = lowest."""

    spatial: int = Field(ge=0, le=7)
    temporal: int = Field(default=7, ge=0, le=7)


class PeerInfo(Outbound):
    peer_id: str
    participant_id: str
    custom_participant_id: str | None
    name: str
    picture: str | None
    preset_name: str
    stage_status: StageStatusName
    device: Literal["desktop", "mobile", "bot", "whip", "whep"]
    connection: Literal["connected", "detached"] = "connected"
    joined_at: str
    censored: tuple[str, ...] = ()
    """Sources that a moderator has blocked."""


class PublicationInfo(Outbound):
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


class IceServer(Outbound):
    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class StageInfo(Outbound):
    """The joining peer's own standing. `access` and `can_produce` are derived on the server."""

    enabled: bool
    status: StageStatusName
    access: Literal["ALLOWED", "NOT_ALLOWED", "CAN_REQUEST"]
    is_host: bool
    """May accept requests, invite and remove."""
    can_produce: dict[str, bool]
    """By source kind audio, video, screenshare: what may be published in the present status."""


class StageRequestInfo(Outbound):
    peer_id: str
    participant_id: str
    name: str


class WaitingPeerInfo(Outbound):
    """One who waits to be admitted."""

    peer_id: str
    participant_id: str
    custom_participant_id: str | None
    name: str
    picture: str | None
    since: str


class MeetingInfo(Outbound):
    meeting_id: str
    title: str | None
    view_type: ViewTypeName
    ends_at: str | None = None
    """When the session ends at the latest; null: it has no such time."""
