"""SQLite's driver with one trip to its thread for a statement, instead of one for each call of the cursor.

aiosqlite keeps a connection in a thread of its own, and every call is a trip there and back: making a cursor,
executing, fetching, closing. A trip costs more than most of our statements, so here all four are one, and
the rows come back with it. A transaction begins with its first statement, in the same trip: `begin` only says
how. Otherwise this is the adapter of SQLAlchemy that it is based on.
"""

from __future__ import annotations

import collections
import sqlite3
from typing import Any, Final

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """What a statement left is kept here; there is no cursor in the thread any more."""

    __slots__ = ("_description", "_lastrowid", "_rowcount")
    _adapt_connection: OneTripConnection

    def __init__(self, connection: OneTripConnection) -> None:
        self._adapt_connection = connection
        self._connection = connection._connection
        self._rows = collections.deque()
        self._description: Any = None
        self._rowcount = -1
        self._lastrowid: int | None = None

    @property
    def description(self) -> Any:
        return self._description

    @property
    def rowcount(self) -> int:
        return self._rowcount

    @property
    def lastrowid(self) -> Any:
        return self._lastrowid

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        async with self._adapt_connection._execute_mutex:
            await self._trip(_execute, operation, () if parameters is None else parameters)
        return self

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        async with self._adapt_connection._execute_mutex:
            await self._trip(_execute_many, operation, seq_of_parameters)

    async def _trip(self, work: Any, operation: Any, parameters: Any) -> None:
        driver: Any = self._connection
        begin = self._adapt_connection.poll_begin()
        done = await driver._execute(work, driver._conn, begin, operation, parameters)
        self._description, self._rowcount, self._lastrowid, rows = done
        self._rows = collections.deque(rows)

    async def _async_soft_close(self) -> None:
        """There is nothing to close."""

    def close(self) -> None:
        self._rows.clear()


def _execute(
    connection: sqlite3.Connection, begin: str | None, operation: str, parameters: Any
) -> tuple[Any, ...]:
    if begin is not None:
        connection.execute(begin)
    return _taken_from(connection.execute(operation, parameters))


def _execute_many(
    connection: sqlite3.Connection, begin: str | None, operation: str, parameters: Any
) -> tuple[Any, ...]:
    if begin is not None:
        connection.execute(begin)
    return _taken_from(connection.executemany(operation, parameters))


def _taken_from(cursor: sqlite3.Cursor) -> tuple[Any, ...]:
    """What a cursor has to say; it is closed here, in its thread."""
    rows = cursor.fetchall() if cursor.description else ()
    taken = cursor.description, cursor.rowcount, cursor.lastrowid, rows
    cursor.close()
    return taken


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ("_begun", "begin")
    _cursor_cls: Any = _Cursor

    def __init__(self, driver: Any, connection: Any) -> None:
        super().__init__(driver, connection)
        self.begin: str | None = None
        """The statement that the transaction begins with, until it has begun."""
        self._begun = False

    def poll_begin(self) -> str | None:
        """What the statement that is about to be executed has to be preceded by."""
        begin, self.begin = self.begin, None
        self._begun = True
        return begin

    def commit(self) -> None:
        try:
            if self._begun:
                super().commit()
        except BaseException:
            # A full disk leaves the transaction open, and nobody else would end it before the next begins.
            self.rollback()
            raise
        self.begin, self._begun = None, False

    def rollback(self) -> None:
        if self._begun:
            super().rollback()
        self.begin, self._begun = None, False


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arguments: Any, **options: Any) -> OneTripConnection:
        connection: Any = aiosqlite.connect(*arguments, **options)
        connection._thread.daemon = True
        return OneTripConnection(self, await_(connection))


DRIVER: Final = _Driver(aiosqlite, sqlite3)
"""For `create_async_engine(url, module=DRIVER)`."""
