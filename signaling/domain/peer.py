"""One live connection of a participant in a session: a tab, a bot. A value; the session holds its latest.

Its standing is two things, the preset and the stage status, and what it may publish follows from both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from signaling.domain.errors import PermissionDenied, StageDisabledForMeetingType
from signaling.domain.permission import (
    MediaKind,
    StageAccess,
    StageStatus,
    can_produce,
    media_kind_of,
    unseen,
)
from signaling.domain.preset import Preset
from signaling.domain.stage import StageMember, after_permission_change, initial_status

Device = Literal["desktop", "mobile", "bot", "whip", "whep"]
Kind = Literal["audio", "video"]


_USUAL_SOURCE: Final[Mapping[MediaKind, str]] = MappingProxyType(
    {MediaKind.AUDIO: "microphone", MediaKind.VIDEO: "camera"}
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a client says of itself, and where it comes from; kept with its attendance. Of peers over HTTP
    nothing is known."""

    sdk: str | None = None
    user_agent: str | None = None
    address: str | None = None
    context: str | None = None
    socket_id: str | None = None
    opened_at: datetime | None = None
    """When its socket was."""
    cores: int | None = None
    """Of the machine that it runs on."""
    memory: float | None = None
    """Of that machine, in GiB, as browsers round it."""


UNKNOWN: Final = Origin()


@dataclass(frozen=True, slots=True)
class Peer:
    """`detached_at` is on the monotonic clock, None while a socket is there."""

    id: str
    participant_id: str
    custom_participant_id: str | None
    name: str
    picture: str | None
    preset: Preset
    status: StageStatus
    joined_at: datetime
    device: Device = "desktop"
    detached_at: float | None = None
    censored: frozenset[str] = frozenset()
    """Sources that a moderator has blocked: nothing of them is forwarded until a moderator allows it."""
    origin: Origin = UNKNOWN
    changed_from: Preset | None = None
    """The preset as the organization has it, where permissions of it were changed while the peer is in."""
    registered_name: str | None = None
    """The participant's, where the peer came under another one."""

    @property
    def own_preset(self) -> Preset:
        """Without what was changed of its permissions while it is in."""
        return self.changed_from or self.preset

    def known_as(self, name: str, picture: str | None) -> Peer:
        """The same peer, its participant having this name: which is told unless the peer chose another one
        instead of this very one."""
        if name == self.registered_name:
            return replace(self, picture=picture)
        return replace(self, name=name, picture=picture, registered_name=None)

    @property
    def preset_name(self) -> str:
        return self.preset.name

    @property
    def connected(self) -> bool:
        return self.detached_at is None

    @property
    def over_http(self) -> bool:
        """It came by WHIP or WHEP: no socket tells that it is there, only its media connection."""
        return self.device in ("whip", "whep")

    @property
    def asks_for_stage(self) -> bool:
        return self.status is StageStatus.REQUESTED_TO_JOIN_STAGE

    @property
    def hidden(self) -> bool:
        """Nobody else is told of it, so it publishes nothing: recorders and the like."""
        return unseen(self.preset)

    @property
    def sees_everybody(self) -> bool:
        """Whether it is told who takes part; if not, only of those who publish."""
        return self.preset.permissions.show_participant_list

    @property
    def admits(self) -> bool:
        """It may let in whoever waits."""
        return self.preset.permissions.accept_waiting_requests

    @property
    def counted(self) -> bool:
        """Whether it counts as somebody who is there. What a client says of itself changes nothing."""
        return not self.hidden

    @property
    def max_videos(self) -> int:
        """How many videos it receives at once, without shared screens, which have a limit of their own."""
        most = self.preset.config.max_video_streams
        return most.mobile if self.device == "mobile" else most.desktop

    @property
    def on_stage_terms(self) -> StageMember:
        return StageMember.of(self.preset, self.status)

    @property
    def is_stage_host(self) -> bool:
        return self.on_stage_terms.is_host

    def under(self, preset: Preset) -> Peer:
        """The same peer under another preset. Who was let onto the stage by a host stays; who was there by
        right (or because there was no stage) and may now only ask, has to ask."""
        terms, wanted = self.on_stage_terms, StageMember.of(preset, self.status)
        by_right = not terms.enabled or terms.access is StageAccess.ALLOWED
        if by_right and wanted.enabled and wanted.access is StageAccess.CAN_REQUEST:
            return replace(self, preset=preset, status=StageStatus.OFF_STAGE)
        return replace(self, preset=preset, status=after_permission_change(self.status, preset))

    def may_publish(self, source: str, kind: Kind) -> bool:
        return self.may_produce(media_kind_of(source, kind))

    def may_produce(self, media: MediaKind) -> bool:
        return not self.hidden and can_produce(self.preset, media, self.status)

    @property
    def may_send_data(self) -> bool:
        """Messages over data channels, which name their sender."""
        return not self.hidden and self.preset.permissions.can_send_data

    def is_censored(self, source: str, kind: Kind) -> bool:
        """A source that has a name of its own falls under the microphone or the camera as well: to call it
        otherwise is no way around."""
        usual = _USUAL_SOURCE.get(media_kind_of(source, kind))
        return source in self.censored or usual in self.censored

    def may_mute(self, source: str, kind: Kind) -> bool:
        """Of somebody else."""
        permissions = self.preset.permissions
        match media_kind_of(source, kind):
            case MediaKind.AUDIO:
                return permissions.disable_participant_audio
            case MediaKind.VIDEO:
                return permissions.disable_participant_video
            case MediaKind.SCREENSHARE:
                return permissions.disable_participant_screensharing

    def check_stage_host(self) -> None:
        if not self.on_stage_terms.enabled:
            raise StageDisabledForMeetingType
        if not self.is_stage_host:
            raise PermissionDenied("Only a host who accepts stage requests may do this. Ask one.")

    def check_admits(self) -> None:
        if not self.admits:
            raise PermissionDenied("Only who may admit others may do this. Ask a host.")

    def check_may_change_permissions(self) -> None:
        if not self.preset.permissions.can_change_participant_permissions:
            raise PermissionDenied("You may not change what others may.")

    def check_may_kick(self) -> None:
        if not self.preset.permissions.kick_participant:
            raise PermissionDenied("You may not remove participants.")


def joining_peer(
    peer_id: str,
    *,
    participant_id: str,
    custom_participant_id: str | None,
    name: str,
    picture: str | None,
    preset: Preset,
    device: Device,
    joined_at: datetime,
    detached_at: float | None = None,
    origin: Origin = UNKNOWN,
    registered_name: str | None = None,
) -> Peer:
    """A peer as it enters: in the status its preset begins with."""
    return Peer(
        id=peer_id,
        participant_id=participant_id,
        custom_participant_id=custom_participant_id,
        name=name,
        picture=picture,
        preset=preset,
        status=initial_status(preset),
        joined_at=joined_at,
        device=device,
        detached_at=detached_at,
        origin=origin,
        registered_name=registered_name,
    )
