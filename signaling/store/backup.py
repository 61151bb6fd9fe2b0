"""The embedded database as one file, and back.

A copy is made by SQLite's own means, in one step: it has one state of everything, whatever is committed
meanwhile, and nobody who writes waits for it. What is put back is looked at first, copied beside the database
and takes its place by a rename, so that at every moment one of the two is there as a whole.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from signaling.errors import InvalidInputError
from signaling.store.database import parse_url
from signaling.store.migrate import HEAD

_BUSY_MS: Final = 5000
_SIDES: Final = ("-wal", "-shm")


def file_of(url: str) -> Path:
    """Raises `InvalidInputError` for what is not a file of SQLite's."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise InvalidInputError(
            "--database-url: this is for the embedded database (SQLite); for PostgreSQL there is pg_dump"
        )
    return Path(parsed.database)


def back_up(database: Path, target: Path) -> str:
    """Its revision. The database may be in use; `target` must not be there. Raises `InvalidInputError`."""
    if not database.is_file():
        raise InvalidInputError(f"there is no database {database}; name its folder with --data-dir")
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise InvalidInputError(f"{target} is there already; name another file") from None
    except OSError as error:
        raise InvalidInputError(f"cannot write {target}: {error.strerror}") from None
    try:
        _copy(database, target)
        return verified(target)
    except BaseException:
        target.unlink()
        raise


def restore(backup: Path, database: Path, *, replace: bool) -> str:
    """Its revision. Nobody may have the database open: the caller holds the data directory.

    With `replace` a database that is there is put aside, under the name that ends in `.replaced`. Raises
    `InvalidInputError`.
    """
    revision = verified(backup)
    aside = database.with_name(database.name + ".replaced")
    if database.exists():
        if not replace:
            raise InvalidInputError(
                f"{database} is there already; with --replace it is kept as {aside.name} and replaced"
            )
        _settle(database)
    fresh = database.with_name(database.name + ".restoring")
    with suppress(FileNotFoundError):
        fresh.unlink()
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _copy(backup, fresh)
        verified(fresh)
        if database.exists():
            with suppress(FileNotFoundError):
                aside.unlink()
            os.link(database, aside)
        fresh.replace(database)
    except BaseException:
        with suppress(FileNotFoundError):
            fresh.unlink()
        raise
    _sync(database.parent)
    return revision


def verified(path: Path) -> str:
    """The revision of a database that is sound. Raises `InvalidInputError` for anything else."""
    if not path.is_file():
        raise InvalidInputError(f"there is no file {path}")
    try:
        with closing(_opened(path)) as connection:
            unsound = [row[0] for row in connection.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.DatabaseError, TypeError) as error:
        raise InvalidInputError(f"{path} is not a database of this program: {error}") from None
    if unsound or orphans:
        raise InvalidInputError(f"{path} is damaged: {unsound[0] if unsound else 'rows refer to nothing'}")
    if revision > HEAD:
        raise InvalidInputError(
            f"{path} has schema revision {revision}, which this version ({HEAD}) does not know: upgrade first"
        )
    return str(revision)


def _copy(source: Path, target: Path) -> None:
    """Into a file that is there and empty."""
    try:
        with closing(_opened(source)) as from_, closing(sqlite3.connect(target)) as to:
            from_.backup(to)
            to.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise InvalidInputError(f"cannot copy {source} to {target}: {error}") from None
    _sync(target)


def _settle(database: Path) -> None:
    """What its log has goes into the file, and the log away."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise InvalidInputError(f"{database} cannot be read ({error}): move it away yourself") from None
    left = [side for side in _SIDES if database.with_name(database.name + side).exists()]
    if left:
        raise InvalidInputError(f"{database} is in use: stop what uses it first")


def _opened(path: Path) -> sqlite3.Connection:
    """To be read."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    return connection


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
