"""`rostrum turn-config`: the coturn configuration that goes with the settings, on the standard output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from signaling.addresses import IpAddress, reachable
from signaling.config import Settings
from signaling.flags import complaints, settings_of, settings_options
from signaling.preflight import own_addresses
from signaling.turn_config import TurnLimits, turnserver_conf


@click.command("turn-config")
@settings_options
@click.option("--user-quota", type=click.IntRange(min=1), help="Relays of one participant [8 per TURN URL].")
@click.option("--total-quota", type=click.IntRange(min=1), default=1200, show_default=True)
@click.option(
    "--max-bps", type=click.IntRange(min=1), default=2_500_000, show_default=True, help="Bytes/s of a relay."
)
@click.option("--realm", help="Realm [the host of the first TURN URL].")
def turn_config(
    config: Path | None,
    user_quota: int | None,
    total_quota: int,
    max_bps: int,
    realm: str | None,
    **flags: Any,
) -> None:
    """Print a turnserver.conf that relays to our media nodes and to nothing else.

    It takes the settings of `rostrum serve`: the announced addresses, the TURN URLs and the secret.
    """
    with complaints():
        settings = settings_of(flags, config)
        limits = TurnLimits(user_quota, total_quota, max_bps)
        click.echo(turnserver_conf(settings, media_addresses(settings), limits, realm), nl=False)


def media_addresses(settings: Settings) -> list[IpAddress]:
    """Where clients, and so the TURN server too, send media."""
    announced = [one.public for one in settings.announced]
    return announced or reachable(own_addresses())
