"""Presets for tests: the defaults by name, and random ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.preset import Access, Preset, ViewType, parse_preset

DEFAULTS = {preset.name: preset for preset in DEFAULT_PRESETS}
OPTIONAL_BOOLS = st.sampled_from([None, True, False])


def preset_of(view_type: str = "WEBINAR", media: str = "NOT_ALLOWED", **permissions: Any) -> Preset:
    produce = {"can_produce": media}
    return parse_preset(
        {
            "name": "test",
            "config": {"view_type": view_type},
            "permissions": {"media": {"audio": produce, "video": produce, "screenshare": produce}}
            | permissions,
        }
    )


@st.composite
def random_presets(draw: st.DrawFn) -> Preset:
    """Everything that the stage looks at, at random."""
    access = st.sampled_from([str(one) for one in Access])
    return parse_preset(
        {
            "name": "random",
            "config": {"view_type": str(draw(st.sampled_from(ViewType)))},
            "permissions": {
                "stage_enabled": draw(OPTIONAL_BOOLS),
                "stage_access": draw(st.none() | access),
                "accept_stage_requests": draw(OPTIONAL_BOOLS),
                "can_accept_production_requests": draw(st.booleans()),
                "media": {kind: {"can_produce": draw(access)} for kind in ("audio", "video", "screenshare")},
            },
        }
    )


ANY_PRESET = st.sampled_from(DEFAULT_PRESETS) | random_presets()
