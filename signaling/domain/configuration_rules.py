"""What a level may say: nothing that is locked above it, and of names only those that are defined. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from signaling.domain.configuration import (
    DEFINED,
    MAX_LOCKED,
    NOTHING_SAID,
    Configuration,
    Level,
    Origin,
    merged,
)
from signaling.domain.dotted import keys_of, leaves, lock_of
from signaling.domain.errors import ConfigurationLockedError, ValidationFailedError


def check_unlocked(said: Configuration, above: Iterable[Level], before: Configuration = NOTHING_SAID) -> None:
    """Raises `ConfigurationLockedError` where a level above has locked something of what is said, and was not
    said `before`: a lock that came later takes nothing back and is in nobody's way."""
    locked: dict[str, Origin] = {}
    for level in above:
        for path in level.locked:
            locked.setdefault(path, level.origin)
    known = dict(leaves(before.to_values()))
    for path, value in leaves(said.to_values()):
        lock = lock_of(path, locked)
        if lock is not None and known.get(path) != value:
            raise ConfigurationLockedError(f"{path} is locked by the {locked[lock]}.", field=path)


def check_defined(said: Configuration, levels: Sequence[Level], before: Configuration = NOTHING_SAID) -> None:
    """That what is chosen by name is there, in one of the levels, its own included. Raises
    `ValidationFailedError` for one that was not said `before`."""
    for one, defined in DEFINED.items():
        name = getattr(said, one)
        if name is None or name == getattr(before, one):
            continue
        if name not in merged(levels)[0].get(defined, {}):
            raise ValidationFailedError(
                f"{one}: there is no {one} {name!r}. Say it in {defined!r} of the configuration of the "
                "organization or of a unit first.",
                field=one,
            )


def check_lockable(paths: Sequence[str]) -> None:
    """Raises `ValidationFailedError` for what is no key."""
    if len(paths) > MAX_LOCKED:
        raise ValidationFailedError(f"locked: at most {MAX_LOCKED} keys", field="locked")
    for path in paths:
        if path not in known_keys():
            raise ValidationFailedError(f"locked: there is no key {path!r}", field="locked")


@cache
def known_keys() -> frozenset[str]:
    """Every key, dotted, objects as well as leaves."""
    return frozenset(keys_of(Configuration))
