"""What a database has to say against a unit of work, as errors of ours.

    another unit changed what this one read or changed   -> ContendedError          the unit may be run again
    the connection is gone, refused, or nothing comes    -> StoreUnavailableError   ... later, perhaps
    the file is busy or read-only, the disk is full      -> StoreUnavailableError
    a value that no column takes                         -> InvalidInputError

What a constraint refuses is told where the statement is (`rows.insert_unique`), which knows what it means.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import asyncpg
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from signaling.errors import ContendedError, InvalidInputError, SignalingError, StoreUnavailableError

_CONTENDED: Final = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, a lock that did not come free."""
_NOT_NOW: Final = ("08", "28", "3D", "53", "57")
"""Classes of SQLSTATE: connection exception, not let in, no such database, insufficient resources, operator
intervention."""
_BAD_VALUE: Final = "22"
_SQLITE_NOT_NOW: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
)
_SQLITE_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PRIMARY: Final = 0xFF
"""Of an extended result code of SQLite, what kind it is."""

_CANNOT_BE_STORED: Final = (
    "A value in this cannot be stored: it is too long, or has characters that text may not have (NUL)."
)


def told(error: BaseException) -> SignalingError | None:
    """The error of ours that says the same; None for what is none of the database's."""
    if isinstance(error, DBAPIError):
        return _of_driver(error)
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    # The driver's own is what it raises where PostgreSQL was killed while it said something.
    if isinstance(error, PoolTimeoutError | OSError | asyncpg.InternalClientError):
        return StoreUnavailableError()
    return None


def _of_driver(error: DBAPIError) -> SignalingError | None:
    state = _sqlstate(error)
    if isinstance(error, DataError) or state.startswith(_BAD_VALUE):
        return InvalidInputError(_CANNOT_BE_STORED)
    if state in _CONTENDED:
        return ContendedError()
    if error.connection_invalidated or state.startswith(_NOT_NOW):
        return StoreUnavailableError()
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig)
    if isinstance(error, InterfaceError | OperationalError):
        return StoreUnavailableError()
    return None


def _of_sqlite(error: sqlite3.Error) -> SignalingError | None:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code in _SQLITE_BUSY:
        return StoreUnavailableError("Another process keeps the database to itself. Try again.")
    return StoreUnavailableError() if code in _SQLITE_NOT_NOW else None


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")
