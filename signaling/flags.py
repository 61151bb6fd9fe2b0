"""The settings as command line options: the same for every subcommand that looks at them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from signaling.domain.region import Region

if TYPE_CHECKING:
    from signaling.config import Settings

_FILE: Final = click.Path(path_type=Path)

_OPTIONS: Final = (
    click.option("--host", help='Address for HTTP and WebSocket, or several: "a,b"; "::" is all [0.0.0.0].'),
    click.option("--port", type=int, help="TCP port for HTTP and WebSocket [8080]."),
    click.option("--udp-port", type=int, help="UDP (and ICE-TCP) port of the first media worker [40000]."),
    click.option(
        "--announce",
        multiple=True,
        metavar="ADDRESS",
        help="Address clients send media to, or PUBLIC=OURS behind NAT; repeatable.",
    ),
    click.option(
        "--announce-external",
        is_flag=True,
        default=None,
        help="Allow --announce addresses that are not this machine's (NAT).",
    ),
    click.option("--turn-url", multiple=True, metavar="URL", help="TURN server for clients; repeatable."),
    click.option(
        "--turn-secret", help="Shared with it. Others see a command line: rather ROSTRUM_TURN_SECRET."
    ),
    click.option("--turn-secret-file", type=_FILE, help="File that holds the secret."),
    click.option("--turn-ttl", type=int, help="Seconds TURN credentials are good [3600]."),
    click.option("--stun-url", multiple=True, metavar="URL", help="STUN server for clients; repeatable."),
    click.option("--data-dir", type=_FILE, help="Database, keys, bootstrap.json [./data]."),
    click.option("--workers", type=int, help="Media worker processes; 0: none of their own [one per core]."),
    click.option(
        "--spread-above",
        type=float,
        help="Busy fraction of a worker above which a meeting goes on to another [0.6].",
    ),
    click.option(
        "--move-above",
        type=float,
        help="Busy fraction at which a worker gives people away; 1: never [0.75].",
    ),
    click.option("--full-above", type=float, help="Busy fraction at which a worker takes nobody new [0.85]."),
    click.option(
        "--full-packets", type=float, help="Packets a second at which a worker takes nobody new [250000]."
    ),
    click.option(
        "--shed-above", type=float, help="Busy fraction at which a worker gives up video; 2: never [0.92]."
    ),
    click.option("--public-url", help="How browsers reach this server, for links."),
    click.option("--server-url", help="How clients reach this one of several servers [--public-url]."),
    click.option("--internal-url", help="How the other servers reach this one [--server-url]."),
    click.option(
        "--server-lease", type=float, help="Seconds of silence after which others end its meetings [30]."
    ),
    click.option(
        "--region",
        type=click.Choice([*Region]),
        help="Where this one of several servers is: meetings that prefer it are begun here.",
    ),
    click.option("--tls-cert", type=_FILE, help="Certificate chain, PEM."),
    click.option("--tls-key", type=_FILE, help="Its key, PEM."),
    click.option("--config", type=_FILE, help="TOML file with any of these settings."),
    click.option("--database-url", help="Database [SQLite in the data directory]."),
    click.option("--web-dir", type=_FILE, help="Folder of the built meeting page."),
    click.option("--session-grace", type=int, help="Seconds a session outlives its last peer [60]."),
    click.option("--max-participants", type=int, help="Peers a meeting takes unless told otherwise [any]."),
    click.option(
        "--max-participants-limit", type=int, help="The most a meeting may be set to take [100000]."
    ),
    click.option(
        "--max-duration", type=int, help="Seconds a session lasts at most unless told otherwise [any]."
    ),
    click.option("--max-duration-limit", type=int, help="The most that may be set [604800]."),
    click.option("--resume-within", type=float, help="Seconds a lost connection can be resumed [30]."),
    click.option(
        "--worker-grace", type=float, help="Seconds media goes on without a server that was killed [60]."
    ),
    click.option(
        "--loudest-audio", type=int, help="Forward only so many of a session's loudest microphones [all]."
    ),
    click.option("--data-messages", type=float, help="Data messages a peer may send per second [100]."),
    click.option(
        "--data-bytes", type=float, help="Bytes of data messages a peer may send per second [262144]."
    ),
    click.option(
        "--secret-key-file",
        type=_FILE,
        help="File with what secrets in the database are sealed with [secret.key in the data directory].",
    ),
    click.option("--signing-key-days", type=int, help="Days after which another key signs tokens [90]."),
    click.option("--guest-preset", help="Preset of who joins with a client token [group_call_participant]."),
    click.option("--token-ttl", type=int, help="Seconds a participant token is good [86400]."),
    click.option(
        "--trusted-proxy",
        multiple=True,
        metavar="ADDRESS",
        help="Reverse proxy (or network of them) whose X-Forwarded-For is believed; repeatable.",
    ),
    click.option("--rate-limit-address", type=int, help="REST requests a minute by one address [2000]."),
    click.option("--rate-limit-key", type=int, help="REST requests a minute by one API key [2000]."),
    click.option("--rate-limit-organization", type=int, help="... by all keys of an organization [6000]."),
    click.option(
        "--webhook-allow",
        multiple=True,
        metavar="NETWORK",
        help="Network that webhooks may be sent to though it is not public; repeatable.",
    ),
    click.option(
        "--webhook-http", is_flag=True, default=None, help="Webhooks may have http: URLs besides https: ones."
    ),
    click.option("--log-level", help="debug, info, warning or error [info]."),
    click.option("--log-format", help="console or json [console]."),
)


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """Each setting as an option of the command, which gets `config` and the others as it likes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_of(flags: Mapping[str, Any], config: Path | None) -> Settings:
    """Those that were given, over the environment, over the file. Raises `InvalidInputError`."""
    from signaling.config import load_settings

    given = {name: value for name, value in flags.items() if value is not None and value != ()}
    return load_settings(given, config)


@contextmanager
def complaints() -> Iterator[None]:
    """What the settings or the machine do not allow ends the command with one line and exit code 2."""
    from signaling.errors import SignalingError

    try:
        yield
    except SignalingError as error:
        click.echo(f"rostrum: {error.message}", err=True)
        sys.exit(2)
