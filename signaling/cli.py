"""The `rostrum` command. Subcommands are imported when they are called, so `--help` is quick."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any, Final, cast

import click

_LAZY: Final = {"load": ("sfu.load.command", "load_command", "Put a server under load and measure it.")}
"""Subcommand -> module, attribute, and the help line shown without importing it."""


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LAZY])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LAZY:
            return super().get_command(ctx, cmd_name)
        module, attribute, _ = _LAZY[cmd_name]
        return cast(click.Command, getattr(importlib.import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            command = None if name in _LAZY else self.get_command(ctx, name)
            rows.append((name, command.get_short_help_str(80) if command else _LAZY[name][2]))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Rostrum: self-hosted live video."""


@main.command()
@click.option(
    "--host", help='Address for HTTP and WebSocket, or several: "a,b"; "::" is all, IPv4 too [0.0.0.0].'
)
@click.option("--port", type=int, help="TCP port for HTTP and WebSocket [8080].")
@click.option("--udp-port", type=int, help="UDP (and ICE-TCP) port of the first media worker [40000].")
@click.option(
    "--announce",
    multiple=True,
    metavar="ADDRESS",
    help="Address clients send media to, or PUBLIC=OURS behind NAT; repeatable.",
)
@click.option(
    "--announce-external",
    is_flag=True,
    default=None,
    help="Allow --announce addresses that are not this machine's (NAT).",
)
@click.option("--turn-url", multiple=True, metavar="URL", help="TURN server for clients; repeatable.")
@click.option("--turn-secret", help="Shared with it. Others see a command line: rather ROSTRUM_TURN_SECRET.")
@click.option("--turn-secret-file", type=click.Path(path_type=Path), help="File that holds the secret.")
@click.option("--turn-ttl", type=int, help="Seconds TURN credentials are good [3600].")
@click.option("--stun-url", multiple=True, metavar="URL", help="STUN server for clients; repeatable.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Database, keys, bootstrap.json [./data].")
@click.option("--workers", type=int, help="Media worker processes; 0: none of their own [one per core].")
@click.option("--public-url", help="How browsers reach this server, for links.")
@click.option("--tls-cert", type=click.Path(path_type=Path), help="Certificate chain, PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its key, PEM.")
@click.option("--config", type=click.Path(path_type=Path), help="TOML file with any of these settings.")
@click.option("--database-url", help="Database [SQLite in the data directory].")
@click.option("--web-dir", type=click.Path(path_type=Path), help="Folder of the built meeting page.")
@click.option("--session-grace", type=int, help="Seconds a session outlives its last peer [60].")
@click.option("--resume-within", type=float, help="Seconds a lost connection can be resumed [30].")
@click.option("--data-messages", type=float, help="Data messages a peer may send per second [100].")
@click.option("--data-bytes", type=float, help="Bytes of data messages a peer may send per second [262144].")
@click.option("--token-ttl", type=int, help="Seconds a participant token is good [86400].")
@click.option("--log-level", help="debug, info, warning or error [info].")
@click.option("--log-format", help="console or json [console].")
def serve(config: Path | None, **flags: Any) -> None:
    """Serve meetings. Every option is also a ROSTRUM_* variable and a key of the --config file."""
    from signaling.app import serve as run
    from signaling.config import load_settings
    from signaling.errors import SignalingError

    given = {name: value for name, value in flags.items() if value is not None and value != ()}
    try:
        run(load_settings(given, config))
    except SignalingError as error:
        click.echo(f"rostrum: {error.message}", err=True)
        sys.exit(2)


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(distribution_version("rostrum"))


if __name__ == "__main__":
    main()
