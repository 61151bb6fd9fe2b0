"""PostgreSQL: a pool of connections, on which transactions run side by side.

At isolation level SERIALIZABLE each sees what it would see if it ran alone, or fails and is run again
(`signaling.services.transaction`). Those that only read do so at REPEATABLE READ, where nothing fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

T = TypeVar("T")

DRIVER: Final = "postgresql+asyncpg"
_OPTIONS: Final = {
    "pool_size": 10,
    "max_overflow": 10,
    "pool_timeout": 30,
    "pool_recycle": 1800,
    "pool_pre_ping": True,
    "isolation_level": "SERIALIZABLE",
    "connect_args": {
        "timeout": 10,
        "command_timeout": 30,
        "server_settings": {"application_name": "rostrum", "idle_in_transaction_session_timeout": "30000"},
    },
}
"""Seconds, but for the last one: that many milliseconds after a process hung within a transaction, what it
keeps others from is free again. A connection that the server or the network ended is replaced when it is
taken from the pool."""


class PostgresSource:
    """Not connected yet. Implements `signaling.store.connection.Source`."""

    def __init__(self, url: URL) -> None:
        self._writing = create_async_engine(url, **_OPTIONS)
        self._reading = self._writing.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @property
    def dialect(self) -> Dialect:
        return self._writing.dialect

    async def begin(self, *, reading: bool = False) -> AsyncConnection:
        return await _begun(self._reading if reading else self._writing)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """At READ COMMITTED, which shows what others committed while this waited for a lock."""
        async with self._writing.connect() as connection:
            await connection.execution_options(isolation_level="READ COMMITTED")
            async with connection.begin():
                return await connection.run_sync(work)

    async def close(self) -> None:
        await self._writing.dispose()


async def _begun(engine: AsyncEngine) -> AsyncConnection:
    connection = await engine.connect()
    try:
        await connection.begin()
    except BaseException:
        await connection.close()
        raise
    return connection
