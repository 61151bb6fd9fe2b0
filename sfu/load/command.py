"""The command line of `rostrum load`."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
from pathlib import Path

import click

from sfu.bot import BotError, Credentials
from sfu.load.plan import LoadPlan, SrtpChoice, VerifyChoice
from sfu.load.report import Report, build_report, to_text
from sfu.load.run import Load
from sfu.load.venue import Rostrum, Venue

MAX_SECONDS = 3600.0
MAX_PAYLOAD = 1200


@click.command("load")
@click.option("--url", help="Base URL of the server; the key file's if not given.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("data/bootstrap.json"),
    show_default=True,
    help="The server's bootstrap.json.",
)
@click.option("--rooms", type=click.IntRange(1, 500), default=1, show_default=True)
@click.option("--publishers", type=click.IntRange(1, 500), default=1, show_default=True, help="Per room.")
@click.option("--subscribers", type=click.IntRange(0, 5000), default=1, show_default=True, help="Per room.")
@click.option("--mesh", is_flag=True, help="Publishers receive each other too.")
@click.option("--video/--no-video", default=True, show_default=True)
@click.option(
    "--video-rate",
    type=click.FloatRange(1, 5000),
    default=400.0,
    show_default=True,
    help="Packets per second, in 25 frame bursts.",
)
@click.option(
    "--packet-size",
    type=click.IntRange(64, MAX_PAYLOAD),
    default=1100,
    show_default=True,
    help="RTP payload bytes.",
)
@click.option("--audio", is_flag=True, help="Publish 50 packets/s of 100 bytes besides.")
@click.option("--simulcast", is_flag=True, help="Publish three encodings; the highest has the given rate.")
@click.option("--srtp", type=click.Choice(["gcm", "cm"]), default="gcm", show_default=True)
@click.option(
    "--verify",
    type=click.Choice(["sample", "all"]),
    default="sample",
    show_default=True,
    help="How many received packets are decrypted and authenticated.",
)
@click.option("--nack", is_flag=True, help="Subscribers ask for lost video packets.")
@click.option("--tcp", is_flag=True, help="Connect by ICE-TCP.")
@click.option("--preset", default="group_call_participant", show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, MAX_SECONDS),
    default=10.0,
    show_default=True,
    help="Length of the measured window.",
)
@click.option("--warm-up", type=click.FloatRange(0, 60), default=2.0, show_default=True)
@click.option("--server-pid", type=click.IntRange(min=1), help="Measure this process and all below it.")
@click.option("--json", "json_only", is_flag=True, help="Print nothing but the JSON line.")
def load_command(
    url: str | None,
    key_file: Path,
    rooms: int,
    publishers: int,
    subscribers: int,
    mesh: bool,  # noqa: FBT001
    video: bool,  # noqa: FBT001
    video_rate: float,
    packet_size: int,
    audio: bool,  # noqa: FBT001
    simulcast: bool,  # noqa: FBT001
    srtp: SrtpChoice,
    verify: VerifyChoice,
    nack: bool,  # noqa: FBT001
    tcp: bool,  # noqa: FBT001
    preset: str,
    seconds: float,
    warm_up: float,
    server_pid: int | None,
    json_only: bool,  # noqa: FBT001
) -> None:
    """Send synthetic media through a running server and count what arrives.

    Publishers and subscribers join like anyone else. The last line of the output is one JSON object. Exit
    code 0: measured; 1: could not measure, the reason is on stderr; 2: bad arguments.
    """
    if not (video or audio):
        raise click.UsageError("with --no-video, give --audio: there would be nothing to send")
    if subscribers == 0 and not mesh:
        raise click.UsageError("without subscribers, give --mesh: nobody would receive anything")
    plan = LoadPlan(
        rooms=rooms,
        publishers=publishers,
        subscribers=subscribers,
        video=video,
        video_rate=video_rate,
        packet_size=packet_size,
        audio=audio,
        simulcast=simulcast,
        mesh=mesh,
        srtp=srtp,
        verify=verify,
        nack=nack,
        tcp=tcp,
        seconds=seconds,
        warm_up=warm_up,
        preset=preset,
    )
    try:
        venue = Rostrum(Credentials.from_file(key_file, url), preset)
        report = run_load(plan, venue, server_pid, quiet=json_only)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except BotError as error:
        click.echo(f"could not measure: {error}", err=True)
        sys.exit(1)
    if not json_only:
        click.echo(to_text(report))
    click.echo(json.dumps(report))


def run_load(plan: LoadPlan, venue: Venue, server_pid: int | None = None, *, quiet: bool = True) -> Report:
    """Run a plan in a loop of its own. Raises `BotError` if it cannot be measured."""
    _raise_file_limit()
    # Bots make no cycles worth collecting, and a collection in the window would be taken for delay.
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            return runner.run(_run(plan, venue, server_pid, quiet=quiet))
    finally:
        gc.enable()


async def _run(plan: LoadPlan, venue: Venue, server_pid: int | None, *, quiet: bool) -> Report:
    load = Load(plan, venue, server_pid, _silent if quiet else _say)
    try:
        window = await load.run()
        return build_report(load, window)
    finally:
        await load.close()


def _say(what: str) -> None:
    click.echo(what, err=True)


def _silent(what: str) -> None:
    """Progress that nobody asked for."""


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _raise_file_limit() -> None:
    """Every connection is a socket of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
