"""Lists: filters, order, pages and totals, built in one place for all of them.

Rows that are alike in what a list is sorted by come in the order of their keys, so that no page has what
another has. A page is cut from an index alone, and only its rows are looked up: a page far behind costs the
walk over the index, not over what was passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, CursorResult, Select, Table, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from signaling.domain.listing import Page
from signaling.domain.time_range import TimeRange
from signaling.store.connection import Statements

T = TypeVar("T")
Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """Of the rows of one table, read as values. `key` is the table's primary key."""

    table: Table
    key: Column[Any]
    read: Callable[[Mapping[str, Any]], T]

    async def page(
        self,
        db: Statements,
        where: Iterable[Condition],
        by: ColumnElement[Any],
        page: Page,
        *,
        descending: bool = True,
    ) -> tuple[Sequence[T], int]:
        """One page, and how many there are on all of them."""
        conditions = tuple(where)
        total: int = (await db.execute(self.count(conditions))).scalar_one()
        if page.offset >= total:
            return [], total
        rows = await db.execute(self.query(conditions, by, page, descending=descending))
        return self._read_all(rows), total

    async def of_each(
        self,
        db: Statements,
        where: Iterable[Condition],
        group: Column[Any],
        by: ColumnElement[Any],
        *,
        each: int,
    ) -> Sequence[T]:
        """The last `each` of every group, the last first."""
        place = func.row_number().over(partition_by=group, order_by=(by.desc(), self.key.desc()))
        numbered = select(self.key.label("key"), place.label("place")).where(*where).subquery("numbered")
        query = (
            select(self.table)
            .join(numbered, self.key == numbered.c.key)
            .where(numbered.c.place <= each)
            .order_by(by.desc(), self.key.desc())
        )
        return self._read_all(await db.execute(query))

    def _read_all(self, rows: CursorResult[*tuple[Any, ...]]) -> list[T]:
        """SQLAlchemy's own mappings look for each value by its name."""
        names = tuple(rows.keys())
        return [self.read(dict(zip(names, row, strict=True))) for row in rows.all()]

    def count(self, where: Sequence[Condition]) -> Select[int]:
        return select(func.count()).select_from(self.table).where(*where)

    def query(
        self, where: Sequence[Condition], by: ColumnElement[Any], page: Page, *, descending: bool
    ) -> Select[Any]:
        order = [one.desc() if descending else one.asc() for one in (by, self.key)]
        cut = select(self.key.label("key")).where(*where).order_by(*order)
        keys = cut.offset(page.offset).limit(page.limit).subquery("page")
        return select(self.table).join(keys, self.key == keys.c.key).order_by(*order)


def within(column: ColumnElement[Any], span: TimeRange) -> Iterator[Condition]:
    if span.since is not None:
        yield column >= span.since
    if span.until is not None:
        yield column < span.until


def matching(text: str, *, part_of: Column[Any], equal_to: Iterable[Column[Any]]) -> Condition:
    """What people type to find something: a part of its name in any case, or one of its ids."""
    return or_(
        part_of.icontains(text, autoescape=True),
        *(column == text for column in equal_to),
    )
