"""SQLite: statements run in the loop; what waits, for the disk or for another process, in a thread.

A statement of ours takes SQLite some 20 µs, less than a fraction of a trip to a thread and back. So
SQLAlchemy is used here without its asyncio, on connections that are kept. Only what waits is left to the
thread: a commit, for the disk, and the beginning of a transaction while another process writes.

There is one connection that writes. Its transactions begin with BEGIN IMMEDIATE and queue for it in the order
they came: each sees a settled state, and none fails half-way because another wrote first. Those that only
read have connections of their own: with a write-ahead log they see what was committed last, and wait for
nobody. synchronous=FULL makes what was committed survive the process and the machine.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Engine,
    Executable,
    NullPool,
    ScalarResult,
    create_engine,
    event,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError

from signaling.errors import StoreUnavailableError
from signaling.store.prepared import Prepared

T = TypeVar("T")

DRIVER: Final = "sqlite+pysqlite"
WAIT_MS: Final = 5000
"""How long a transaction waits, in the thread, for another process that writes."""
QUEUE_SECONDS: Final = 30.0
"""How long for those of this process."""
MAX_KEPT: Final = 4
"""Connections that nobody reads from at the moment."""


class SqliteSource:
    """Connects on first use. Implements `signaling.store.connection.Source`."""

    def __init__(self, engine: Engine, *, executor: Executor | None, only: bool = False) -> None:
        """`executor`: where to wait; None: nowhere, as in memory. `only`: there is one connection for
        everything, for the database is gone with it."""
        self._engine = engine
        self._executor = executor
        self._only = only
        self._queue = asyncio.Lock()
        self._writer: Connection | None = None
        self._readers: list[Connection] = []
        """Those that nobody uses."""

    @classmethod
    def of(cls, url: URL) -> SqliteSource:
        in_memory = not url.database or url.database == ":memory:"
        if url.database and not in_memory:
            _create_private(Path(url.database))
        engine = create_engine(
            url,
            poolclass=NullPool,
            # isolation_level: transactions are begun by us, not by the driver's guess.
            connect_args={"isolation_level": None, "check_same_thread": False},
        )
        event.listen(engine, "connect", prepare_connection)
        executor = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        return cls(engine, executor=executor, only=in_memory)

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    async def begin(self, *, reading: bool = False, apart: bool = False) -> SqliteTransaction:
        """Nothing is executed yet. Raises `StoreUnavailableError` when others do not end."""
        if reading and not self._only:
            connection = self._readers.pop() if self._readers else self._engine.connect()
            return SqliteTransaction(connection, None if apart else "BEGIN", None, self._keep)
        await self._turn()
        try:
            if self._writer is None:
                self._writer = self._engine.connect()
        except BaseException:
            self._queue.release()
            raise
        begin = "BEGIN" if reading else "BEGIN IMMEDIATE"
        return SqliteTransaction(self._writer, begin, self._executor, self._next)

    async def run(self, work: Callable[[Connection], T]) -> T:
        transaction = await self.begin()
        try:
            done = await transaction.run(work)
            await transaction.commit()
            return done
        finally:
            await transaction.close()

    async def close(self) -> None:
        self.dispose()

    def dispose(self) -> None:
        for connection in self._readers:
            connection.close()
        self._readers.clear()
        if self._executor is not None:
            self._executor.shutdown()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._engine.dispose()

    async def _turn(self) -> None:
        if not self._queue.locked():
            await self._queue.acquire()
            return
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._queue.acquire()
        except TimeoutError:
            raise StoreUnavailableError from None

    def _next(self, _: Connection) -> None:
        self._queue.release()

    def _keep(self, connection: Connection) -> None:
        if len(self._readers) < MAX_KEPT:
            self._readers.append(connection)
        else:
            connection.close()


class SqliteTransaction:
    """Implements `signaling.store.connection.Transaction`. It begins with its first statement. Its connection
    is for nobody else until `close`, and then until the thread is done with it: that goes on where somebody
    stops waiting for it."""

    __slots__ = ("_away", "_begin", "_connection", "_dialect", "_executor", "_raw", "_release")

    def __init__(
        self,
        connection: Connection,
        begin: str | None,
        executor: Executor | None,
        release: Callable[[Connection], None],
    ) -> None:
        """`begin` None: each statement is by itself."""
        raw: Any = connection.connection.dbapi_connection
        self._connection = connection
        self._raw: sqlite3.Connection = raw
        self._dialect = connection.dialect
        self._begin = begin
        self._executor = executor
        self._release = release
        self._away: asyncio.Future[Any] | None = None
        """What was given to the thread last."""

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    @property
    def invalidated(self) -> bool:
        return False

    async def rows(self, statement: Prepared, values: Mapping[str, Any]) -> list[list[Any]]:
        if not self._raw.in_transaction:
            await self._begun()
        printed = statement.on(self._dialect)
        try:
            return printed.read(self._raw.execute(printed.text, printed.bound(values)))
        except sqlite3.IntegrityError as error:
            raise IntegrityError(printed.text, None, error, hide_parameters=True) from error

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]:
        if not self._raw.in_transaction:
            await self._begun()
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return (await self.execute(statement, parameters)).scalars()

    async def run(self, work: Callable[[Connection], T]) -> T:
        if not self._raw.in_transaction:
            await self._begun()
        return work(self._connection)

    async def commit(self) -> None:
        if not self._raw.in_transaction:
            return
        try:
            await self._wait_for(self._raw.commit)
        except Exception:
            # A full disk leaves it open, and nobody else would end it before the next one begins.
            self._raw.rollback()
            raise

    async def close(self) -> None:
        if self._away is None or self._away.done():
            self._end()
        else:
            self._away.add_done_callback(self._late)

    async def _begun(self) -> None:
        if self._begin is None:
            return
        try:
            self._raw.execute(self._begin)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            await self._wait_for(self._begin_waiting)

    def _begin_waiting(self) -> None:
        assert self._begin is not None
        self._raw.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        try:
            self._raw.execute(self._begin)
        finally:
            self._raw.execute("PRAGMA busy_timeout=0")

    async def _wait_for(self, work: Callable[[], None]) -> None:
        if self._executor is None:
            work()
            return
        self._away = asyncio.get_running_loop().run_in_executor(self._executor, work)
        await asyncio.shield(self._away)

    def _late(self, away: asyncio.Future[Any]) -> None:
        """Nobody waits for it any more."""
        if not away.cancelled():
            away.exception()
        self._end()

    def _end(self) -> None:
        self._connection.rollback()
        if self._raw.in_transaction:
            self._raw.rollback()
        self._release(self._connection)


def prepare_connection(connection: sqlite3.Connection, _record: object = None) -> None:
    """Of a new connection, what every transaction relies on."""
    for pragma in (
        f"busy_timeout={WAIT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=0",  # from here on, who has to wait does so in the thread
    ):
        connection.execute(f"PRAGMA {pragma}")


def _create_private(path: Path) -> None:
    """Make the file ours alone before SQLite makes it everybody's; its -wal and -shm take the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
