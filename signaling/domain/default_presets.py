"""The presets every organization starts with.

| name                    | view       | stage access | publishes                | host rights |
|-------------------------|------------|--------------|--------------------------|-------------|
| group_call_host         | GROUP_CALL | (no stage)   | audio, video, screen     | yes         |
| group_call_participant  | GROUP_CALL | (no stage)   | audio, video, screen     | no          |
| webinar_presenter       | WEBINAR    | ALLOWED      | audio, video, screen     | yes         |
| webinar_viewer          | WEBINAR    | CAN_REQUEST  | once a host let it       | no          |
| livestream_host         | LIVESTREAM | ALLOWED      | audio, video, screen     | yes         |
| livestream_viewer       | LIVESTREAM | NOT_ALLOWED  | never                    | no          |
| audio_room_host         | AUDIO_ROOM | (no stage)   | audio                    | yes         |
| audio_room_participant  | AUDIO_ROOM | (no stage)   | audio                    | no          |

Hosts and members send data messages; viewers only receive them. Nobody waits: the waiting room is skipped in
all of them.
"""

from __future__ import annotations

from typing import Final

from signaling.domain.preset import (
    Access,
    ChannelPermissions,
    ChannelScope,
    ChatPermissions,
    ConnectedMeetingPermissions,
    MaxVideoStreams,
    MediaPermissions,
    MessagePermissions,
    MessageScope,
    Permissions,
    PluginPermissions,
    PollPermissions,
    Preset,
    PresetConfig,
    PrivateChatPermissions,
    ProducePermission,
    PublicChatPermissions,
    ViewType,
)


def _media(access: Access) -> MediaPermissions:
    one = ProducePermission(can_produce=access)
    return MediaPermissions(audio=one, video=one, screenshare=one)


_HOST_CHAT: Final = ChatPermissions(
    public=PublicChatPermissions(can_send=True, text=True, files=True),
    private=PrivateChatPermissions(can_send=True, can_receive=True, text=True, files=True),
    channel=ChannelPermissions(
        can_create=True, can_delete=True, can_update=ChannelScope.ALL, can_read_all=True
    ),
    message=MessagePermissions(can_delete=MessageScope.ALL, can_edit=MessageScope.SELF),
)
_MEMBER_CHAT: Final = ChatPermissions(
    public=PublicChatPermissions(can_send=True, text=True, files=True),
    private=PrivateChatPermissions(can_send=True, can_receive=True, text=True, files=True),
    message=MessagePermissions(can_delete=MessageScope.SELF, can_edit=MessageScope.SELF),
)
_VIEWER_CHAT: Final = ChatPermissions(
    public=PublicChatPermissions(can_send=True, text=True),
    message=MessagePermissions(can_delete=MessageScope.SELF, can_edit=MessageScope.SELF),
)


def _host(stage_access: Access | None) -> Permissions:
    """Everything there is; with a stage also its keeper."""
    return Permissions(
        accept_waiting_requests=True,
        can_accept_production_requests=stage_access is not None,
        can_edit_display_name=True,
        can_spotlight=True,
        disable_participant_audio=True,
        disable_participant_video=True,
        disable_participant_screensharing=True,
        kick_participant=True,
        pin_participant=True,
        can_record=True,
        can_livestream=True,
        plugins=PluginPermissions(can_start=True, can_close=True, can_edit_config=True),
        connected_meetings=ConnectedMeetingPermissions(
            can_alter_connected_meetings=True,
            can_switch_connected_meetings=True,
            can_switch_to_parent_meeting=True,
        ),
        polls=PollPermissions(can_create=True, can_vote=True, can_view=True),
        media=_media(Access.ALLOWED),
        chat=_HOST_CHAT,
        can_send_data=True,
        can_change_participant_permissions=True,
        stage_enabled=stage_access is not None,
        stage_access=stage_access,
        accept_stage_requests=stage_access is not None,
        transcription_enabled=True,
    )


def _member() -> Permissions:
    """Talks and shows, but decides about nobody else."""
    return Permissions(
        can_edit_display_name=True,
        connected_meetings=ConnectedMeetingPermissions(can_switch_to_parent_meeting=True),
        polls=PollPermissions(can_vote=True, can_view=True),
        media=_media(Access.ALLOWED),
        chat=_MEMBER_CHAT,
        can_send_data=True,
        stage_enabled=False,
    )


def _viewer(access: Access) -> Permissions:
    """Watches; what it may publish depends on the stage."""
    return Permissions(
        can_edit_display_name=True,
        polls=PollPermissions(can_vote=True, can_view=True),
        media=_media(access),
        chat=_VIEWER_CHAT,
        stage_enabled=True,
        stage_access=access,
    )


def _voice_only(permissions: Permissions) -> Permissions:
    nothing = ProducePermission(can_produce=Access.NOT_ALLOWED)
    media = permissions.media.model_copy(update={"video": nothing, "screenshare": nothing})
    return permissions.model_copy(update={"media": media})


def _preset(name: str, view_type: ViewType, permissions: Permissions) -> Preset:
    return Preset(
        name=name,
        config=PresetConfig(view_type=view_type, max_video_streams=MaxVideoStreams(mobile=6, desktop=25)),
        permissions=permissions,
    )


DEFAULT_PRESETS: Final[tuple[Preset, ...]] = (
    _preset("group_call_host", ViewType.GROUP_CALL, _host(None)),
    _preset("group_call_participant", ViewType.GROUP_CALL, _member()),
    _preset("webinar_presenter", ViewType.WEBINAR, _host(Access.ALLOWED)),
    _preset("webinar_viewer", ViewType.WEBINAR, _viewer(Access.CAN_REQUEST)),
    _preset("livestream_host", ViewType.LIVESTREAM, _host(Access.ALLOWED)),
    _preset("livestream_viewer", ViewType.LIVESTREAM, _viewer(Access.NOT_ALLOWED)),
    _preset("audio_room_host", ViewType.AUDIO_ROOM, _voice_only(_host(None))),
    _preset("audio_room_participant", ViewType.AUDIO_ROOM, _voice_only(_member())),
)
