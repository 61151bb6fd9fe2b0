"""What a preset permits, as pure functions. The server decides by these, whatever a client shows.

- *Stage enabled*: `stage_enabled` is set, or the view type is WEBINAR or LIVESTREAM.
- *Stage host*: the stage is enabled, and `accept_stage_requests` or `can_accept_production_requests` is set.
- *Stage access*: what `stage_access` says; where it is not set, ALLOWED if any media may be produced, else
  CAN_REQUEST if any may be asked for, else NOT_ALLOWED.
- *May produce*, without a stage: only what is ALLOWED. With one: nothing while OFF_STAGE or
  REQUESTED_TO_JOIN_STAGE; once ACCEPTED_TO_JOIN_STAGE or ON_STAGE, what is ALLOWED or CAN_REQUEST.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

from signaling.domain.preset import Access, Preset, RecorderType, ViewType

StageAccess = Access


class StageStatus(StrEnum):
    """Where a peer stands; the moves between them are in `signaling.domain.stage`."""

    OFF_STAGE = "OFF_STAGE"
    REQUESTED_TO_JOIN_STAGE = "REQUESTED_TO_JOIN_STAGE"
    ACCEPTED_TO_JOIN_STAGE = "ACCEPTED_TO_JOIN_STAGE"
    ON_STAGE = "ON_STAGE"


class MediaKind(StrEnum):
    """What permissions speak of; several sources fall under one."""

    AUDIO = "audio"
    VIDEO = "video"
    SCREENSHARE = "screenshare"


_SCREEN_SOURCES: Final = frozenset({"screen", "screen_audio"})
_STAGE_VIEWS: Final = frozenset({ViewType.WEBINAR, ViewType.LIVESTREAM})
_MAY_SPEAK: Final = frozenset({StageStatus.ACCEPTED_TO_JOIN_STAGE, StageStatus.ON_STAGE})


def media_kind_of(source: str, kind: Literal["audio", "video"]) -> MediaKind:
    """The permission a source needs: screens their own, every other source that of its kind."""
    return MediaKind.SCREENSHARE if source in _SCREEN_SOURCES else MediaKind(kind)


def stage_enabled(preset: Preset) -> bool:
    return bool(preset.permissions.stage_enabled) or preset.config.view_type in _STAGE_VIEWS


def records(preset: Preset) -> bool:
    """Whether it is one of those that record."""
    permissions = preset.permissions
    return permissions.is_recorder or permissions.recorder_type is not RecorderType.NONE


def unseen(preset: Preset) -> bool:
    """Whether nobody is told of who has it: recorders, and whoever else is hidden. They publish nothing."""
    return preset.permissions.hidden_participant or records(preset)


def accepts_stage_requests(preset: Preset) -> bool:
    """Whether this is a stage host: grants, denies, invites and removes."""
    permissions = preset.permissions
    return stage_enabled(preset) and (
        bool(permissions.accept_stage_requests) or permissions.can_accept_production_requests
    )


def stage_access(preset: Preset) -> StageAccess:
    explicit = preset.permissions.stage_access
    if explicit is not None:
        return explicit
    by_media = {_access_to(preset, media) for media in MediaKind}
    for access in (Access.ALLOWED, Access.CAN_REQUEST):
        if access in by_media:
            return access
    return Access.NOT_ALLOWED


def can_produce(preset: Preset, media: MediaKind, status: StageStatus) -> bool:
    """Whether a peer of this preset may publish this media in this stage status."""
    access = _access_to(preset, media)
    if not stage_enabled(preset):
        return access is Access.ALLOWED
    return status in _MAY_SPEAK and access is not Access.NOT_ALLOWED


def _access_to(preset: Preset, media: MediaKind) -> Access:
    permissions = preset.permissions.media
    match media:
        case MediaKind.AUDIO:
            return permissions.audio.can_produce
        case MediaKind.VIDEO:
            return permissions.video.can_produce
        case MediaKind.SCREENSHARE:
            return permissions.screenshare.can_produce
