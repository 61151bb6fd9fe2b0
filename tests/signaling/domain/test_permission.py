from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.domain.permission import (
    MediaKind,
    accepts_stage_requests,
    can_produce,
    media_kind_of,
    stage_access,
    stage_enabled,
)
from signaling.domain.preset import Access, Preset, parse_preset
from signaling.domain.stage import StageStatus
from tests.signaling.domain.presets import ANY_PRESET, DEFAULTS, preset_of


@pytest.mark.parametrize(
    ("view_type", "flag", "enabled"),
    [
        ("GROUP_CALL", None, False),
        ("GROUP_CALL", True, True),
        ("AUDIO_ROOM", False, False),
        ("WEBINAR", None, True),
        ("WEBINAR", False, True),
        ("LIVESTREAM", False, True),
    ],
)
def test_a_stage_is_there_by_flag_or_by_view(view_type: str, flag: bool | None, enabled: bool) -> None:
    assert stage_enabled(preset_of(view_type, stage_enabled=flag)) is enabled


def test_either_name_of_the_permission_makes_a_stage_host_but_only_where_there_is_a_stage() -> None:
    assert accepts_stage_requests(preset_of(accept_stage_requests=True))
    assert accepts_stage_requests(preset_of(can_accept_production_requests=True))
    assert not accepts_stage_requests(preset_of())
    assert not accepts_stage_requests(preset_of("GROUP_CALL", accept_stage_requests=True))


@pytest.mark.parametrize(
    ("explicit", "media", "access"),
    [
        ("NOT_ALLOWED", "ALLOWED", "NOT_ALLOWED"),
        ("CAN_REQUEST", "ALLOWED", "CAN_REQUEST"),
        ("ALLOWED", "NOT_ALLOWED", "ALLOWED"),
        (None, "ALLOWED", "ALLOWED"),
        (None, "CAN_REQUEST", "CAN_REQUEST"),
        (None, "NOT_ALLOWED", "NOT_ALLOWED"),
    ],
)
def test_stage_access_is_explicit_or_follows_from_the_media(
    explicit: str | None, media: str, access: str
) -> None:
    assert stage_access(preset_of(media=media, stage_access=explicit)) == access


def test_one_allowed_medium_is_enough_for_access() -> None:
    media = {"audio": {"can_produce": "ALLOWED"}, "video": {"can_produce": "CAN_REQUEST"}}
    preset = parse_preset({"name": "x", "config": {"view_type": "WEBINAR"}, "permissions": {"media": media}})
    assert stage_access(preset) is Access.ALLOWED


MAY = {
    # (access, status): with a stage
    ("ALLOWED", "OFF_STAGE"): False,
    ("ALLOWED", "REQUESTED_TO_JOIN_STAGE"): False,
    ("ALLOWED", "ACCEPTED_TO_JOIN_STAGE"): True,
    ("ALLOWED", "ON_STAGE"): True,
    ("CAN_REQUEST", "OFF_STAGE"): False,
    ("CAN_REQUEST", "REQUESTED_TO_JOIN_STAGE"): False,
    ("CAN_REQUEST", "ACCEPTED_TO_JOIN_STAGE"): True,
    ("CAN_REQUEST", "ON_STAGE"): True,
    ("NOT_ALLOWED", "OFF_STAGE"): False,
    ("NOT_ALLOWED", "REQUESTED_TO_JOIN_STAGE"): False,
    ("NOT_ALLOWED", "ACCEPTED_TO_JOIN_STAGE"): False,
    ("NOT_ALLOWED", "ON_STAGE"): False,
}


@pytest.mark.parametrize(("access", "status"), list(product(Access, StageStatus)))
def test_with_a_stage_the_status_decides(access: Access, status: StageStatus) -> None:
    for media in MediaKind:
        assert can_produce(preset_of(media=str(access)), media, status) is MAY[str(access), str(status)]


@pytest.mark.parametrize(("access", "status"), list(product(Access, StageStatus)))
def test_without_a_stage_only_what_is_allowed_may_be_published(access: Access, status: StageStatus) -> None:
    for media in MediaKind:
        assert can_produce(preset_of("GROUP_CALL", str(access)), media, status) is (access is Access.ALLOWED)


@given(ANY_PRESET, st.sampled_from(MediaKind), st.sampled_from(StageStatus))
def test_nobody_publishes_what_the_preset_forbids(
    preset: Preset, media: MediaKind, status: StageStatus
) -> None:
    if getattr(preset.permissions.media, media).can_produce is Access.NOT_ALLOWED:
        assert not can_produce(preset, media, status)


@pytest.mark.parametrize(
    ("source", "kind", "media"),
    [
        ("microphone", "audio", MediaKind.AUDIO),
        ("camera", "video", MediaKind.VIDEO),
        ("screen", "video", MediaKind.SCREENSHARE),
        ("screen_audio", "audio", MediaKind.SCREENSHARE),
        ("drone:1", "video", MediaKind.VIDEO),
        ("drone:1", "audio", MediaKind.AUDIO),
    ],
)
def test_each_source_falls_under_one_permission(source: str, kind: str, media: MediaKind) -> None:
    assert media_kind_of(source, kind) is media  # type: ignore[arg-type]


def test_viewers_of_a_livestream_never_publish() -> None:
    viewer = DEFAULTS["livestream_viewer"]
    assert not any(can_produce(viewer, media, status) for media, status in product(MediaKind, StageStatus))
