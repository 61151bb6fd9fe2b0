"""`rostrum db`, `rostrum backup` and `rostrum restore`: the schema, and the embedded database as a file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

import click

from signaling.config import Settings
from signaling.errors import InvalidInputError
from signaling.flags import complaints, settings_of, settings_options
from signaling.preflight import lock_data_dir, prepare_data_dir
from signaling.store.backup import back_up, file_of
from signaling.store.backup import restore as put_back
from signaling.store.database import DATABASE_FILE, Database, sqlite_url
from signaling.store.migrate import HEAD
from signaling.store.revision import schema_revision

_FILE: Final = click.Path(path_type=Path, dir_okay=False)


def database_url(settings: Settings) -> str:
    return settings.database_url or sqlite_url(settings.data_dir / DATABASE_FILE)


@click.group("db")
def db() -> None:
    """Look at the database's schema, or bring it up to date."""


@db.command()
@settings_options
def current(config: Path | None, **flags: Any) -> None:
    """Print the schema's revision. Exit code 1: it is not the newest."""
    with complaints():
        revision = _revision(settings_of(flags, config))
    if revision == HEAD:
        click.echo(f"{revision} (the newest)")
        return
    click.echo(f"{revision or 'empty'} (the newest is {HEAD}: rostrum db upgrade)")
    sys.exit(1)


@db.command()
@settings_options
def upgrade(config: Path | None, **flags: Any) -> None:
    """Bring the schema up to date, as the next start of the server would."""
    with complaints():
        settings = settings_of(flags, config)
        if settings.database_url is None:
            prepare_data_dir(settings.data_dir)
        before = _revision(settings)
        asyncio.run(_upgrade(database_url(settings)))
    click.echo(f"{before or 'empty'} -> {HEAD}")


@click.command()
@settings_options
@click.argument("file", type=_FILE)
def backup(config: Path | None, file: Path, **flags: Any) -> None:
    """Write the embedded database to FILE, while the server runs or not.

    FILE holds the hashes of API keys, and the keys that sign tokens sealed: what opens them is the secret key
    in the data directory beside the database.
    """
    with complaints():
        revision = back_up(file_of(database_url(settings_of(flags, config))), file)
    click.echo(f"{file}: schema {revision}, {file.stat().st_size} bytes, verified")


@click.command()
@settings_options
@click.option("--replace", is_flag=True, help="Replace the database that is there; it is kept beside.")
@click.argument("file", type=_FILE)
def restore(config: Path | None, file: Path, *, replace: bool, **flags: Any) -> None:
    """Make FILE, a backup, the embedded database of a server that does not run."""
    with complaints():
        settings = settings_of(flags, config)
        target = file_of(database_url(settings))
        prepare_data_dir(settings.data_dir)
        with lock_data_dir(settings.data_dir):
            revision = put_back(file, target, replace=replace)
    click.echo(f"{target}: schema {revision}, verified; the next start brings it up to date")


def _revision(settings: Settings) -> str | None:
    try:
        return asyncio.run(schema_revision(database_url(settings)))
    except OSError as error:
        raise InvalidInputError(f"--database-url: {error}") from None


async def _upgrade(url: str) -> None:
    await (await Database.open(url)).close()
