"""SQLite: statements run in the loop; what waits, for the disk or for another process, in a thread.

A statement of ours takes SQLite some 20 µs, less than a fraction of a trip to a thread and back. So
SQLAlchemy is used here without its asyncio, on connections that are kept. Only what waits is left to the
thread: a commit, for the disk, and the beginning of a transaction while another process writes.

There is one connection that writes (`signaling.store.sqlite_writer`). Units queue for it in the order they
came: each sees a settled state, and none fails half-way because another wrote first. Those that wait at the
same time are committed together. Those that only read have connections of their own: with a write-ahead log
they see what was committed last, and wait for nobody. synchronous=FULL makes what was committed survive the
process and the machine.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import Dialect

from signaling.store.sqlite_transactions import WAIT_MS, SqliteReading, SqliteTransaction, SqliteUnit
from signaling.store.sqlite_writer import Writer

T = TypeVar("T")

DRIVER: Final = "sqlite+pysqlite"
OF_DIALECT: Final[dict[str, Any]] = {"skip_autocommit_rollback": True}
"""Of the engine: transactions are begun and ended by us, not where SQLAlchemy thinks that one is over."""
MAX_KEPT: Final = 4
"""Connections that nobody reads from at the moment."""


class SqliteSource:
    """Connects on first use. Implements `signaling.store.connection.Source`."""

    def __init__(self, engine: Engine, *, executor: Executor | None, only: bool = False) -> None:
        """`engine`: with `OF_DIALECT`. `executor`: where to wait; None: nowhere, as in memory. `only`: there
        is one connection for everything, for the database is gone with it."""
        self._engine = engine
        self._only = only
        self._writer = Writer(engine.connect, executor)
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
            **OF_DIALECT,
        )
        event.listen(engine, "connect", prepare_connection)
        executor = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        return cls(engine, executor=executor, only=in_memory)

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    async def begin(
        self, *, reading: bool = False, apart: bool = False, alone: bool = False
    ) -> SqliteTransaction:
        """Nothing is executed yet. Raises `StoreUnavailableError` when others do not end."""
        if reading and not self._only:
            connection = self._readers.pop() if self._readers else self._engine.connect()
            return SqliteReading(connection, self._keep, apart=apart)
        await self._writer.turn(alone=alone)
        try:
            return SqliteUnit(self._writer, "BEGIN" if reading else "BEGIN IMMEDIATE", alone=alone)
        except BaseException:
            self._writer.undo(shared=False)
            raise

    async def run(self, work: Callable[[Connection], T]) -> T:
        transaction = await self.begin(alone=True)
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
        self._writer.close()
        self._engine.dispose()

    def _keep(self, connection: Connection) -> None:
        if len(self._readers) < MAX_KEPT:
            self._readers.append(connection)
        else:
            connection.close()


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
