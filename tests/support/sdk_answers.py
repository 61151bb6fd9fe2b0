"""Whether an answer fills the model that a vendor's SDK declares for it.

The SDKs do not validate: a field that is missing or of another type is found only where somebody uses it.
`assert_fills` validates the body that came over the wire against the model, strictly (a number is no text, a
text no number), and asks that every field which the model declares is in the body, also the optional ones,
but for those that it is told of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError


def assert_fills(model: type[BaseModel], body: bytes, *, but: Collection[str] = ()) -> None:
    """`but` are paths of fields that the body does not have, "data.participant.peer_report"; lists add
    nothing to a path. Raises `AssertionError` also for one of them that the body does have."""
    try:
        filled = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise AssertionError(f"{model.__name__} cannot take {body.decode()}: {error}") from None
    missing = set(_left_out(filled, ""))
    assert missing == set(but), (
        f"{model.__name__}: left out and not said to be: {sorted(missing - set(but))}; said to be left out "
        f"and there: {sorted(set(but) - missing)}; in {body.decode()}"
    )


def _left_out(value: Any, path: str) -> Iterator[str]:
    match value:
        case BaseModel():
            for name, field in type(value).model_fields.items():
                below = f"{path}.{field.alias or name}".lstrip(".")
                if name in value.model_fields_set:
                    yield from _left_out(getattr(value, name), below)
                else:
                    yield below
        case list():
            for item in value:
                yield from _left_out(item, path)
        case dict():
            for item in value.values():
                yield from _left_out(item, path)
