"""From JSON to models, and what pydantic says of wrong input, in words of JSON: whoever sent it knows of no
tuple and no frozenset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from signaling.domain.errors import ValidationFailedError

_IN_JSON: Final[Mapping[str, str]] = {
    "extra_forbidden": "is not a known field",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "set_type": "should be a list",
    "frozen_set_type": "should be a list",
    "dict_type": "should be an object",
    "model_type": "should be an object",
    "model_attributes_type": "should be an object",
}
_RAISED: Final = "Value error, "
"""What pydantic puts before the words of a `ValueError`."""

M = TypeVar("M", bound=BaseModel)


def from_json(model: type[M], value: Mapping[str, Any]) -> M:
    """The model of a JSON object, with nothing taken for something else: `true` is no number, "5"
    neither, and 1 is no boolean. Raises `ValidationError`."""
    return model.model_validate_json(json.dumps(value), strict=True)


def invalid_input(error: ValidationError) -> ValidationFailedError:
    """Renders a pydantic error as ours: the first wrong field, dotted, and how many more there are."""
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    field = ".".join(str(part) for number, part in enumerate(first["loc"]) if not number or _named(part))
    reason = _reason(first["type"], first["msg"], first.get("ctx", {}))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ValidationFailedError(f"{field or 'body'}: {reason}{more}", field=field or None)


def _reason(kind: str, said: str, context: Mapping[str, Any]) -> str:
    if kind in _IN_JSON:
        return _IN_JSON[kind]
    if kind in ("too_short", "too_long"):
        # A text that is a secret has a length and no type of its own here.
        noun = "character" if context["field_type"] == "Value" else "item"
        bound = context["min_length" if kind == "too_short" else "max_length"]
        limit = f"at {'least' if kind == 'too_short' else 'most'} {bound} {noun}{'' if bound == 1 else 's'}"
        return f"should have {limit}"
    said = said.removeprefix(_RAISED)
    return said[:1].lower() + said[1:]


def _named(part: int | str) -> bool:
    """Not the kind of value, `tuple[...]`, that was tried where several are allowed."""
    return isinstance(part, int) or "[" not in part
