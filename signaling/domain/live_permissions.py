"""What somebody changes of others' permissions while a session runs. Pure.

It holds for the peers that are in, until they leave, or their preset is changed or becomes another one. What
a peer is, rather than may, stays as the preset has it; and nobody gives what they do not have themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from signaling.domain.errors import PermissionDenied, ValidationFailedError
from signaling.domain.preset import Access, Preset, merged

FIXED: Final = frozenset(
    {"can_change_participant_permissions", "hidden_participant", "is_recorder", "recorder_type"}
)
"""Permissions that only a preset gives or takes."""


def changed(preset: Preset, patch: Mapping[str, Any], *, by: Preset) -> Preset:
    """The preset with a part of its permissions laid over it, key by key at every depth, by somebody with
    the preset `by`. Raises `ValidationFailedError` and `PermissionDenied`."""
    for key in FIXED & patch.keys():
        field = f"permissions.{key}"
        raise ValidationFailedError(f"{field}: only a preset has it; change that over REST", field=field)
    after = merged(preset, {"permissions": patch})
    before, own = dict(_leaves(_permissions(preset))), dict(_leaves(_permissions(by)))
    for path, value in _leaves(_permissions(after)):
        given = value is True or value == Access.ALLOWED.value
        if given and value != before.get(path) and value != own.get(path):
            raise PermissionDenied(f"permissions.{path}: you do not have it yourself.")
    return after


def _permissions(preset: Preset) -> Mapping[str, Any]:
    permissions: Mapping[str, Any] = preset.to_dict()["permissions"]
    return permissions


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
