"""Transactions on SQLite: one that only reads, on a connection of its own, and one that has a turn with the
connection that writes (`signaling.store.sqlite_writer`)."""

from __future__ import annotations

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, ScalarResult
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError

from signaling.errors import StoreUnavailableError
from signaling.store.prepared import Prepared
from signaling.store.sqlite_writer import Outcome, Writer

T = TypeVar("T")

WAIT_MS: Final = 5000
"""How long a transaction waits, in the thread, for another process that writes."""
_UNDONE: Final = (
    "The database undid what was being written: its disk may be full. Nothing was done; try again in some "
    "seconds."
)


class SqliteTransaction(ABC):
    """Implements `signaling.store.connection.Transaction`. It begins with its first statement."""

    __slots__ = ("_begun", "_connection", "_dialect", "_raw")

    def __init__(self, connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        self._connection = connection
        self._raw: sqlite3.Connection = raw
        self._dialect = connection.dialect
        self._begun = False

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    @property
    def invalidated(self) -> bool:
        return False

    async def rows(self, statement: Prepared, values: Mapping[str, Any]) -> list[list[Any]]:
        if not self._begun or not self._raw.in_transaction:
            await self._ready()
        printed = statement.on(self._dialect)
        try:
            return printed.read(self._raw.execute(printed.text, printed.bound(values)))
        except sqlite3.IntegrityError as error:
            raise IntegrityError(printed.text, None, error, hide_parameters=True) from error

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]:
        if not self._begun or not self._raw.in_transaction:
            await self._ready()
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return (await self.execute(statement, parameters)).scalars()

    async def run(self, work: Callable[[Connection], T]) -> T:
        if not self._begun or not self._raw.in_transaction:
            await self._ready()
        done = work(self._connection)
        self._begun = self._raw.in_transaction  # alembic commits by itself
        return done

    @abstractmethod
    async def commit(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    async def _ready(self) -> None:
        """Begins, unless it was begun and is there no more."""
        if self._begun:
            raise StoreUnavailableError(_UNDONE)
        await self._begin()

    @abstractmethod
    async def _begin(self) -> None: ...


class SqliteReading(SqliteTransaction):
    """It keeps nobody waiting, and waits for nobody."""

    __slots__ = ("_apart", "_keep")

    def __init__(self, connection: Connection, keep: Callable[[Connection], None], *, apart: bool) -> None:
        """`apart`: each statement is by itself."""
        super().__init__(connection)
        self._keep = keep
        self._apart = apart

    async def commit(self) -> None:
        self._raw.commit()
        self._begun = False

    async def close(self) -> None:
        self._connection.rollback()  # of SQLAlchemy's own account
        if self._raw.in_transaction:
            self._raw.rollback()
        self._keep(self._connection)

    async def _begin(self) -> None:
        if not self._apart:
            self._raw.execute("BEGIN")
            self._begun = True


class SqliteUnit(SqliteTransaction):
    """One with a turn, which it gives back as it is committed or closed. What was given to the thread is
    carried out where somebody stops waiting for it, and nobody else has a turn before it is."""

    __slots__ = ("_alone", "_away", "_how", "_mine", "_shared", "_writer")

    def __init__(self, writer: Writer, how: str, *, alone: bool) -> None:
        """`how` it begins where it is the first."""
        super().__init__(writer.connection)
        self._writer = writer
        self._how = how
        self._alone = alone
        self._mine = True
        """Whether it has its turn still."""
        self._shared = False
        self._away: asyncio.Future[None] | None = None
        """What was given to the thread last."""

    async def commit(self) -> None:
        if not self._begun:
            return
        if not self._raw.in_transaction:
            raise StoreUnavailableError(_UNDONE)
        if self._shared:
            self._raw.execute("RELEASE unit")
        self._mine = False
        _check(await self._writer.joined(alone=self._alone))

    async def close(self) -> None:
        """Raises what the common commit raises, if this has seen what others did that was never committed."""
        if self._away is not None and not self._away.done():
            self._away.add_done_callback(self._late)
        elif self._mine and (outcome := self._undo()) is not None:
            _check(await outcome)

    async def _begin(self) -> None:
        assert self._mine, "it is committed"
        if self._writer.shared:
            self._raw.execute("SAVEPOINT unit")
            self._shared = True
        else:
            await self._begin_first()
        self._begun = True

    async def _begin_first(self) -> None:
        try:
            self._raw.execute(self._how)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            self._away = self._writer.in_thread(self._begin_waiting)
            await asyncio.shield(self._away)

    def _begin_waiting(self) -> None:
        self._raw.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        try:
            self._raw.execute(self._how)
        finally:
            self._raw.execute("PRAGMA busy_timeout=0")

    def _late(self, away: asyncio.Future[None]) -> None:
        """Nobody waits for it any more."""
        if not away.cancelled():
            away.exception()
        self._undo()

    def _undo(self) -> Outcome | None:
        self._mine = False
        return self._writer.undo(shared=self._shared)


def _check(error: Exception | None) -> None:
    if error is not None:
        raise error
