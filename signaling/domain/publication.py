"""What a peer sends and what a peer wishes to receive, as values; and the grants that follow from standing.

A grant names a source and a kind. The usual four sources are granted as soon as the standing allows their
kind; a source of the client's own is granted when it is published, so that the list stays finite.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from signaling.domain.limits import NO_LIMITS, MediaLimits, limits_of
from signaling.domain.peer import Kind, Peer
from signaling.domain.permission import MediaKind, media_kind_of

MAX_PUBLICATIONS_PER_PEER: Final = 64

GrantKind = Literal["audio", "video", "data"]


class MutedBy(StrEnum):
    OWNER = "owner"
    MODERATOR = "moderator"


class EndReason(StrEnum):
    """Why a publication or subscription ended, in the words of the client protocol."""

    UNPUBLISHED = "unpublished"
    PEER_LEFT = "peer_left"
    STAGE_LEFT = "stage_left"
    PERMISSION_REVOKED = "permission_revoked"
    TRANSPORT_CLOSED = "transport_closed"
    UNSUPPORTED_CODEC = "unsupported_codec"
    NODE_LOST = "node_lost"


@dataclass(frozen=True, slots=True)
class Layer:
    """(spatial, temporal), 0 = lowest."""

    spatial: int
    temporal: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Of kind "data" it is the right to send messages over data channels."""

    source: str
    kind: GrantKind
    limits: MediaLimits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Announced:
    """A publication as the client asks for it: the m-line of its offer that carries the source."""

    mid: str
    source: str
    kind: Kind
    muted: bool = False
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Publication:
    """`codec` and `encodings` are known once the node has answered the offer."""

    id: str
    peer_id: str
    mid: str
    source: str
    kind: Kind
    codec: str = ""
    encodings: int = 1
    muted_by: MutedBy | None = None
    encrypted: bool = False
    """End to end, by its owner: nothing on the server may look into it."""

    @property
    def media(self) -> MediaKind:
        return media_kind_of(self.source, self.kind)

    @property
    def is_screen(self) -> bool:
        return self.media is MediaKind.SCREENSHARE and self.kind == "video"


@dataclass(frozen=True, slots=True)
class Tile:
    """Where a video is shown, in device pixels; 0 x 0 is nowhere. Higher `priority` is served first."""

    width: int
    height: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """`tile` is None until the client says where it shows the video."""

    peer_id: str
    publication_id: str
    preferred: Layer | None = None
    paused: bool = False
    tile: Tile | None = None


USUAL_SOURCES: Final[tuple[tuple[str, Kind], ...]] = (
    ("camera", "video"),
    ("microphone", "audio"),
    ("screen", "video"),
    ("screen_audio", "audio"),
)
DATA_GRANT: Final = Grant("data", "data")


def grants_of(peer: Peer, also: Iterable[Announced | Publication] = ()) -> tuple[Grant, ...]:
    """What the peer's publish transport may carry now, data included; `also` are sources beyond the usual."""
    named = {(one.source, one.kind) for one in also}.difference(USUAL_SOURCES)
    wanted = (*USUAL_SOURCES, *sorted(named))
    media = tuple(
        Grant(source, kind, limits_of(peer.preset, source, kind))
        for source, kind in wanted
        if peer.may_publish(source, kind)
    )
    return (*media, DATA_GRANT) if peer.may_send_data else media
