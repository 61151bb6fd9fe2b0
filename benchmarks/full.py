"""`make bench-full`: every row of the table of targets, each on a server of its own.

    python -m benchmarks.full [--seconds 10] [--only joins,idle] [--write docs/performance.md]

Prints a table with machine and date as it goes and writes everything to artifacts/bench-full.json. It never
passes or fails: a figure above its target is a figure.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import people
from benchmarks.bare_loop import microseconds_per_packet
from benchmarks.case import Case, Report, cost, flag, fresh_server, measure
from benchmarks.document import machine_line, write_json, write_section
from benchmarks.fanout import BURST, CASES, PACKET_SIZE
from sfu.bot import BotError
from sfu.load.usage import describe_machine

OUTPUT = Path("artifacts/bench-full.json")
HEADER = ("| benchmark | load | figure | target | besides |", "|---|---|---|---|---|")

MEETING = (
    "--publishers",
    "8",
    "--subscribers",
    "0",
    "--mesh",
    "--audio",
    "--simulcast",
    "--video-rate",
    "120",
)
HALF_A_CORE = 0.5
GROWTH = (10, 50, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `raw` goes into the JSON."""

    benchmark: str
    load: str
    figure: str
    target: str
    besides: str
    raw: Any

    def __str__(self) -> str:
        return f"| {self.benchmark} | {self.load} | {self.figure} | {self.target} | {self.besides} |"


async def fan_out(seconds: float) -> list[Row]:
    rows = []
    for case in CASES:
        async with fresh_server() as server:
            report = await measure(case, server, seconds)
        target = "-" if case.target_us is None else f"<= {case.target_us} µs"
        rows.append(_packet_row("fan-out video", case.name, report, target))
    return rows


async def audio(seconds: float) -> list[Row]:
    case = Case("10 speakers to 100", ("--no-video", "--audio", "--publishers", "10", "--subscribers", "100"))
    async with fresh_server() as server:
        report = await measure(case, server, seconds)
    return [_packet_row("audio", "10 speakers, 50 packets/s of 100 B, to 100", report, "<= 6 µs")]


async def meetings(seconds: float) -> list[Row]:
    """Also the added delay, of as many such rooms as keep the server at half a core."""
    rows = []
    async with fresh_server() as server:
        report = await measure(Case("meetings", ("--rooms", "6", *MEETING)), server, seconds)
    rows.append(_packet_row("meetings", "6 rooms of 8, camera and microphone, simulcast", report, "<= 8 µs"))
    rooms = max(1, round(6 * HALF_A_CORE / (report["cpu_s"] / report["seconds"])))
    async with fresh_server() as server:
        report = await measure(Case("delay", ("--rooms", str(rooms), *MEETING)), server, seconds)
    delay = report["delay_ms"]
    rows.append(
        Row(
            "added delay",
            f"{rooms} such rooms, {100 * report['cpu_s'] / report['seconds']:.0f} % of a core",
            f"p50 {delay['p50']:.2f}, p99 {delay['p99']:.2f}, p99.9 {delay['p999']:.2f} ms",
            "p50 <= 0.5, p99 <= 2, p99.9 <= 5 ms",
            f"lost {report['lost']} of {report['expected']}; the generator's own queueing included",
            report,
        )
    )
    return rows


async def joins(_seconds: float) -> list[Row]:
    async with fresh_server() as server:
        figures = await people.joins(server, per_second=50, seconds=6)
    return [
        Row(
            "joins",
            f"{figures.joins} people, {figures.offered_per_second:.0f} begun a second, both ways connected",
            f"{figures.cpu_ms_each:.1f} ms CPU each, {figures.per_second:.0f} a second",
            "<= 15 ms, 50 a second",
            f"p50 {figures.seconds_p50 * 1e3:.0f}, p95 {figures.seconds_p95 * 1e3:.0f} ms each, "
            f"{figures.failed} failed",
            asdict(figures),
        )
    ]


async def first_packet(_seconds: float) -> list[Row]:
    async with fresh_server() as server:
        taken = await people.first_packets(server, count=50)
    p50, p95 = np.percentile(taken, [50, 95]) * 1e3
    return [
        Row(
            "first frame",
            "50 people one after another, from `join` sent to the first packet of video",
            f"p95 {p95:.0f} ms",
            "p95 <= 300 ms",
            f"p50 {p50:.0f} ms",
            taken,
        )
    ]


