"""Profiles and skins: what a session has, and how it looks, chosen by name. Pure.

Organizations and units define them, in `profiles` and `skins` of their configuration; the `profile` and the
`skin` that hold for a session are laid over the preset of everybody in it. A profile is the set of features
that there are: of any other nobody has the permission, whatever their preset says. A skin is a part of the
design tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, JsonValue, ValidationError

from signaling.domain.invalid_input import from_json, invalid_input
from signaling.domain.preset import Access, DesignTokens, Preset, laid_over, merged

MAX_DEFINED: Final = 50
"""Profiles, and as many skins, of one level."""


_PLAIN: Final = DesignTokens().model_dump(mode="json", by_alias=True)


class SessionFeature(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"
    SCREENSHARE = "screenshare"
    DATA = "data"
    CHAT = "chat"
    FILES = "files"
    POLLS = "polls"
    PLUGINS = "plugins"
    BREAKOUT = "breakout"
    RECORDING = "recording"
    LIVESTREAM = "livestream"
    TRANSCRIPTION = "transcription"


def _ordered(features: Iterable[SessionFeature]) -> tuple[SessionFeature, ...]:
    """Each once, so that what says the same looks the same."""
    named = frozenset(features)
    return tuple(one for one in SessionFeature if one in named)


def _skin(tokens: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Without what is null, which says nothing. Raises `ValueError` for what are no design tokens."""
    said = _said(tokens)
    if not said:
        raise ValueError("say at least one of the design tokens")
    try:
        from_json(DesignTokens, laid_over(_PLAIN, said))
    except ValidationError as error:
        raise ValueError(invalid_input(error).message) from None
    return said


def _said(tokens: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {}
    for name, value in tokens.items():
        kept = _said(value) if isinstance(value, dict) else value
        if kept not in (None, {}):
            said[name] = kept
    return said


DefinedName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]
"""Without dots, which part the keys of a configuration."""
Profile = Annotated[tuple[SessionFeature, ...], Field(max_length=64), AfterValidator(_ordered)]
Skin = Annotated[dict[str, JsonValue], AfterValidator(_skin)]
Profiles = Annotated[dict[DefinedName, Profile], Field(max_length=MAX_DEFINED)]
Skins = Annotated[dict[DefinedName, Skin], Field(max_length=MAX_DEFINED)]

_NOBODY: Final = {"can_produce": Access.NOT_ALLOWED.value}
_WITHOUT: Final[Mapping[SessionFeature, Mapping[str, Any]]] = {
    SessionFeature.AUDIO: {"media": {"audio": _NOBODY}},
    SessionFeature.VIDEO: {"media": {"video": _NOBODY}},
    SessionFeature.SCREENSHARE: {"media": {"screenshare": _NOBODY}},
    SessionFeature.DATA: {"can_send_data": False},
    SessionFeature.CHAT: {
        "chat": {
            "public": {"can_send": False, "text": False, "files": False},
            "private": {"can_send": False, "can_receive": False, "text": False, "files": False},
            "channel": {
                "can_create": False,
                "can_delete": False,
                "can_update": "NONE",
                "can_read_all": False,
            },
        }
    },
    SessionFeature.FILES: {"chat": {"public": {"files": False}, "private": {"files": False}}},
    SessionFeature.POLLS: {"polls": {"can_create": False, "can_vote": False, "can_view": False}},
    SessionFeature.PLUGINS: {"plugins": {"can_start": False, "can_close": False, "can_edit_config": False}},
    SessionFeature.BREAKOUT: {
        "connected_meetings": {
            "can_alter_connected_meetings": False,
            "can_switch_connected_meetings": False,
            "can_switch_to_parent_meeting": False,
        }
    },
    SessionFeature.RECORDING: {"can_record": False},
    SessionFeature.LIVESTREAM: {"can_livestream": False},
    SessionFeature.TRANSCRIPTION: {"transcription_enabled": False},
}
"""What of a preset's permissions goes with a feature."""


def in_session(
    preset: Preset, profile: Iterable[SessionFeature] | None, skin: Mapping[str, JsonValue] | None
) -> Preset:
    """The preset as it is in a session that is run with these; None: all features, as the preset looks."""
    if profile is None and not skin:
        return preset
    there = frozenset(SessionFeature) if profile is None else frozenset(profile)
    permissions: dict[str, Any] = {}
    for feature in SessionFeature:
        if feature not in there:
            permissions = laid_over(permissions, _WITHOUT[feature])
    return merged(preset, {"permissions": permissions, "ui": {"design_tokens": skin or {}}})
