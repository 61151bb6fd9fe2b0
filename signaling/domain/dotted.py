"""Objects within objects as leaves under dotted keys: `recording_config.max_seconds`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def lock_of(path: str, locked: Collection[str]) -> str | None:
    """The key, this one or one that it is in, that is locked."""
    parts = path.split(".")
    prefixes = (".".join(parts[: count + 1]) for count in range(len(parts)))
    return next((one for one in prefixes if one in locked), None)


def put(values: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for key in above:
        values = values.setdefault(key, {})
    values[last] = value


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key that such an object may have, objects as well as leaves."""
    for name, info in model.model_fields.items():
        yield prefix + name
        for inner in _models_in(info.annotation):
            yield from keys_of(inner, f"{prefix}{name}.")


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    options = getattr(annotation, "__args__", (annotation,))
    return [one for one in options if isinstance(one, type) and issubclass(one, BaseModel)]
