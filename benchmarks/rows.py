"""The rows of `make bench-full`: each puts its load on servers of its own and says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from benchmarks import people
from benchmarks.case import Case, Report, cost, flag, fresh_server, measure
from benchmarks.fanout import CASES
from benchmarks.flood import ROOMS, measure_flood
from benchmarks.overload import measure_overload

FOUR = (
    *("--publishers", "4", "--subscribers", "0", "--mesh", "--audio", "--simulcast"),
    *("--video-rate", "120"),
)
EIGHT = ("--publishers", "8", *FOUR[2:])
MEETING_ROOMS = 6
HALF_A_CORE, FITS = 0.5, 0.8
CALIBRATION_SECONDS = 4.0
OVERLOAD_SECONDS = 20.0
GROWTH = (10, 50, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `raw` goes into the JSON. `step_ns` is the machine's speed before and after."""

    benchmark: str
    load: str
    figure: str
    target: str
    besides: str
    raw: Any = None
    step_ns: tuple[int, int] | None = None
    sections: tuple[tuple[str, str, str], ...] = ()
    """Tables of its own: the document, its mark, and the text."""

    def __str__(self) -> str:
        step = "-" if self.step_ns is None else f"{self.step_ns[0]}, {self.step_ns[1]}"
        return f"| {self.benchmark} | {self.load} | {self.figure} | {self.target} | {self.besides} | {step} |"


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
    """Six rooms, or as many as a worker can carry."""
    share = await _room_share(EIGHT)
    rooms = min(MEETING_ROOMS, max(1, int(FITS / share)))
    async with fresh_server() as server:
        report = await measure(Case("meetings", ("--rooms", str(rooms), *EIGHT)), server, seconds)
    row = _packet_row("meetings", f"{rooms} rooms of 8, camera and microphone, simulcast", report, "<= 8 µs")
    if rooms < MEETING_ROOMS:
        why = f"{MEETING_ROOMS} rooms do not fit one worker: each takes {100 * share:.0f} % of a core"
        row = replace(row, besides=f"{why}; {row.besides}")
    return [row]


async def added_delay(seconds: float) -> list[Row]:
    """Of so many rooms of four that they make half of what a core can carry."""
    rooms = max(1, round(HALF_A_CORE / await _room_share(FOUR)))
    report = await _measure_rooms(rooms, seconds)
    better = max(1, round(rooms * HALF_A_CORE * report["seconds"] / report["busiest_process_cpu_s"]))
    if better != rooms:
        # What one room takes says not quite what many do.
        rooms, report = better, await _measure_rooms(better, seconds)
    added, whole = report["added_delay_ms"], report["delay_ms"]
    besides = [
        f"lost {report['lost']} of {report['expected']}",
        f"with the generator's own sealing and reading p50 {whole['p50']:.2f}, p99 {whole['p99']:.2f} ms",
        *report["doubts"],
    ]
    return [
        Row(
            "added delay",
            f"{rooms} rooms of 4, camera and microphone, simulcast: the worker at "
            f"{100 * report['busiest_process_cpu_s'] / report['seconds']:.0f} % of a core",
            f"p50 {added['p50']:.2f}, p99 {added['p99']:.2f}, p99.9 {added['p999']:.2f} ms{flag(report)}",
            "p50 <= 0.5, p99 <= 2, p99.9 <= 5 ms",
            "; ".join(besides),
            report,
        )
    ]


async def _measure_rooms(rooms: int, seconds: float) -> Report:
    async with fresh_server() as server:
        return await measure(Case("added delay", ("--rooms", str(rooms), *FOUR)), server, seconds)


async def _room_share(arguments: tuple[str, ...]) -> float:
    """What one room takes of a core, of the server's busiest process."""
    async with fresh_server() as server:
        report = await measure(Case("one room", ("--rooms", "1", *arguments)), server, CALIBRATION_SECONDS)
    return float(report["busiest_process_cpu_s"] / report["seconds"])


