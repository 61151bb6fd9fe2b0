"""What every example begins with: which server, and the organization's key for it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path

from sfu.bot import BotError, Credentials


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options all examples share."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--key-file",
        type=Path,
        default=Path("data/bootstrap.json"),
        help="the key file the server wrote at its first start [data/bootstrap.json]",
    )
    made.add_argument("--url", help="base URL of the server [the key file's]")
    return made


def credentials(arguments: argparse.Namespace) -> Credentials:
    return Credentials.from_file(arguments.key_file, arguments.url)


def run(example: Coroutine[object, object, None]) -> None:
    """Run an example; what the server refuses ends it with one line and exit code 1."""
    try:
        asyncio.run(example)
    except BotError as error:
        sys.exit(f"{error}")
