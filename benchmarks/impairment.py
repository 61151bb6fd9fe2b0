"""`make impairment`: what a real receiver sees on paths that lose, delay, reorder, narrow and widen.

    python -m benchmarks.impairment [--seconds 15] [--only loss,steps] [--impatient] [--write FILE]

Every condition has a browser, a node and a seeded relay of its own (`benchmarks.watching`), and a line of
2 Mbit/s, so that the estimate has a truth to be compared with. Prints a table with machine and date, writes
everything to artifacts/impairment.json, and with `--write` the table into a document and the plot of the rate
steps beside it, as estimate.png. The receiver waits for repairs as the web client does, by its SDK; with
`--impatient` it shows what there is.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Literal

from benchmarks.document import machine_line, write_json, write_section
from benchmarks.plot import draw
from benchmarks.watching import BEST, Freezes, Sample, Watching, watching
from sfu.load.usage import describe_machine
from tests.support.relay import Bursts, Impairment

OUTPUT = Path("artifacts/impairment.json")
PLOT = "estimate.png"
SEED = 7
LINE = Impairment(rate=2e6, delay=0.02, queue=0.3)
NARROW = replace(LINE, rate=500e3)
NARROW_AT, WIDE_AT, END_AT = 10.0, 25.0, 45.0
"""Seconds into the rate steps."""
STAYS = 1.0
"""Seconds for which a layer has to be on the wire to count as the one that was settled on."""

HEADER = (
    "| path | frames/s | of those sent | arrived whole | freezes | longest gap | frozen | in the buffer "
    "| estimate/truth | estimate/wanted "
    "| best layer | given up | back |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    path: Impairment


CONDITIONS = (
    Condition("clear", LINE),
    Condition("loss 1 %", replace(LINE, loss=0.01)),
    Condition("loss 5 %", replace(LINE, loss=0.05)),
    Condition("loss 10 %", replace(LINE, loss=0.10)),
    Condition("loss 20 %", replace(LINE, loss=0.20)),
    Condition("delay 50 ms", replace(LINE, delay=0.05)),
    Condition("delay 200 ms", replace(LINE, delay=0.2)),
    Condition("jitter 30 ms", replace(LINE, jitter=0.03)),
    Condition("reorder 2 %", replace(LINE, reorder=0.02)),
    Condition("bursts, 2 % in runs of 8", replace(LINE, bursts=Bursts(begin=0.0026, end=0.125))),
)
STEPS = "steps 2 -> 0.5 -> 2 Mbit/s"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `given_up` and `back` are seconds after a step down and up, None for never."""

    path: str
    freezes: Freezes
    seen: float
    """Of the frames that were sent, the share that came out of the decoder."""
    estimate_to_truth: float
    estimate_to_wanted: float
    on_best: float
    whole: float | None = None
    """The share that arrived, lost packets repaired; None where that was not counted."""
    buffered: float | None = None
    """Seconds from a frame's arrival until it was decoded; None where that was not counted."""
    step: Literal["", "down", "up"] = ""
    given_up: float | None = None
    back: float | None = None

    def __str__(self) -> str:
        seen = self.freezes
        cells = (
            self.path,
            f"{seen.frame_rate:.1f}",
            f"{min(self.seen, 1.0):.0%}",
            "-" if self.whole is None else f"{min(self.whole, 1.0):.0%}",
            str(seen.count),
            f"{1000 * seen.longest:.0f} ms",
            f"{seen.total:.1f} s",
            "-" if self.buffered is None else f"{1000 * self.buffered:.0f} ms",
            f"{self.estimate_to_truth:.2f}",
            f"{self.estimate_to_wanted:.2f}",
            f"{self.on_best:.0%}",
            _after(self.given_up) if self.step == "down" else "-",
            _after(self.back) if self.step == "up" else "-",
        )
        return f"| {' | '.join(cells)} |"


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def settled_on(samples: Sequence[Sample], layers: set[int | None], begin: float, end: float) -> float | None:
    """When, after `begin`, one of these layers was first on the wire and stayed for `STAYS` seconds."""
    since: float | None = None
    for sample in samples:
        if not begin <= sample.at < end:
            continue
        if sample.layer not in layers:
            since = None
        elif since is None:
            since = sample.at
        elif sample.at - since >= STAYS:
            return since - begin
    return None


