"""The `rostrum` command. Subcommands are imported when they are called, so `--help` is quick."""

from __future__ import annotations

import gc
import importlib
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any, Final, cast

import click

from signaling.flags import complaints, settings_of, settings_options

_LAZY: Final = {
    "backup": ("signaling.database_commands", "backup", "Write the embedded database to a file."),
    "db": ("signaling.database_commands", "db", "Look at the database's schema, or bring it up to date."),
    "restore": ("signaling.database_commands", "restore", "Make a backup the embedded database."),
    "doctor": (
        "signaling.doctor.command",
        "doctor",
        "Prove that a meeting can work here, and say what to change.",
    ),
    "load": ("sfu.load.command", "load_command", "Put a server under load and measure it."),
    "signing-keys": (
        "signaling.key_commands",
        "signing_keys",
        "Look at the keys that sign tokens, or rotate them.",
    ),
    "webhook-keys": (
        "signaling.key_commands",
        "webhook_keys",
        "Look at the keys that sign webhooks, or rotate them.",
    ),
    "turn-config": ("signaling.turn_command", "turn_config", "Print a configuration for coturn."),
    "users": ("signaling.admin.people_command", "users", "Administer accounts, and make the first one."),
    **{
        name: ("signaling.admin.command", name, f"Administer {what}.")
        for name, what in (
            ("orgs", "organizations"),
            ("apps", "apps of an organization"),
            ("units", "units of an organization"),
            ("keys", "API keys"),
            ("meetings", "meetings"),
            ("participants", "participants of a meeting"),
            ("presets", "presets"),
            ("sessions", "sessions: look at them, moderate and end them"),
            ("webhooks", "webhooks"),
            ("usage", "usage: look at it"),
        )
    },
}
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
@settings_options
def serve(config: Path | None, **flags: Any) -> None:
    """Serve meetings. Every option is also a ROSTRUM_* variable and a key of the --config file."""
    # What the start makes lasts: to look through it for garbage again and again would be a tenth of it.
    gc.disable()
    try:
        with complaints():
            settings = settings_of(flags, config)
            from signaling.serve import serve as run

            run(settings)
    finally:
        gc.enable()


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(distribution_version("rostrum"))


if __name__ == "__main__":
    main()