async def memory(_seconds: float) -> list[Row]:
    async with fresh_server() as server:
        kib = await people.memory_per_subscriber(server, first=50, more=200)
    return [
        Row(
            "memory",
            "one more subscriber of one video and one audio (the 51st to the 250th)",
            f"{kib:.0f} KiB",
            "<= 150 KiB",
            "resident, whole server",
            kib,
        )
    ]


async def idle(seconds: float) -> list[Row]:
    async with fresh_server() as server:
        figures = await people.idle(server, rooms=100, room_size=10, seconds=seconds)
    return [
        Row(
            "idle",
            f"{figures.peers} joined, muted peers in {figures.rooms} rooms",
            f"{100 * figures.cpu:.1f} % of a core",
            "<= 10 %",
            f"{figures.memory_mib:.0f} MiB",
            asdict(figures),
        )
    ]


async def growth(seconds: float) -> list[Row]:
    """Frames of four packets, 100 packets a second, so that 1,000 receivers fit one core."""
    costs: dict[int, float] = {}
    for receivers in GROWTH:
        arguments = ("--subscribers", str(receivers), "--video-rate", "100")
        async with fresh_server() as server:
            costs[receivers] = cost(await measure(Case(f"1 to {receivers}", arguments), server, seconds))
    return [
        Row(
            "growth",
            "1 to 10 ... 1,000, 100 packets/s of 1,100 B",
            f"{costs[GROWTH[-1]] / costs[GROWTH[0]]:.2f} times the cost per packet",
            "within 20 %",
            ", ".join(f"{receivers}: {value:.2f} µs" for receivers, value in costs.items()),
            costs,
        )
    ]


BENCHMARKS: dict[str, Callable[[float], Awaitable[list[Row]]]] = {
    "fan-out": fan_out,
    "audio": audio,
    "meetings": meetings,
    "joins": joins,
    "first-frame": first_packet,
    "memory": memory,
    "idle": idle,
    "growth": growth,
}


def _packet_row(benchmark: str, load: str, report: Report, target: str) -> Row:
    delay = report["delay_ms"]
    return Row(
        benchmark,
        load,
        f"{cost(report):.2f} µs{flag(report)}",
        target,
        "; ".join(
            [
                f"{report['received']} received, {report['lost']} lost, delay p50 {delay['p50']:.2f} ms, "
                f"{report['memory_mib']:.0f} MiB, step {report['step_ns'][0]}, {report['step_ns'][1]} ns",
                *report["doubts"],
            ]
        ),
        report,
    )


async def run(names: list[str], seconds: float) -> list[Row]:
    """In turn; one that could not be measured is a row that says why."""
    rows: list[Row] = []
    for name in names:
        try:
            new = await BENCHMARKS[name](seconds)
        except (RuntimeError, BotError) as error:
            new = [Row(name, "", "not measured", "", str(error).splitlines()[-1], None)]
        for row in new:
            print(row, flush=True)
        rows += new
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measured window")
    parser.add_argument("--only", help=f"some of: {','.join(BENCHMARKS)}")
    parser.add_argument("--write", type=Path, help="put the table into this document, between its marks")
    arguments = parser.parse_args()
    names = arguments.only.split(",") if arguments.only else list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    machine = describe_machine()
    print(machine_line(machine), *HEADER, sep="\n", flush=True)
    rows = asyncio.run(run(names, arguments.seconds))
    bare = microseconds_per_packet(receivers=200, burst=BURST, payload_size=PACKET_SIZE, seconds=3.0)
    last = f"Bare Python loop in the same run: {bare:.2f} µs per packet."
    print(f"\n{last}")
    write_json(OUTPUT, machine, {"bare_loop_us": round(bare, 3), "rows": [asdict(row) for row in rows]})
    if arguments.write is not None:
        table = "\n".join([machine_line(machine), "", *HEADER, *(str(row) for row in rows), "", last])
        write_section(arguments.write, "bench-full", table)


if __name__ == "__main__":
    main()