def row_of(name: str, seen: Watching, begin: float, end: float, **more: Any) -> Row:
    samples = seen.between(begin, end)
    ratios = [sample.estimate / sample.truth for sample in samples if sample.truth]
    on_best = sum(sample.layer == BEST for sample in samples) / len(samples)
    enough = [sample.estimate / sample.wanted for sample in samples if sample.wanted]
    freezes = seen.freezes(begin, end)
    due = sum(sample.due for sample in samples)
    share = freezes.frame_rate * (end - begin) / due if due else 0.0
    return Row(name, freezes, share, median(ratios), median(enough), on_best, **more)


async def steady(condition: Condition, seconds: float, *, waits: bool) -> tuple[list[Row], dict[str, Any]]:
    async with watching(condition.path, seed=SEED, waits=waits) as seen:
        await seen.go_on(seconds)
        due = sum(sample.due for sample in seen.samples)
        whole = await seen.completed() / due if due else None
        rows = [row_of(condition.name, seen, 0.0, seconds, whole=whole, buffered=await seen.buffered())]
        return rows, await _raw(seen, rows)


async def steps(plot: Path | None, *, waits: bool) -> tuple[list[Row], dict[str, Any]]:
    """Each stretch between two steps has a row of its own."""
    async with watching(LINE, seed=SEED, waits=waits) as seen:
        seen.relay.schedule([(NARROW_AT, NARROW), (WIDE_AT, LINE)])
        await seen.go_on(END_AT)
        samples = seen.samples
        rows = [
            row_of("2 Mbit/s, before the steps", seen, 0.0, NARROW_AT),
            row_of(
                "step down to 500 kbit/s",
                seen,
                NARROW_AT,
                WIDE_AT,
                step="down",
                given_up=settled_on(samples, {0, None}, NARROW_AT, WIDE_AT),
            ),
            row_of(
                "step up to 2 Mbit/s",
                seen,
                WIDE_AT,
                END_AT,
                step="up",
                back=settled_on(samples, {BEST}, WIDE_AT, END_AT),
            ),
        ]
        raw = await _raw(seen, rows)
    if plot is not None:
        await draw(samples, plot)
    return rows, raw


async def _raw(seen: Watching, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "rows": [asdict(row) for row in rows],
        "receiver": await seen.media.received(),
        "sender": await seen.media.sent(),
        "transport": seen.transport.stats(),
        "lost_on_the_way": seen.relay.down.lost,
        "passed": seen.relay.down.passed,
        "samples": [asdict(sample) for sample in seen.samples],
    }


async def measure(arguments: argparse.Namespace) -> None:
    only = arguments.only.split(",") if arguments.only else [""]
    waits = not arguments.impatient
    machine = describe_machine()
    lines = [machine_line(machine), "", *HEADER]
    results: dict[str, Any] = {}
    print("\n".join(lines), flush=True)

    def add(name: str, rows: Sequence[Row], raw: dict[str, Any]) -> None:
        results[name] = raw
        for row in rows:
            lines.append(str(row))
            print(row, flush=True)

    for condition in CONDITIONS:
        if any(word in condition.name for word in only):
            add(condition.name, *await steady(condition, arguments.seconds, waits=waits))
    if any(word in STEPS for word in only):
        document: Path | None = arguments.write
        plot = (document.parent if document else OUTPUT.parent) / PLOT
        add(STEPS, *await steps(plot, waits=waits))
    machine["load_average_after"] = describe_machine()["load_average"]
    write_json(OUTPUT, machine, {"conditions": results})
    if arguments.write:
        lines[0] = machine_line(machine)
        write_section(arguments.write, "impairment", "\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(prog="impairment", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0, help="of each condition")
    parser.add_argument("--only", help="conditions with one of these words in their names")
    parser.add_argument(
        "--impatient", action="store_true", help="show what there is, without waiting for repairs"
    )
    parser.add_argument("--write", type=Path, help="a document with a section between impairment marks")
    arguments = parser.parse_args()
    OUTPUT.parent.mkdir(exist_ok=True)
    asyncio.run(measure(arguments))


if __name__ == "__main__":
    main()
