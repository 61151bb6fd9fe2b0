"""Whatever units that write at the same time do and whatever becomes of them: who was told that it is done
has done it, who was told that it is not has not, and each saw what those before it left."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import MonkeyPatch
from sqlalchemy import text

from signaling.store import sqlite_writer
from signaling.store.database import Database, sqlite_url
from signaling.testing.store import statements
from tests.signaling.store.test_sqlite_writer import TABLES, Failed, count, db_of, insert


class Ending(Enum):
    COMMITTED = auto()
    FAILED = auto()
    LEFT = auto()
    """Without a commit, and without an error."""
    UNDONE = auto()
    """By the database, with whatever is in the same transaction."""
    REFUSED = auto()
    """By COMMIT, with whatever is in the same transaction."""
    CANCELLED = auto()


@dataclass(frozen=True, slots=True)
class Unit:
    ending: Ending
    rows: int
    alone: bool
    after: int
    """Turns of the loop before it begins, and before it is cancelled."""


UNITS = st.builds(
    Unit,
    ending=st.sampled_from(
        [Ending.COMMITTED] * 4
        + [Ending.FAILED] * 2
        + [Ending.LEFT, Ending.UNDONE, Ending.REFUSED, Ending.CANCELLED]
    ),
    rows=st.integers(0, 3),
    alone=st.booleans() | st.just(False) | st.just(False),
    after=st.integers(0, 6),
)
AT_ONCE = st.lists(UNITS, min_size=1, max_size=10)


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.committed: set[int] = set()
        self.unknown: set[int] = set()
        """Cancelled: it may have been done."""
        self.empty: set[int] = set()
        """Of those that wrote nothing there is nothing to be seen."""

    async def run(self, number: int, unit: Unit) -> None:
        for _ in range(unit.after):
            await asyncio.sleep(0)
        work = asyncio.create_task(self._work(number, unit))
        if unit.ending is Ending.CANCELLED:
            self.unknown.add(number)
            for _ in range(unit.after):
                await asyncio.sleep(0)
            work.cancel()
        try:
            done = await work
        except (Exception, asyncio.CancelledError):
            return
        if done:
            self.committed.add(number)

    async def _work(self, number: int, unit: Unit) -> bool:
        async with self.database(alone=unit.alone) as uow:
            before = await count(uow)
            for written in range(unit.rows):
                await insert(uow, number)
                assert await count(uow) == before + written + 1
            if unit.rows == 0:
                self.empty.add(number)
            if unit.ending is Ending.UNDONE:
                await insert(uow, -1)
            if unit.ending is Ending.FAILED:
                raise Failed
            if unit.ending is Ending.REFUSED:
                await db_of(uow).execute(text("insert into log (unit, parent) values (0, 99)"))
            if unit.ending is Ending.LEFT:
                return False
            await uow.commit()
        return True


@settings(max_examples=40)
@given(units=AT_ONCE, at_most=st.integers(1, 5))
def test_who_was_told_that_it_is_done_has_done_it_and_nobody_else(units: list[Unit], at_most: int) -> None:
    with tempfile.TemporaryDirectory() as folder, MonkeyPatch.context() as patch:
        patch.setattr(sqlite_writer, "MAX_TOGETHER", at_most)
        path = Path(folder) / "rostrum.db"
        world = asyncio.run(run(path, units))
        kept = read(path)
    numbers = [number for number, _ in kept]
    there = set(numbers)
    assert world.committed - world.empty <= there
    assert there <= world.committed | world.unknown
    for number in there:
        assert numbers.count(number) == units[number - 1].rows, "half of a unit is there"
    assert [seen for _, seen in kept] == list(range(len(kept))), "somebody saw what was never committed"


async def run(path: Path, units: list[Unit]) -> World:
    database = await Database.open(sqlite_url(path))
    async with statements(database) as db:
        for table in TABLES:
            await db.execute(text(table))
    world = World(database)
    async with asyncio.timeout(20):
        await asyncio.gather(*(world.run(number, unit) for number, unit in enumerate(units, 1)))
        async with database() as uow:  # nobody kept the turn
            await uow.organizations.first()
    await database.close()
    return world


def read(path: Path) -> list[tuple[int, int]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("select unit, seen from log order by seq").fetchall()
    finally:
        connection.close()
