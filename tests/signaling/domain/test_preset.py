from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.preset import Preset, WaitingRoomType, merged, parse_preset
from signaling.errors import ValidationFailedError
from tests.signaling.domain.presets import ANY_PRESET, preset_of


def minimal(**more: Any) -> dict[str, Any]:
    return {"name": "p", "config": {"view_type": "GROUP_CALL"}} | more


def test_a_name_and_a_view_type_make_a_preset_that_may_nothing() -> None:
    permissions = parse_preset(minimal()).to_dict()["permissions"]
    assert not permissions["kick_participant"]
    assert permissions["media"]["audio"]["can_produce"] == "NOT_ALLOWED"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"config": {}}, "config.view_type"),
        ({"config": {"view_type": "PARTY"}}, "config.view_type"),
        (
            {"config": {"view_type": "WEBINAR", "media": {"video": {"frame_rate": 31}}}},
            "config.media.video.frame_rate",
        ),
        ({"permissions": {"kick_participants": True}}, "permissions.kick_participants"),
        (
            {"permissions": {"media": {"audio": {"can_produce": "MAYBE"}}}},
            "permissions.media.audio.can_produce",
        ),
        ({"ui": {"design_tokens": {"logo": "javascript:alert(1)"}}}, "ui.design_tokens.logo"),
        ({"ui": {"design_tokens": {"colors": {"danger": "red;}"}}}}, "ui.design_tokens.colors.danger"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        parse_preset(minimal(**change))
    assert caught.value.field == field
    assert field in caught.value.message


@given(ANY_PRESET)
def test_what_is_printed_can_be_read_again(preset: Preset) -> None:
    assert parse_preset(preset.to_dict()) == preset


def test_a_patch_changes_what_it_names_at_any_depth_and_nothing_else() -> None:
    before = preset_of(media="ALLOWED", can_record=True)
    after = merged(before, {"permissions": {"media": {"audio": {"can_produce": "NOT_ALLOWED"}}}})
    expected = before.to_dict()
    expected["permissions"]["media"]["audio"]["can_produce"] = "NOT_ALLOWED"
    assert after.to_dict() == expected


def test_a_patch_may_set_to_null_what_may_be_null_and_nothing_else() -> None:
    before = preset_of(stage_access="ALLOWED")
    assert merged(before, {"permissions": {"stage_access": None}}).permissions.stage_access is None
    with pytest.raises(ValidationFailedError):
        merged(before, {"permissions": {"can_record": None}})


def test_nobody_waits_with_a_default_preset() -> None:
    for preset in DEFAULT_PRESETS:
        assert preset.permissions.waiting_room_type is WaitingRoomType.SKIP
