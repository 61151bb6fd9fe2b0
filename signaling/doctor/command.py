"""`rostrum doctor`: every check, one after the other, and the report."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from signaling.config import Settings
from signaling.doctor.data import AddressOfPageCheck, DataDirectoryCheck, PageCheck
from signaling.doctor.database import DatabaseCheck
from signaling.doctor.interpreter import InterpreterCheck
from signaling.doctor.machine import ClockCheck, CoresCheck, FilesCheck, KernelCheck
from signaling.doctor.network import AddressesCheck, PortsCheck, TurnCheck
from signaling.doctor.report import Check, Finding, Report
from signaling.doctor.urls import UrlsCheck
from signaling.errors import InvalidInputError
from signaling.flags import complaints, settings_of, settings_options
from signaling.preflight import lock_data_dir


@click.command("doctor")
@settings_options
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.option("--ntp", metavar="SERVER", help="Also compare the clock with this NTP server.")
def doctor(config: Path | None, ntp: str | None, *, as_json: bool, **flags: Any) -> None:
    """Prove before the first user that a meeting can work here, and say what to change.

    It takes the settings of `rostrum serve`. Exit code 0: nothing failed; 1: something did; 2: the settings
    cannot be used at all.
    """
    with complaints():
        settings = settings_of(flags, config)
    report = asyncio.run(examine(checks(settings, datetime.now(UTC), ntp)))
    click.echo(report.to_json() if as_json else report.to_text())
    sys.exit(report.exit_code)


def checks(settings: Settings, now: datetime, ntp_server: str | None = None) -> list[Check]:
    runs = server_runs(settings.data_dir)
    return [
        PortsCheck(settings, runs),
        AddressesCheck(settings, runs),
        TurnCheck(settings, now, runs),
        AddressOfPageCheck(settings),
        PageCheck(settings.web_dir),
        ClockCheck(ntp_server),
        KernelCheck(),
        InterpreterCheck(),
        CoresCheck(settings.workers),
        FilesCheck(),
        DataDirectoryCheck(settings.data_dir),
        DatabaseCheck(settings),
        UrlsCheck(settings, runs),
    ]


async def examine(all_checks: Sequence[Check]) -> Report:
    findings: list[Finding] = []
    for check in all_checks:
        findings += await check.look()
    return Report(tuple(findings))


def server_runs(data_dir: Path) -> bool:
    """Whether a server holds the data directory."""
    if not (data_dir / ".lock").exists():
        return False
    try:
        lock_data_dir(data_dir).close()
    except InvalidInputError:
        return True
    except OSError:
        return False  # not ours to open: the data directory check says so
    return False