async def joins(_seconds: float) -> list[Row]:
    async with fresh_server() as server:
        figures = await people.joins(server, per_second=50, seconds=6)
    return [
        Row(
            "joins",
            f"{figures.joins} people, {figures.offered_per_second:.0f} begun a second, both ways connected",
            f"{figures.cpu_ms_each:.1f} ms CPU each, {figures.per_second:.0f} a second"
            + (" (?)" if figures.doubts else ""),
            "<= 15 ms, 50 a second",
            "; ".join(
                [
                    f"of these {figures.signaling_ms_each:.1f} ms signaling's, the rest the media worker's",
                    f"the generator's own {figures.generator_ms_each:.1f} ms each; all together "
                    f"{figures.cores_used:.1f} cores",
                    f"p50 {figures.seconds_p50 * 1e3:.0f}, p95 {figures.seconds_p95 * 1e3:.0f} ms each",
                    f"{figures.failed} failed",
                    *figures.doubts,
                ]
            ),
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
    """Frames of four packets, 100 packets a second."""
    reports: dict[int, Report] = {}
    for receivers in GROWTH:
        arguments = ("--subscribers", str(receivers), "--video-rate", "100")
        async with fresh_server() as server:
            reports[receivers] = await measure(Case(f"1 to {receivers}", arguments), server, seconds)
    costs = {receivers: cost(report) for receivers, report in reports.items()}
    besides = [
        f"{receivers}: {costs[receivers]:.2f} µs{flag(report)}" for receivers, report in reports.items()
    ]
    doubts = [
        f"at {receivers} {', '.join(report['doubts'])}"
        for receivers, report in reports.items()
        if report["doubts"]
    ]
    return [
        Row(
            "growth",
            "1 to 10 ... 1,000, 100 packets/s of 1,100 B",
            f"{costs[GROWTH[-1]] / costs[GROWTH[0]]:.2f} times the cost per packet"
            + flag(reports[GROWTH[-1]]),
            "within 20 %",
            "; ".join([", ".join(besides), *doubts]),
            reports,
        )
    ]


async def flooded(seconds: float) -> list[Row]:
    found = await measure_flood(seconds)
    before, during = found.phases[0], found.phases[1]
    other = ROOMS[1]
    voices = {phase.name: phase.heard[f"{other} audio"] for phase in found.phases}
    return [
        Row(
            "flood",
            f"2 rooms of 6; {found.offered_briefly}",
            f"voices of the other room: p99 {voices['before'].p99:.2f} ms before, "
            f"{voices['during'].p99:.2f} during, {voices['after'].p99:.2f} after",
            "-",
            f"lost {voices['during'].losses}; worker {100 * before.busy:.0f} % before, "
            f"{100 * during.busy:.0f} % during",
            found.to_json(),
            sections=(("performance.md", "flood", found.to_markdown()),),
        )
    ]


async def overloaded(_seconds: float) -> list[Row]:
    found = await measure_overload(OVERLOAD_SECONDS)
    phase, tries = found.phases[1]
    audio = phase.heard["everybody audio"]
    return [
        Row(
            "overload",
            f"{found.asked} rooms of 6: {found.times:.2f} times what half a core can carry",
            f"voices: lost {audio.losses}, p99 {audio.p99:.2f} ms",
            "-",
            "; ".join(
                [
                    "nothing was given up" if found.tipped is None else f"level {found.highest} at most",
                    f"at most {found.given_up}",
                    f"joins refused: {tries}",
                    f"worker {100 * phase.busy:.0f} % of a core, waited {100 * phase.waited:.0f} %",
                ]
            ),
            found.to_json(),
            sections=(("operations.md", "overload", found.to_markdown()),),
        )
    ]


Benchmark = Callable[[float], Coroutine[None, None, list[Row]]]

BENCHMARKS: dict[str, Benchmark] = {
    "fan-out": fan_out,
    "audio": audio,
    "meetings": meetings,
    "delay": added_delay,
    "joins": joins,
    "first-frame": first_packet,
    "memory": memory,
    "idle": idle,
    "growth": growth,
    "flood": flooded,
    "overload": overloaded,
}


def _packet_row(benchmark: str, load: str, report: Report, target: str) -> Row:
    added = report["added_delay_ms"]
    return Row(
        benchmark,
        load,
        f"{cost(report):.2f} µs{flag(report)}",
        target,
        "; ".join(
            [
                f"{report['received']} received, {report['lost']} lost, added delay p50 {added['p50']:.2f}, "
                f"p99 {added['p99']:.2f} ms, {report['memory_mib']:.0f} MiB",
                *report["doubts"],
            ]
        ),
        report,
        step_ns=(report["step_ns"][0], report["step_ns"][1]),
    )
