"""`rostrum signing-keys` and `webhook-keys`: the keys that sign tokens, and webhooks. Running servers learn
within seconds of what is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from signaling.auth.shared_keys import LOOK_EVERY
from signaling.auth.signing_keys import PUBLISHED_BEFORE, SigningKeys
from signaling.clock import SystemClock
from signaling.config import Settings
from signaling.database_commands import database_url
from signaling.flags import complaints, settings_of, settings_options
from signaling.preflight import prepare_data_dir
from signaling.secrets import secret_box
from signaling.secrets import signing_keys as kept_signing_keys
from signaling.store.database import Database
from signaling.webhooks.key_pairs import PURPOSE as WEBHOOK_KEYS
from signaling.webhooks.key_pairs import WebhookKeyPairs

T = TypeVar("T")


@click.group("signing-keys")
def signing_keys() -> None:
    """Look at the keys that sign tokens, or rotate them."""


@signing_keys.command("list")
@settings_options
def show(config: Path | None, **flags: Any) -> None:
    """Print each key: its id, since when it signs, and for how long its tokens are good at most."""
    with complaints():
        found = asyncio.run(_with_keys(settings_of(flags, config), SigningKeys.stored))
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

    async def work(keys: SigningKeys) -> str:
        return await keys.rotate(void_others=void_others)

    with complaints():
        key_id = asyncio.run(_with_keys(settings_of(flags, config), work))
    when = LOOK_EVERY if void_others else PUBLISHED_BEFORE.total_seconds()
    click.echo(f"{key_id} signs within {when:.0f} s")


@click.group("webhook-keys")
def webhook_keys() -> None:
    """Look at the keys that sign webhooks, or rotate them."""


@webhook_keys.command("list")
@settings_options
def show_webhook_keys(config: Path | None, **flags: Any) -> None:
    """Print each key: its id, of which kind it is, and whether and since when it signs."""

    async def work(pairs: WebhookKeyPairs) -> Mapping[str, Any]:
        return pairs.ring.document()

    with complaints():
        document = asyncio.run(_with_webhook_keys(settings_of(flags, config), work))
    for one in document["keys"]:
        click.echo(f"{one['kid']}  {one['alg']:<5}  {one['status']:<8}  signs from {one['active_from']}")


@webhook_keys.command("rotate")
@settings_options
@click.option("--at-once", is_flag=True, help="Sign with it now, and publish the former keys no more.")
def rotate_webhook_keys(config: Path | None, at_once: bool, **flags: Any) -> None:  # noqa: FBT001 - click names it
    """Make another pair of keys, announce it, and sign with it a day from now.

    Receivers find it at /.well-known/webhooks.json until then, and the former one for a day longer. With
    --at-once it signs now, and the former ones are good for nothing: for keys that somebody else may have.
    """

    async def work(pairs: WebhookKeyPairs) -> datetime:
        return (await pairs.rotate(at_once=at_once)).active_from

    with complaints():
        active_from = asyncio.run(_with_webhook_keys(settings_of(flags, config), work))
    when = f"within {LOOK_EVERY:.0f} s" if at_once else f"from {active_from:%Y-%m-%d %H:%M:%S}Z"
    click.echo(f"the new keys sign {when}")


async def _with_webhook_keys(settings: Settings, work: Callable[[WebhookKeyPairs], Awaitable[T]]) -> T:
    prepare_data_dir(settings.data_dir)
    database = await Database.open(database_url(settings))
    try:
        pairs = WebhookKeyPairs(database, secret_box(settings, WEBHOOK_KEYS), SystemClock())
        await pairs.start()
        return await work(pairs)
    finally:
        await database.close()


async def _with_keys(settings: Settings, work: Callable[[SigningKeys], Awaitable[T]]) -> T:
    prepare_data_dir(settings.data_dir)
    database = await Database.open(database_url(settings))
    try:
        keys = kept_signing_keys(settings, database, SystemClock())
        await keys.start()
        return await work(keys)
    finally:
        await database.close()
