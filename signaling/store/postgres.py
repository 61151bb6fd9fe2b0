"""PostgreSQL: a pool of connections, on which transactions run side by side.

At isolation level SERIALIZABLE each sees what it would see if it ran alone, or fails and is run again
(`signaling.services.transaction`). Those that only read do so at REPEATABLE READ, where nothing fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

T = TypeVar("T")

_OPTIONS: Final = {
    "pool_size": 10,
    "max_overflow": 10,
    "pool_timeout": 30,
    "pool_recycle": 1800,
    "isolation_level": "SERIALIZABLE",
    "connect_args": {
        "timeout": 10,
        "command_timeout": 30,
        "server_settings": {"application_name": "rostrum", "idle_in_transaction_session_timeout": "30000"},
    },
}
"""Seconds, but for the last one: that many milliseconds after a process hung within a transaction, what it
keeps others from is free again."""
TRUSTED_FOR = 1.0
"""Seconds for which a connection is taken to be there after it was last used. One that is older is asked, and
replaced where the server or the network ended it meanwhile."""
_LAST_USED: Final = "rostrum last used"


class PostgresSource:
    """Not connected yet. Implements `signaling.store.connection.Source`."""

    def __init__(self, url: URL) -> None:
        self._writing = create_async_engine(url, **_OPTIONS)
        _ask_after_a_pause(self._writing)
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


def _ask_after_a_pause(engine: AsyncEngine) -> None:
    """To ask each time, as `pool_pre_ping` does, is a sixth of what a small unit of work costs."""
    dialect = engine.dialect

    def look(connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        last = record.info.get(_LAST_USED)
        if last is None or time.monotonic() - last < TRUSTED_FOR:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error

    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_LAST_USED] = time.monotonic()

    event.listen(engine.sync_engine, "checkout", look)
    event.listen(engine.sync_engine, "checkin", note)


async def _begun(engine: AsyncEngine) -> AsyncConnection:
    connection = await engine.connect()
    try:
        await connection.begin()
    except BaseException:
        await connection.close()
        raise
    return connection
