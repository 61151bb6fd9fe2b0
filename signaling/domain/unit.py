"""Units: the teams and departments of an organization, as a tree.

Rights flow down: who administers a unit administers everything below it. A unit knows the way to it from the
top (`path`), so whether something lies within a unit is told from one value, without another look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

from signaling.domain.errors import ConflictError, LimitExceededError
from signaling.domain.version import FIRST

MAX_DEPTH: Final = 8
"""Units from the top to the lowest one, itself included."""
MAX_UNITS: Final = 5_000
"""In an organization, whatever its plan."""

UnitPath = tuple[str, ...]
"""Ids from the top of the tree to the unit, itself included."""


@dataclass(frozen=True, slots=True)
class Unit:
    id: str
    organization_id: str
    path: UnitPath
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    logo_url: str | None = None
    admin: str | None = None
    """Whom to ask, as people write it: a name or an address. Who may administer it is said by memberships."""
    version: int = FIRST

    @property
    def parent_id(self) -> str | None:
        return self.path[-2] if len(self.path) > 1 else None


@dataclass(frozen=True, slots=True)
class Branch:
    """A part of the tree: a unit and those below it, or the unit `alone`."""

    unit_id: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class UnitNode:
    """A unit with those below it."""

    unit: Unit
    children: tuple[UnitNode, ...] = field(default=())


class Limited(Protocol):
    """A caller, as far as this is concerned."""

    @property
    def unit_id(self) -> str | None: ...


def may_touch(caller: Limited, path: UnitPath | None) -> bool:
    """Whether what belongs to the unit at this path is for the caller; None: it belongs to no unit.

    Who is limited to a unit sees it and what is below it; who is not, sees everything.
    """
    return caller.unit_id is None or (path is not None and caller.unit_id in path)


def path_below(parent: Unit | None, unit_id: str) -> UnitPath:
    """Raises `LimitExceededError` where the tree would get too deep."""
    path = (*(parent.path if parent else ()), unit_id)
    if len(path) > MAX_DEPTH:
        raise LimitExceededError(f"Units go {MAX_DEPTH} deep at most. Choose a parent that is higher up.")
    return path


def moved(unit: Unit, below: Unit | None, subtree: Sequence[Unit], now: datetime) -> list[Unit]:
    """The unit and all below it, as they are once it hangs below another one (None: at the top).

    `subtree` is what lies below the unit now. Raises `ConflictError` where that would make a circle, and
    `LimitExceededError` where it would get too deep.
    """
    if below is not None and unit.id in below.path:
        raise ConflictError("A unit cannot hang below itself or one of its own. Choose another parent.")
    top = path_below(below, unit.id)
    after = [replace(unit, path=top)]
    for one in subtree:
        path = top + one.path[len(unit.path) :]
        if len(path) > MAX_DEPTH:
            raise LimitExceededError(
                f"Units go {MAX_DEPTH} deep at most, and some below this one would be deeper."
            )
        after.append(replace(one, path=path, version=one.version + 1, updated_at=now))
    return after


def as_trees(units: Iterable[Unit]) -> list[UnitNode]:
    """Those whose parent is among them below it, each level by name."""
    ordered = sorted(units, key=lambda unit: (unit.name.casefold(), unit.id))
    known = {unit.id for unit in ordered}
    children: dict[str | None, list[Unit]] = {}
    for unit in ordered:
        children.setdefault(unit.parent_id if unit.parent_id in known else None, []).append(unit)

    def nodes(parent_id: str | None) -> list[UnitNode]:
        return [UnitNode(unit, tuple(nodes(unit.id))) for unit in children.get(parent_id, ())]

    return nodes(None)
