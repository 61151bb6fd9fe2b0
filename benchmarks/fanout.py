"""`make bench`: what one forwarded packet costs the whole server, 1 publisher to 50 and to 200.

    python -m benchmarks.fanout [--seconds 10] [--repeat 1] [--write docs/performance.md]

Starts `rostrum serve --workers 1` on free ports and puts `rostrum load` on it, which measures the CPU of the
server's processes from outside. Prints the table of docs/performance.md and writes everything, with the
machine it was measured on, to artifacts/fanout.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.bare_loop import microseconds_per_packet
from sfu.load.usage import describe_machine
from tests.support.server import Server, running_server

VIDEO_RATE, PACKET_SIZE, BURST = 400, 1100, 16
OUTPUT = Path("artifacts/fanout.json")

HEADER = (
    "| load | sent | received | lost | CPU s | µs per packet | target | delay p50/p99/p99.9 ms | MiB |",
    "|---|---|---|---|---|---|---|---|---|",
)
MARKS = ("<!-- bench -->", "<!-- /bench -->")

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table; `target_us` is what docs/performance.md aims at."""

    name: str
    arguments: tuple[str, ...]
    target_us: float | None = None


CASES = (
    Case("1 to 50, AES-GCM", ("--subscribers", "50"), 4.0),
    Case("1 to 200, AES-GCM", ("--subscribers", "200"), 3.5),
    Case("1 to 50, AES-CM", ("--subscribers", "50", "--srtp", "cm"), 6.5),
    Case("1 to 200, AES-CM", ("--subscribers", "200", "--srtp", "cm")),
)


async def measure(case: Case, server: Server, seconds: float) -> Report:
    """Put one load on the server. Raises `RuntimeError` with its stderr when it could not be measured."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "signaling.cli", "load", "--key-file", str(server.key_file), "--json"),
        *("--server-pid", str(server.pid), "--seconds", str(seconds)),
        *("--video-rate", str(VIDEO_RATE), "--packet-size", str(PACKET_SIZE), *case.arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{case.name}: {errors.decode().strip()}")
    report: Report = json.loads(output.decode().splitlines()[-1])
    return report


async def run(cases: tuple[Case, ...], seconds: float, repeat: int) -> list[tuple[Case, Report]]:
    """Every case `repeat` times on a fresh server each, in turn; of each, the run with the least CPU."""
    best: dict[Case, Report] = {}
    for _ in range(repeat):
        for case in cases:
            with tempfile.TemporaryDirectory() as directory:
                async with running_server(Path(directory), workers=1) as server:
                    report = await measure(case, server, seconds)
            print(to_row(case, report), flush=True)
            known = best.get(case)
            if known is None or _cost(report) < _cost(known):
                best[case] = report
    return list(best.items())


def to_row(case: Case, report: Report) -> str:
    delay = report["delay_ms"]
    target = f"{case.target_us:.1f}" if case.target_us is not None else "-"
    return (
        f"| {case.name} | {report['sent']} | {report['received']} | {report['lost']} "
        f"| {report['cpu_s']:.2f} | {_cost(report):.2f} | {target} "
        f"| {delay['p50']:.2f} / {delay['p99']:.2f} / {delay['p999']:.2f} | {report['memory_mib']:.0f} |"
    )


def to_markdown(machine: dict[str, object], results: list[tuple[Case, Report]], bare: float) -> str:
    """The section of docs/performance.md, with the machine it belongs to."""
    ratios = ", ".join(f"{case.name}: {_cost(report) / bare:.2f}" for case, report in results)
    return "\n".join(
        [
            f"{datetime.now(UTC).date()}: {', '.join(f'{name} {value}' for name, value in machine.items())}.",
            "",
            *HEADER,
            *(to_row(case, report) for case, report in results),
            "",
            f"Bare Python loop in the same run: {bare:.2f} µs per packet. Ratio to it: {ratios}.",
        ]
    )


def write_section(path: Path, section: str) -> None:
    """Put the section between the marks of a document. Raises `ValueError` where it has none."""
    before, begin, rest = path.read_text().partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"{path} has no section between {MARKS[0]} and {MARKS[1]}")
    path.write_text(f"{before}{begin}\n{section}\n{end}{after}")


def _cost(report: Report) -> float:
    return float(report["us_per_forwarded_packet"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measured window")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each case; the cheapest is kept")
    parser.add_argument("--write", type=Path, help="put the table into this document, between its marks")
    arguments = parser.parse_args()
    machine = describe_machine()
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print(f"1 publisher, {VIDEO_RATE} packets/s of {PACKET_SIZE} B in frames of {BURST}; 1 media worker\n")
    print("\n".join(HEADER))
    results = asyncio.run(run(CASES, arguments.seconds, arguments.repeat))
    bare = microseconds_per_packet(receivers=200, burst=BURST, payload_size=PACKET_SIZE, seconds=3.0)
    print(f"\nbare Python loop, 1 to 200, AES-GCM, UDP_SEGMENT, nothing received: {bare:.2f} µs per packet")
    for case, report in results:
        print(f"  {case.name}: {_cost(report) / bare:.2f} times that")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(
        json.dumps(
            {
                "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "machine": machine,
                "bare_loop_us": round(bare, 3),
                "cases": {case.name: report for case, report in results},
            },
            indent=2,
        )
        + "\n"
    )
    print(f"\nwritten to {OUTPUT}")
    if arguments.write is not None:
        write_section(arguments.write, to_markdown(machine, results, bare))


if __name__ == "__main__":
    main()
