"""Every value that the types of a vendor's SDK name for a field is one that the field takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import pytest
from typing_extensions import get_type_hints, is_typeddict

from signaling.domain.preset import laid_over
from signaling.rest.v2.meetings import MeetingBody
from signaling.rest.v2.presets import PresetBody
from signaling.rest.v2.webhooks import WebhookBody

_PLUGIN = "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d"
_WATERMARK = {"recording_config": {"video_config": {"watermark": {"url": "https://example.org/logo.png"}}}}
LATER = {"storage_config"}
"""With recordings; until then it is refused, not forgotten."""


def named(params: Any) -> Iterator[dict[str, Any]]:
    """For each value that a type names, the parameters that have nothing else."""
    for field, hint in get_type_hints(params).items():
        if field not in LATER:
            yield from ({field: value} for value in _values(hint))


def _values(hint: Any) -> Iterator[Any]:
    if is_typeddict(hint):
        yield from named(hint)
        return
    kind = get_origin(hint)
    for inner in get_args(hint):
        if kind is Literal:
            yield inner
            continue
        for value in _values(inner):
            match str(kind):
                case "<class 'dict'>":
                    yield {_PLUGIN: value}
                case text if "Sequence" in text or "list" in text:
                    yield [value]
                case _:
                    yield value


@pytest.mark.parametrize(
    ("params", "model", "base"),
    [
        ("meeting_create_params.MeetingCreateParams", MeetingBody, _WATERMARK),
        (
            "preset_create_params.PresetCreateParams",
            PresetBody,
            {"name": "any", "config": {"view_type": "GROUP_CALL"}},
        ),
        (
            "webhook_create_webhook_params.WebhookCreateWebhookParams",
            WebhookBody,
            {"name": "any", "url": "https://hooks.example/", "events": ["meeting.started"]},
        ),
    ],
)
def test_every_value_that_a_type_names_is_taken(params: str, model: Any, base: Mapping[str, Any]) -> None:
    from importlib import import_module

    module, _, name = params.partition(".")
    found = getattr(import_module(f"cloudflare.types.realtime_kit.{module}"), name)
    bodies = list(named(found))
    assert len(bodies) >= 9
    for body in bodies:
        assert model.model_validate(laid_over(base, body)), body
