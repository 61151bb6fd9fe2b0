"""`cloudflare`: the presets of RealtimeKit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.compat.conftest import Kit
from tests.compat.test_realtimekit_meetings import assert_within

if TYPE_CHECKING:
    from cloudflare.types.realtime_kit.preset_create_response import Data as Preset

shows = partial(pytest.mark.shows, "cloudflare")

PLUGIN = "7b1f6d2e-3c6a-4f0e-9f5b-1f2b3c4d5e6f"
CONFIG: dict[str, Any] = {
    "max_screenshare_count": 2,
    "max_video_streams": {"desktop": 16, "mobile": 4},
    "media": {
        "audio": {"enable_high_bitrate": True, "enable_stereo": True},
        "screenshare": {"frame_rate": 5, "quality": "fhd"},
        "video": {"frame_rate": 24, "quality": "vga", "simulcast": True},
    },
    "view_type": "WEBINAR",
    "livestream_viewer_qualities": [360, 720],
}
PERMISSIONS: dict[str, Any] = {
    "accept_stage_requests": True,
    "accept_waiting_requests": True,
    "can_accept_production_requests": True,
    "can_change_participant_permissions": False,
    "can_edit_display_name": True,
    "can_livestream": False,
    "can_record": True,
    "can_spotlight": False,
    "chat": {
        "private": {"can_receive": True, "can_send": False, "files": False, "text": True},
        "public": {"can_send": True, "files": False, "text": True},
    },
    "connected_meetings": {
        "can_alter_connected_meetings": False,
        "can_switch_connected_meetings": True,
        "can_switch_to_parent_meeting": True,
    },
    "disable_participant_audio": True,
    "disable_participant_screensharing": False,
    "disable_participant_video": True,
    "hidden_participant": False,
    "is_recorder": False,
    "kick_participant": True,
    "media": {
        "audio": {"can_produce": "ALLOWED"},
        "screenshare": {"can_produce": "NOT_ALLOWED"},
        "video": {"can_produce": "CAN_REQUEST"},
    },
    "pin_participant": True,
    "plugins": {
        "can_close": True,
        "can_edit_config": False,
        "can_start": True,
        "config": {PLUGIN: {"access_control": "VIEW_ONLY", "handles_view_only": True}},
    },
    "polls": {"can_create": True, "can_view": True, "can_vote": False},
    "recorder_type": "NONE",
    "show_participant_list": True,
    "stage_access": "CAN_REQUEST",
    "stage_enabled": True,
    "transcription_enabled": False,
    "waiting_room_type": "SKIP_ON_ACCEPT",
}
UI: dict[str, Any] = {
    "design_tokens": {
        "border_radius": "circular",
        "border_width": "fat",
        "colors": {
            "background": {f"_{shade}": "#101010" for shade in (600, 700, 800, 900, 1000)},
            "brand": {f"_{shade}": "#2060ff" for shade in (300, 400, 500, 600, 700)},
            **dict.fromkeys(("danger", "success", "text", "text_on_brand", "video_bg", "warning"), "#abcdef"),
        },
        "spacing_base": 8,
        "theme": "light",
        "font_family": "Inter",
        "google_font": "Inter",
        "logo": "https://example.org/logo.png",
    }
}


async def created(kit: Kit) -> Preset:
    """Everything is said; the name is new each time."""
    made = await kit.api.presets.create(
        **kit.app, name=f"host {uuid4()}", config=CONFIG, permissions=PERMISSIONS, ui=UI
    )
    return made.data


@shows("presets.create")
async def test_a_preset_keeps_all_that_it_is_created_with(kit: Kit) -> None:
    name = f"host {uuid4()}"
    answer = kit.wire.filled(
        await kit.api.presets.create(**kit.app, name=name, config=CONFIG, permissions=PERMISSIONS, ui=UI)
    )
    assert answer.data.name == name
    shown = kit.wire.body["data"]
    assert_within(CONFIG, shown["config"])
    assert_within(PERMISSIONS, shown["permissions"])
    colors = {"background": {"1000": "#101010"}, "brand": {"300": "#2060ff"}, "warning": "#abcdef"}
    assert_within(UI["design_tokens"] | {"colors": colors}, shown["ui"]["design_tokens"])


@shows("presets.get")
async def test_presets_are_searched_by_name(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(await kit.api.presets.get(**kit.app, search=one.name, page_no=1, per_page=10))
    assert [(each.id, each.name) for each in answer.data] == [(one.id, one.name)]
    assert answer.paging.total_count == 1
    everything = await kit.api.presets.get(**kit.app, per_page=100)
    assert {"group_call_host", "webinar_viewer", one.name} <= {each.name for each in everything.data}


@shows("presets.get_preset_by_id")
async def test_a_preset_is_found_by_its_id(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(await kit.api.presets.get_preset_by_id(one.id, **kit.app))
    assert answer.data.to_dict() == one.to_dict()


@shows("presets.update")
async def test_an_update_of_a_preset_goes_into_depth(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(
        await kit.api.presets.update(
            one.id,
            **kit.app,
            permissions={"polls": {"can_vote": True}},
            config={"media": {"video": {"quality": "hd"}}},
        )
    )
    assert answer.data.permissions.polls.to_dict() == {"can_create": True, "can_view": True, "can_vote": True}
    assert (answer.data.config.media.video.quality, answer.data.config.media.video.frame_rate) == ("hd", 24)
    assert answer.data.ui.to_dict() == one.ui.to_dict()


@shows("presets.replace_preset_by_id")
async def test_a_replacement_leaves_nothing_of_the_preset_before(kit: Kit) -> None:
    one = await created(kit)
    config = {key: value for key, value in CONFIG.items() if key != "livestream_viewer_qualities"}
    permissions = PERMISSIONS | {"stage_enabled": False}
    del permissions["transcription_enabled"]
    answer = kit.wire.filled(
        await kit.api.presets.replace_preset_by_id(
            one.id, **kit.app, name=one.name, config=config, permissions=permissions, ui=UI
        )
    )
    assert answer.data.id == one.id
    assert answer.data.config.livestream_viewer_qualities is None
    assert answer.data.permissions.stage_enabled is False
    assert answer.data.permissions.transcription_enabled is None


@shows("presets.delete")
async def test_a_preset_is_deleted(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(await kit.api.presets.delete(one.id, **kit.app))
    assert answer.data.id == one.id
    with pytest.raises(kit.cloudflare.NotFoundError):
        await kit.api.presets.get_preset_by_id(one.id, **kit.app)
