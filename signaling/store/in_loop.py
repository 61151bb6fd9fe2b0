"""SQLite's driver with statements executed in the loop; what waits goes to the connection's thread.

aiosqlite keeps a connection in a thread of its own, and every call is a trip there and back, with the
interpreter's lock changing hands on each of its steps. A statement of ours takes SQLite some 20 µs, less than
a fraction of a trip. So a statement is executed where it is asked for, with all of its rows; only what waits
for something is left to the thread: a commit, for the disk, and the beginning of a transaction while another
process writes. A transaction begins with its first statement; `begin` says how. (No listener to the engine's
events does it: each statement would look for listeners to each event then.) Otherwise this is the adapter of
SQLAlchemy that it is based on.
"""

from __future__ import annotations

import collections
import sqlite3
from collections.abc import Callable
from typing import Any, Final

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_

WAIT_MS: Final = 5000
"""How long a transaction waits, in the thread, for another process that writes."""


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """What a statement left is kept here; SQLite's own cursor is closed already."""

    __slots__ = ("_description", "_lastrowid", "_rowcount")
    _adapt_connection: InLoopConnection

    def __init__(self, connection: InLoopConnection) -> None:
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
        await self._take(_execute, operation, () if parameters is None else parameters)
        return self

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        await self._take(_execute_many, operation, seq_of_parameters)

    async def _take(self, work: Callable[..., Any], operation: Any, parameters: Any) -> None:
        connection = self._adapt_connection
        await connection.begin_if_due()
        done = await connection.do(work, operation, parameters)
        self._description, self._rowcount, self._lastrowid, rows = done
        self._rows = collections.deque(rows)

    async def _async_soft_close(self) -> None:
        """There is nothing to close."""

    def close(self) -> None:
        self._rows.clear()


def _execute(connection: sqlite3.Connection, operation: str, parameters: Any) -> tuple[Any, ...]:
    return _taken_from(connection.execute(operation, parameters))


def _execute_many(connection: sqlite3.Connection, operation: str, parameters: Any) -> tuple[Any, ...]:
    return _taken_from(connection.executemany(operation, parameters))


def _taken_from(cursor: sqlite3.Cursor) -> tuple[Any, ...]:
    """What a cursor has to say."""
    rows = cursor.fetchall() if cursor.description else ()
    taken = cursor.description, cursor.rowcount, cursor.lastrowid, rows
    cursor.close()
    return taken


def _begin(connection: sqlite3.Connection, begin: str) -> None:
    connection.execute(begin)


def _begin_waiting(connection: sqlite3.Connection, begin: str) -> None:
    connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
    try:
        connection.execute(begin)
    finally:
        connection.execute("PRAGMA busy_timeout=0")


def _commit(connection: sqlite3.Connection) -> None:
    connection.commit()


def _rollback(connection: sqlite3.Connection) -> None:
    connection.rollback()


class InLoopConnection(AsyncAdapt_aiosqlite_connection):
    """Its `busy_timeout` has to be 0: nothing may wait in the loop."""

    __slots__ = ("_away", "_begun", "begin", "begins_with")
    _cursor_cls: Any = _Cursor

    def __init__(self, driver: Any, connection: Any) -> None:
        super().__init__(driver, connection)
        self.begin: str | None = None
        """The statement that the transaction begins with, until it has begun."""
        self.begins_with: str | None = None
        """Every transaction, unless it is told otherwise by `begin` before its first statement."""
        self._begun = False
        self._away = False
        """The thread has it, or had it when somebody stopped waiting for what it does there."""

    async def begin_if_due(self) -> None:
        """Before a statement: its transaction begins, if that is still to be done."""
        begin, self.begin = self.begin, None
        self._begun = True
        if begin is None:
            return
        try:
            await self.do(_begin, begin)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            await self._trip(_begin_waiting, begin)

    async def do(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Here and now; behind what the thread still does, where somebody stopped waiting for that."""
        if self._away:
            return await self._trip(work, *arguments)
        return work(self._connection._conn, *arguments)

    async def _trip(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """In the thread."""
        driver: Any = self._connection
        self._away = True
        try:
            done = await driver._execute(work, driver._conn, *arguments)
        except Exception:
            self._away = False
            raise
        self._away = False
        return done

    def commit(self) -> None:
        try:
            if self._begun:
                await_(self._trip(_commit))
        except BaseException as error:
            # A full disk leaves the transaction open, and nobody else would end it before the next begins.
            self.rollback()
            if isinstance(error, Exception):
                self._handle_exception(error)
            raise
        self.begin, self._begun = self.begins_with, False

    def rollback(self) -> None:
        if self._begun and self._connection._connection:
            try:
                await_(self.do(_rollback))
            except Exception as error:
                self._handle_exception(error)
        self.begin, self._begun = self.begins_with, False


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arguments: Any, **options: Any) -> InLoopConnection:
        connection: Any = aiosqlite.connect(*arguments, **options | {"check_same_thread": False})
        connection._thread.daemon = True
        return InLoopConnection(self, await_(connection))


DRIVER: Final = _Driver(aiosqlite, sqlite3)
"""For `create_async_engine(url, module=DRIVER)`."""
