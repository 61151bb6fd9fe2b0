"""`rostrum signing-keys`: the keys that sign tokens. Running servers learn within seconds of what is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from signaling.auth.stored_keys import LOOK_EVERY, PUBLISHED_BEFORE, StoredKeys
from signaling.clock import SystemClock
from signaling.config import Settings
from signaling.database_commands import database_url
from signaling.domain.signing_key import StoredKey
from signaling.flags import complaints, settings_of, settings_options
from signaling.preflight import prepare_data_dir
from signaling.secrets import stored_keys
from signaling.store.database import Database

T = TypeVar("T")


@click.group("signing-keys")
def signing_keys() -> None:
    """Look at the keys that sign tokens, or rotate them."""


@signing_keys.command("list")
@settings_options
def show(config: Path | None, **flags: Any) -> None:
    """Print each key: its id, since when it signs, and for how long its tokens are good at most."""
    with complaints():
        found = asyncio.run(_with_keys(settings_of(flags, config), _listed))
    for one in found:
        click.echo(f"{one.id}  signs from {one.active_from:%Y-%m-%d %H:%M:%S}Z  tokens {one.longest_token} s")


@signing_keys.command()
@settings_options
@click.option("--void-others", is_flag=True, help="At once; every token made until now is void.")
def rotate(config: Path | None, void_others: bool, **flags: Any) -> None:  # noqa: FBT001 - click names it
    """Make another key, which signs tokens a minute from now.

    Tokens of the former one stay good for as long as they say. With --void-others it signs at once and they
    do not: for a key that somebody else may have.
    """

    async def work(_: Database, stored: StoredKeys) -> str:
        return await stored.rotate(void_others=void_others)

    with complaints():
        key_id = asyncio.run(_with_keys(settings_of(flags, config), work))
    when = LOOK_EVERY if void_others else PUBLISHED_BEFORE.total_seconds()
    click.echo(f"{key_id} signs within {when:.0f} s")


async def _listed(database: Database, _: StoredKeys) -> Sequence[StoredKey]:
    async with database(reading=True) as uow:
        return await uow.signing_keys.all()


async def _with_keys(settings: Settings, work: Callable[[Database, StoredKeys], Awaitable[T]]) -> T:
    prepare_data_dir(settings.data_dir)
    database = await Database.open(database_url(settings))
    try:
        stored = stored_keys(settings, database, SystemClock())
        await stored.start()
        return await work(database, stored)
    finally:
        await database.close()
