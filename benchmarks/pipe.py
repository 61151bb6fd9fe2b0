"""What it costs to have one meeting on two workers: the same load on one worker, on one of two, and on both.

    python -m benchmarks.pipe [--seconds 10] [--repeat 3]

One publisher of video to 100 subscribers. "Kept together" is two workers of which one has the whole meeting;
"dealt out" has half of the subscribers on either, and every packet goes through the pipe once. The difference
between the last two is the price of the pipe: one more leg at the origin, one more reception at the far end.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path

from benchmarks.case import Case, Report, cost, flag, fresh_server, measure
from benchmarks.document import machine_line, write_json
from sfu.load.usage import describe_machine

SUBSCRIBERS = 100
CASE = Case(
    f"1 to {SUBSCRIBERS}, AES-GCM",
    ("--video-rate", "400", "--packet-size", "1100", "--subscribers", str(SUBSCRIBERS)),
)
OUTPUT = Path("artifacts/pipe.json")
HEADER = (
    "| 1 to 100, 400 packets/s of 1,100 B | sent | received | lost | CPU s | µs per packet "
    "| added delay p50/p99 ms | step ns |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Layout:
    name: str
    workers: int
    spread_above: str


LAYOUTS = (
    Layout("one worker", 1, "1"),
    Layout("two workers, kept together", 2, "1"),
    Layout("two workers, dealt out", 2, "0"),
)


async def run(seconds: float, repeat: int) -> list[tuple[Layout, Report]]:
    """Every layout `repeat` times, in turn; of each, the run with the least CPU."""
    best: dict[Layout, Report] = {}
    for _ in range(repeat):
        for layout in LAYOUTS:
            arguments = ("--spread-above", layout.spread_above)
            async with fresh_server(workers=layout.workers, arguments=arguments) as server:
                report = await measure(CASE, server, seconds)
            print(to_row(layout, report), flush=True)
            if layout not in best or cost(report) < cost(best[layout]):
                best[layout] = report
    return list(best.items())


def to_row(layout: Layout, report: Report) -> str:
    delay = report["added_delay_ms"]
    return (
        f"| {layout.name} | {report['sent']} | {report['received']} | {report['lost']} "
        f"| {report['cpu_s']:.2f} | {cost(report):.2f}{flag(report)} "
        f"| {delay['p50']:.2f} / {delay['p99']:.2f} | {report['step_ns'][0]}, {report['step_ns'][1]} |"
    )


def price(results: list[tuple[Layout, Report]]) -> float:
    """Microseconds of CPU for one packet's way through the pipe."""
    together, dealt = (report for layout, report in results if layout.workers == 2)
    return (cost(dealt) - cost(together)) * SUBSCRIBERS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measured window")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each layout; the cheapest is kept")
    arguments = parser.parse_args()
    machine = describe_machine()
    print(machine_line(machine), "", *HEADER, sep="\n")
    results = asyncio.run(run(arguments.seconds, arguments.repeat))
    print(f"\na packet's way through the pipe: {price(results):.1f} µs")
    write_json(OUTPUT, machine, {"layouts": {layout.name: report for layout, report in results}})


if __name__ == "__main__":
    main()
