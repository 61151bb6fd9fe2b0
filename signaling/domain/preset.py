"""A preset: a named set of permissions, media limits and view settings.

The schema is complete and in snake_case, as REST and storage have it. Only `name` and `config.view_type` must
be given; every other field has a default, and the defaults grant nothing: what a preset may do is written in
it. Keys that are not in the schema are refused, so that a misspelt permission is an error and not a surprise.

    Preset ── name
           ├─ config ────── view_type, max_video_streams, max_screenshare_count, media.*
           ├─ permissions ─ host rights, waiting room, stage, media.*.can_produce, chat, polls, plugins, ...
           └─ ui ────────── design_tokens, config_diff

All models are frozen; a change is a new preset made by `merged`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signaling.domain.invalid_input import from_json, invalid_input
from signaling.domain.version import FIRST


class ViewType(StrEnum):
    GROUP_CALL = "GROUP_CALL"
    WEBINAR = "WEBINAR"
    AUDIO_ROOM = "AUDIO_ROOM"
    LIVESTREAM = "LIVESTREAM"
    CHAT = "CHAT"


class Access(StrEnum):
    """Of producing media, and of the stage: now, never, or after a host agreed."""

    ALLOWED = "ALLOWED"
    NOT_ALLOWED = "NOT_ALLOWED"
    CAN_REQUEST = "CAN_REQUEST"


class VideoQuality(StrEnum):
    """384x288, 640x480, 1280x720, 1920x1080, 3840x2160."""

    QVGA = "qvga"
    VGA = "vga"
    HD = "hd"
    FHD = "fhd"
    UHD = "uhd"


class RecorderType(StrEnum):
    NONE = "NONE"
    RECORDER = "RECORDER"
    LIVESTREAMER = "LIVESTREAMER"


class WaitingRoomType(StrEnum):
    """Enter directly; enter once a privileged participant is in; enter once admitted."""

    SKIP = "SKIP"
    ON_PRIVILEGED_USER_ENTRY = "ON_PRIVILEGED_USER_ENTRY"
    SKIP_ON_ACCEPT = "SKIP_ON_ACCEPT"


class PluginAccess(StrEnum):
    FULL_ACCESS = "FULL_ACCESS"
    VIEW_ONLY = "VIEW_ONLY"


class ChannelScope(StrEnum):
    NONE = "NONE"
    PRIVATE = "PRIVATE"
    PUBLIC = "PUBLIC"
    ALL = "ALL"


class MessageScope(StrEnum):
    NONE = "NONE"
    SELF = "SELF"
    ALL = "ALL"


class BorderRadius(StrEnum):
    SHARP = "sharp"
    ROUNDED = "rounded"
    EXTRA_ROUNDED = "extra-rounded"
    CIRCULAR = "circular"


class BorderWidth(StrEnum):
    NONE = "none"
    THIN = "thin"
    FAT = "fat"


class Theme(StrEnum):
    DARKEST = "darkest"
    DARK = "dark"
    LIGHT = "light"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- config --------------------------------------------------------------------------------------------

StreamCount = Annotated[int, Field(ge=0, le=1000)]
FrameRate = Annotated[int, Field(ge=1, le=30)]


class MaxVideoStreams(_Model):
    """How many videos the grid shows at once."""

    mobile: StreamCount = 6
    desktop: StreamCount = 25


class AudioConfig(_Model):
    enable_stereo: bool = False
    enable_high_bitrate: bool = False


class VideoConfig(_Model):
    quality: VideoQuality = VideoQuality.HD
    frame_rate: FrameRate = 30
    simulcast: bool = True


class ScreenshareConfig(_Model):
    quality: VideoQuality = VideoQuality.HD
    frame_rate: FrameRate = 15


class MediaConfig(_Model):
    audio: AudioConfig = AudioConfig()
    video: VideoConfig = VideoConfig()
    screenshare: ScreenshareConfig = ScreenshareConfig()


class PresetConfig(_Model):
    view_type: ViewType
    max_video_streams: MaxVideoStreams = MaxVideoStreams()
    max_screenshare_count: StreamCount = 1
    livestream_viewer_qualities: tuple[Annotated[int, Field(gt=0)], ...] | None = None
    media: MediaConfig = MediaConfig()


# --- permissions ---------------------------------------------------------------------------------------

PluginId = Annotated[
    str, Field(pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")
]


class PluginConfig(_Model):
    access_control: PluginAccess = PluginAccess.FULL_ACCESS
    handles_view_only: bool = False
    disabled: bool = False


class PluginPermissions(_Model):
    can_start: bool = False
    can_close: bool = False
    can_edit_config: bool = False
    config: dict[PluginId, PluginConfig] = {}
    """By plugin id (a UUID)."""


class ConnectedMeetingPermissions(_Model):
    can_alter_connected_meetings: bool = False
    can_switch_connected_meetings: bool = False
    can_switch_to_parent_meeting: bool = False


class PollPermissions(_Model):
    can_create: bool = False
    can_vote: bool = False
    can_view: bool = False


class ProducePermission(_Model):
    can_produce: Access = Access.NOT_ALLOWED


class MediaPermissions(_Model):
    audio: ProducePermission = ProducePermission()
    video: ProducePermission = ProducePermission()
    screenshare: ProducePermission = ProducePermission()


class PublicChatPermissions(_Model):
    can_send: bool = False
    text: bool = False
    files: bool = False


class PrivateChatPermissions(_Model):
    can_send: bool = False
    can_receive: bool = False
    text: bool = False
    files: bool = False


class ChannelPermissions(_Model):
    can_create: bool = False
    can_delete: bool = False
    can_update: ChannelScope = ChannelScope.NONE
    can_read_all: bool = False


class MessagePermissions(_Model):
    """The cut-offs are seconds after sending; None for no limit."""

    can_delete: MessageScope = MessageScope.NONE
    can_edit: MessageScope = MessageScope.NONE
    delete_cutoff_time_seconds: Annotated[int, Field(ge=0)] | None = None
    edit_cutoff_time_seconds: Annotated[int, Field(ge=0)] | None = None


class ChatPermissions(_Model):
    public: PublicChatPermissions = PublicChatPermissions()
    private: PrivateChatPermissions = PrivateChatPermissions()
    channel: ChannelPermissions = ChannelPermissions()
    message: MessagePermissions = MessagePermissions()


class Permissions(_Model):
    accept_waiting_requests: bool = False
    can_accept_production_requests: bool = False
    """An older name of `accept_stage_requests`; either one makes a stage host."""
    can_edit_display_name: bool = False
    can_spotlight: bool = False
    is_recorder: bool = False
    recorder_type: RecorderType = RecorderType.NONE
    disable_participant_audio: bool = False
    disable_participant_video: bool = False
    disable_participant_screensharing: bool = False
    kick_participant: bool = False
    pin_participant: bool = False
    can_record: bool = False
    can_livestream: bool = False
    waiting_room_type: WaitingRoomType = WaitingRoomType.SKIP
    plugins: PluginPermissions = PluginPermissions()
    connected_meetings: ConnectedMeetingPermissions = ConnectedMeetingPermissions()
    polls: PollPermissions = PollPermissions()
    media: MediaPermissions = MediaPermissions()
    chat: ChatPermissions = ChatPermissions()
    can_send_data: bool = False
    """Messages over data channels, to all or some; receiving them needs no permission."""
    hidden_participant: bool = False
    show_participant_list: bool = True
    can_change_participant_permissions: bool = False
    stage_enabled: bool | None = None
    stage_access: Access | None = None
    accept_stage_requests: bool | None = None
    transcription_enabled: bool | None = None


# --- ui ------------------------------------------------------------------------------------------------

Color = Annotated[str, Field(max_length=64, pattern=r"^[#A-Za-z0-9 ,.%()/-]+$")]
"""A CSS colour; the characters that could end a declaration are not in it."""
ImageUrl = Annotated[str, Field(max_length=4096, pattern=r"^(https?://|/[^/]|data:image/)")]
FontName = Annotated[str, Field(max_length=128, pattern=r"^[\w ,.'-]+$")]


class BrandColors(_Model):
    shade_300: Color = Field(default="#844d1c", alias="300")
    shade_400: Color = Field(default="#9d5b22", alias="400")
    shade_500: Color = Field(default="#b56927", alias="500")
    shade_600: Color = Field(default="#d37c30", alias="600")
    shade_700: Color = Field(default="#d9904f", alias="700")


class BackgroundColors(_Model):
    shade_600: Color = Field(default="#222222", alias="600")
    shade_700: Color = Field(default="#1f1f1f", alias="700")
    shade_800: Color = Field(default="#1b1b1b", alias="800")
    shade_900: Color = Field(default="#181818", alias="900")
    shade_1000: Color = Field(default="#141414", alias="1000")


class Colors(_Model):
    brand: BrandColors = BrandColors()
    background: BackgroundColors = BackgroundColors()
    danger: Color = "#ff2d2d"
    success: Color = "#62a504"
    text: Color = "#eeeeee"
    text_on_brand: Color = "#eeeeee"
    video_bg: Color = "#191919"
    warning: Color = "#ffcd07"


class DesignTokens(_Model):
    border_radius: BorderRadius = BorderRadius.ROUNDED
    border_width: BorderWidth = BorderWidth.THIN
    spacing_base: Annotated[float, Field(ge=0, le=64)] = 4
    theme: Theme = Theme.DARK
    font_family: FontName | None = None
    google_font: FontName | None = None
    logo: ImageUrl | None = None
    colors: Colors = Colors()


class Ui(_Model):
    design_tokens: DesignTokens = DesignTokens()
    config_diff: dict[str, Any] = {}
    """What differs from the default tree of UI elements."""


# --- the whole -----------------------------------------------------------------------------------------


PresetName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^\S(.*\S)?$")]


class Preset(_Model):
    name: PresetName
    config: PresetConfig
    permissions: Permissions = Permissions()
    ui: Ui = Ui()

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: complete, snake_case, enums as their values."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True, slots=True)
class PresetRecord:
    """A preset as an organization keeps it. Its name is unique there."""

    id: str
    organization_id: str
    preset: Preset
    created_at: datetime
    updated_at: datetime
    version: int = FIRST

    @property
    def name(self) -> str:
        return self.preset.name


def parse_preset(value: Mapping[str, Any]) -> Preset:
    """Raises `ValidationFailedError` that names the first wrong field and what it may be."""
    try:
        return from_json(Preset, value)
    except ValidationError as error:
        raise invalid_input(error) from None


def merged(preset: Preset, patch: Mapping[str, Any]) -> Preset:
    """The preset with a partial one laid over it, key by key at every depth.

    Lists are replaced, and so is `ui.config_diff`'s every leaf; None sets a field that may be None. Raises
    `ValidationFailedError` as `parse_preset` does.
    """
    return parse_preset(laid_over(preset.to_dict(), patch))


def laid_over(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key at every depth."""
    result = dict(base)
    for key, value in patch.items():
        below = result.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            result[key] = laid_over(below, value)
        else:
            result[key] = value
    return result
