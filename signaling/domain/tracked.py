"""A dictionary that knows which of its keys were changed, for whoever keeps a copy of it elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Tracked(dict[K, V]):
    """Change it by `[key] = value`, `del` and `drop` only; `touch` is for values that changed themselves."""

    def __init__(self, items: Iterable[tuple[K, V]] = ()) -> None:
        super().__init__(items)
        self._changed: dict[K, None] = dict.fromkeys(self)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._changed[key] = None

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._changed[key] = None

    def drop(self, key: K) -> None:
        """Remove it if it is there."""
        if key in self:
            del self[key]

    def touch(self, key: K) -> None:
        if key in self:
            self._changed[key] = None

    def poll_changed(self) -> list[K]:
        """The keys that came, changed or went since the last call, each once."""
        changed, self._changed = self._changed, {}
        return list(changed)
