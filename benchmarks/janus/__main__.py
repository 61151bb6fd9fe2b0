"""`make bench-janus`: the same loads on Rostrum and on Janus, on the same machine, one after the other.

    python -m benchmarks.janus [--seconds 8] [--write docs/performance.md]

The same bots send the same packets and count what arrives; what is compared is the CPU of all processes of
the server for each packet that a receiver got. Janus runs twice for each load: as it comes, with a thread for
each connection, and with one thread for all of them, which is the cheapest that it can do on one core.
Neither gives up anything here: simulcast is left out, for the two choose layers differently.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.bare_loop import nanoseconds_per_step
from benchmarks.case import Case, Report, cost, flag, fresh_server, measure, run_giving_way
from benchmarks.document import machine_line, write_json, write_section
from benchmarks.janus.server import JanusServer, running_janus
from sfu.load.plan import LoadPlan
from sfu.load.usage import describe_machine

OUTPUT = Path("artifacts/janus.json")
HEADER = (
    "| load | server | received | lost | µs per packet | added delay p50/p99 ms | MiB | step ns |",
    "|---|---|---|---|---|---|---|---|",
)
SETTINGS = {"Janus, a thread for each": 0, "Janus, one thread": 1}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One load; `arguments` are those of `rostrum load` that make the plan."""

    name: str
    plan: LoadPlan
    arguments: tuple[str, ...]


COMPARISONS = (
    Comparison("1 to 50, AES-GCM", LoadPlan(subscribers=50), ("--subscribers", "50")),
    Comparison(
        "1 to 50, AES-CM", LoadPlan(subscribers=50, srtp="cm"), ("--subscribers", "50", "--srtp", "cm")
    ),
    Comparison(
        "10 speakers to 50",
        LoadPlan(publishers=10, subscribers=50, video=False, audio=True),
        ("--publishers", "10", "--subscribers", "50", "--no-video", "--audio"),
    ),
    Comparison(
        "2 rooms of 8, camera and microphone",
        LoadPlan(rooms=2, publishers=8, subscribers=0, mesh=True, audio=True, video_rate=120.0),
        (
            *("--rooms", "2", "--publishers", "8", "--subscribers", "0", "--mesh"),
            *("--audio", "--video-rate", "120"),
        ),
    ),
)


async def compare(comparison: Comparison, seconds: float) -> dict[str, Report]:
    """Reports by server. Raises `RuntimeError` where one could not be measured."""
    found = {}
    async with fresh_server() as server:
        found["Rostrum"] = await measure(Case(comparison.name, comparison.arguments), server, seconds)
    for name, event_loops in SETTINGS.items():
        async with running_janus(event_loops=event_loops) as janus:
            step = nanoseconds_per_step()
            found[name] = await asyncio.to_thread(_load_janus, janus, comparison.plan, seconds)
            found[name]["step_ns"] = [round(step), round(nanoseconds_per_step())]
    return found


def _load_janus(janus: JanusServer, plan: LoadPlan, seconds: float) -> Report:
    """By a process that gives way to Janus as it does to our server."""
    command = [*janus.enter, sys.executable, "-m", "benchmarks.janus.load", janus.url, str(janus.pid)]
    command.append(json.dumps({**asdict(plan), "seconds": seconds}))
    done = run_giving_way(command, workers=1)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-500:])
    report: Report = json.loads(done.stdout.splitlines()[-1])
    return report


def to_row(load: str, server: str, report: Report) -> str:
    delay = report["added_delay_ms"]
    return (
        f"| {load} | {server} | {report['received']} | {report['lost']} | {cost(report):.2f}{flag(report)} "
        f"| {delay['p50']:.2f} / {delay['p99']:.2f} | {report['memory_mib']:.0f} "
        f"| {', '.join(map(str, report['step_ns']))} |"
    )


async def run(seconds: float) -> tuple[list[str], dict[str, dict[str, Report]]]:
    rows, found = [], {}
    for comparison in COMPARISONS:
        found[comparison.name] = await compare(comparison, seconds)
        for server, report in found[comparison.name].items():
            rows.append(to_row(comparison.name, server, report))
            print(rows[-1], flush=True)
    return rows, found


def main() -> None:
    parser = argparse.ArgumentParser(prog="janus", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each measured window")
    parser.add_argument("--write", type=Path, help="a document with a section between janus marks")
    arguments = parser.parse_args()
    machine = describe_machine()
    print("\n".join((machine_line(machine), *HEADER)), flush=True)
    rows, found = asyncio.run(run(arguments.seconds))
    write_json(OUTPUT, machine, {"janus": found})
    if arguments.write:
        write_section(arguments.write, "janus", "\n".join((machine_line(machine), "", *HEADER, *rows)))


if __name__ == "__main__":
    main()
