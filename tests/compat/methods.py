"""The methods that an SDK's resources have."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any


def methods(resource: type[Any], path: str = "") -> Iterator[str]:
    """`meetings.create`: what asks a server something, on a resource and those below it."""
    for name, member in vars(resource).items():
        if name.startswith("_") or name.startswith("with_"):
            continue
        here = f"{path}.{name}".lstrip(".")
        if inspect.isfunction(member):
            yield here
        else:
            below = getattr(member, "func", getattr(member, "fget", None))
            yield from methods(inspect.signature(below, eval_str=True).return_annotation, here)
