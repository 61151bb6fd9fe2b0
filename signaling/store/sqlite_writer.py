"""The one connection that writes to SQLite: whose turn it is, and what is committed together.

    unit 1   BEGIN IMMEDIATE, statements, commit() ─ waits
    unit 2                                           SAVEPOINT, statements, commit() ─ waits
    unit 3                                                          SAVEPOINT, fails, back to there ─ waits
    thread                                                                               COMMIT: all go on

Most of what a small change costs on a disk is waiting for it. So a unit that is done hands the turn on where
somebody waits for it, and what has come together is committed at once: what queued while the disk was busy
with the commit before, and then what comes in the same turn of the loop. Who is alone waits for nobody.

Units see what those before them did in the same transaction, which is not on the disk yet. So whoever saw any
of that waits for the common COMMIT, also who changes nothing or fails: its answer may follow from it. If the
COMMIT fails, it fails for all of them, and none of them has done anything.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from signaling.errors import ContendedError, StoreUnavailableError

QUEUE_SECONDS: Final = 30.0
"""How long a unit waits for those of this process."""
MAX_TOGETHER: Final = 64
"""Units in one transaction."""
MAX_SECONDS: Final = 0.01
"""After which nobody joins a transaction any more: for so long its first unit may wait for others."""

Outcome = asyncio.Future[Exception | None]
"""None: it is committed."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    turn: asyncio.Future[None]
    alone: bool


class Writer:
    """A unit has its turn from `turn` to `joined` or `undo`, and the connection for itself meanwhile."""

    def __init__(self, connect: Callable[[], Connection], executor: Executor | None) -> None:
        """`executor`: where to wait; None: nowhere, as in memory."""
        self._connect = connect
        self._executor = executor
        self._connection: Connection | None = None
        self._free = True
        """Whether nobody has a turn, nobody waits for one, and nothing is being committed."""
        self._queue: deque[_Waiting] = deque()
        self._together: list[Outcome] = []
        """Of who has done its part of the transaction that is open."""
        self._opened = 0.0
        self._in_company = False
        """Whether there were several in the last one."""

    @property
    def connection(self) -> Connection:
        """Connects on first use."""
        if self._connection is None:
            connection = self._connect()
            # At the end of a unit it would roll back what others did as well.
            assert connection.dialect.skip_autocommit_rollback, "SQLAlchemy ends no transaction here"
            self._connection = connection
        return self._connection

    @property
    def shared(self) -> bool:
        """Whether the transaction has changes of other units already."""
        return bool(self._together)

    async def turn(self, *, alone: bool = False) -> None:
        """`alone`: what is open is committed before. Raises `StoreUnavailableError` where others do not
        end."""
        was_free, self._free = self._free, False
        if was_free and not (alone and self._together):
            return
        waiting = _Waiting(asyncio.get_running_loop().create_future(), alone)
        self._queue.append(waiting)
        if was_free:
            self._commit()
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await waiting.turn
        except BaseException as error:
            if waiting.turn.done() and not waiting.turn.cancelled():
                self._go_on()  # the turn came as nobody waited for it any more
            if isinstance(error, TimeoutError):
                raise StoreUnavailableError from None
            raise

    def joined(self, *, alone: bool = False) -> Outcome:
        """Whose turn it is has done its part, and is committed with the others. `alone`: with nobody."""
        outcome = self._share()
        if alone:
            self._commit()
        else:
            self._go_on()
        return outcome

    def undo(self, *, shared: bool) -> Outcome | None:
        """What the unit whose turn it is did, and nothing else. `shared`: it began with a savepoint; then it
        saw what is not committed, and there is an outcome to wait for."""
        mine = self._connection is not None and (shared or not self._together)
        if mine and self._raw.in_transaction:
            _back(self._raw, to_savepoint=shared)
        outcome = self._share() if shared else None
        self._go_on()
        return outcome

    def in_thread(self, work: Callable[[], None]) -> asyncio.Future[None]:
        """It goes on where somebody stops waiting for it."""
        assert self._executor is not None, "in memory nothing waits"
        return asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()
        self._drop()

    @property
    def _raw(self) -> sqlite3.Connection:
        raw: Any = self.connection.connection.dbapi_connection
        driver: sqlite3.Connection = raw
        return driver

    def _share(self) -> Outcome:
        if not self._together:
            self._opened = time.monotonic()
        outcome: Outcome = asyncio.get_running_loop().create_future()
        self._together.append(outcome)
        return outcome

    def _go_on(self) -> None:
        """To the next one, or to the disk."""
        if self._connection is not None:
            self._connection.rollback()  # of SQLAlchemy's own account
        while self._queue and self._queue[0].turn.done():
            self._queue.popleft()
        if self._together and not self._raw.in_transaction:
            # What failed in one took all with it, as a full disk may. The others are to be done again.
            self._settle(ContendedError())
        elif self._together and (self._is_full() or (self._queue and self._queue[0].alone)):
            self._commit()
        elif self._queue:
            self._queue.popleft().turn.set_result(None)
        else:
            self._free = True
            if self._together:
                self._commit_soon()

    def _is_full(self) -> bool:
        return len(self._together) >= MAX_TOGETHER or time.monotonic() - self._opened >= MAX_SECONDS

    def _commit_soon(self) -> None:
        """Where there were several the last time, requests come in bunches: who comes in this turn of the
        loop is taken along. Who is alone does not wait for the loop either."""

        def commit() -> None:
            if self._free and self._together:
                self._free = False
                self._commit()

        if self._in_company and self._executor is not None:
            asyncio.get_running_loop().call_soon(commit)
        else:
            commit()

    def _commit(self) -> None:
        try:
            if self._executor is not None:
                self.in_thread(self._commit_or_undo).add_done_callback(self._committed)
                return
            self._commit_or_undo()
        except Exception as error:  # where it is closed already, that there is no thread any more
            self._settle(error)
        else:
            self._settle(None)

    def _commit_or_undo(self) -> None:
        raw = self._raw
        try:
            raw.commit()
        except BaseException:
            if raw.in_transaction:  # as a full disk leaves it
                raw.rollback()
            raise

    def _committed(self, done: asyncio.Future[None]) -> None:
        error = done.exception()
        assert error is None or isinstance(error, Exception)
        self._settle(error)

    def _settle(self, error: Exception | None) -> None:
        """Those who wait go on in the order in which they had their turns, and before the next one."""
        together, self._together = self._together, []
        self._in_company = len(together) > 1
        for outcome in together:
            if not outcome.done():  # who stopped waiting has cancelled it
                outcome.set_result(error)
        if error is not None and self._connection is not None and self._raw.in_transaction:
            self._drop()  # it could not even be rolled back
        self._go_on()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _back(raw: sqlite3.Connection, *, to_savepoint: bool) -> None:
    if not to_savepoint:
        raw.rollback()
        return
    try:
        raw.execute("ROLLBACK TO unit")
        raw.execute("RELEASE unit")
    except sqlite3.Error:
        raw.rollback()
