"""`python -m benchmarks.simulated`: what adaptation does on simulated paths, the same on every machine.

    python -m benchmarks.simulated [--seeds 8] [--write docs/performance.md]

The node's own supply, allocation, fan-out, probes and repairs between a publisher, a line and a viewer that
are simulated (`tests.sfu.bandwidth.node`), in simulated time: nothing here depends on how fast a machine is.
Prints tables of the steps of `benchmarks.impairment` and of its lossy lines.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, median

from benchmarks.document import write_section
from tests.sfu.bandwidth.node import NodeWorld
from tests.sfu.bandwidth.picture import PictureWorld
from tests.sfu.bandwidth.world import Link

WIDE, NARROW = 2e6, 500e3
LINE = Link(WIDE, delay=0.02)
NARROW_AT, WIDE_AT, END = 15.0, 45.0, 60.0
LOSSY_FROM, LOSSY_TO = 10.0, 40.0
PATHS = (
    ("clear", LINE),
    ("loss 1 %", replace(LINE, loss=0.01)),
    ("loss 5 %", replace(LINE, loss=0.05)),
    ("loss 10 %", replace(LINE, loss=0.1)),
    ("loss 20 %", replace(LINE, loss=0.2)),
    ("delay 50 ms", replace(LINE, delay=0.05)),
    ("delay 200 ms", replace(LINE, delay=0.2)),
    ("jitter 30 ms", replace(LINE, jitter=0.03, in_order=True)),
    ("jitter 30 ms, out of order", replace(LINE, jitter=0.03)),
    ("reorder 2 %", replace(LINE, reorder=0.02)),
    ("bursts, 2 % in runs of 8", replace(LINE, loss=0.02, burst=8)),
)


def stepped(line: Link, seed: int) -> NodeWorld:
    world = NodeWorld(replace(line), seed=seed)
    world.run(NARROW_AT)
    world.link.rate = NARROW
    world.run(WIDE_AT - NARROW_AT)
    world.link.rate = WIDE
    world.run(END - WIDE_AT)
    return world


def steps(name: str, line: Link, seeds: Iterable[int]) -> str:
    worlds = [stepped(line, seed) for seed in seeds]
    gaps = [max(world.gaps(NARROW_AT, WIDE_AT)) for world in worlds]
    tries = [sum(what == 1 for at, what in world.tries if NARROW_AT < at < WIDE_AT) for world in worlds]
    queues = sorted(
        seconds for world in worlds for at, seconds in world.queued if NARROW_AT + 2 <= at < WIDE_AT
    )
    estimate = mean(mean(world.between(NARROW_AT + 2, WIDE_AT)) for world in worlds) / NARROW
    cells = (
        name,
        _both(gaps),
        _both([world.settled_on(0, NARROW_AT, WIDE_AT) for world in worlds]),
        f"{sum(tries)} in {len(tries)} runs",
        f"{1000 * queues[int(0.95 * len(queues))]:.0f} ms",
        f"{estimate:.2f}",
        _both([world.settled_on(1, WIDE_AT, END) for world in worlds]),
    )
    return f"| {' | '.join(cells)} |"


def steady(name: str, line: Link, seeds: Iterable[int]) -> str:
    shares, gaps, estimates, repaired = [], [], [], []
    for seed in seeds:
        world = NodeWorld(replace(line), seed=seed)
        world.run(LOSSY_FROM)
        published, shown = world.publisher.frames, len(world.shown)
        world.run(LOSSY_TO - LOSSY_FROM)
        shares.append(min(1.0, (len(world.shown) - shown) / (world.publisher.frames - published)))
        gaps.append(max(world.gaps(LOSSY_FROM, LOSSY_TO)))
        estimates.append(mean(world.between(LOSSY_FROM, LOSSY_TO)) / WIDE)
        repaired.append(world.consumer.leg.retransmitted / world.consumer.leg.packets)
    cells = (name, f"{mean(shares):.1%}", _both(gaps), f"{mean(estimates):.2f}", f"{mean(repaired):.1%}")
    return f"| {' | '.join(cells)} |"


def stalled(seeds: Sequence[int]) -> float:
    """What a stall of our own loop of 200 ms on 1.4 Mbit/s leaves of the estimate."""
    left = []
    for seed in seeds:
        world = PictureWorld(Link(1.4e6, delay=0.02), seed=seed)
        world.run(20)
        before = world.controller.estimate
        world.stall(0.2)
        world.run(3)
        left.append(min(world.between(20, world.time)) / before)
    return median(left)


def _both(values: Sequence[float | None]) -> str:
    """Median and worst."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return f"never in {len(values) - len(known)} of {len(values)}"
    return f"{median(known):.2f} s, {max(known):.2f} s"


def measure(count: int) -> list[str]:
    seeds = range(1, count + 1)
    return [
        f"{count} seeds; median and worst.",
        "",
        "| 2 -> 0.5 -> 2 Mbit/s, receiver | longest gap | given up after | tried again | queue p95 "
        "| estimate/truth | back |",
        "|---|---|---|---|---|---|---|",
        steps("steady", LINE, seeds),
        steps(
            "stands still for 100 ms in 770",
            replace(LINE, hiccup=0.1, hiccup_every=0.77),
            seeds,
        ),
        steps(
            "stands still for 200 ms in 1,570",
            replace(LINE, hiccup=0.2, hiccup_every=1.57),
            seeds,
        ),
        "",
        "| 2 Mbit/s | frames seen of those sent | longest gap | estimate/truth | sent again |",
        "|---|---|---|---|---|",
        *(steady(name, line, seeds) for name, line in PATHS),
        "",
        f"Our own loop stands still for 200 ms on 1.4 Mbit/s: {stalled(seeds):.2f} of the estimate is left.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulated", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--write", type=Path, help="a document with a section between simulated marks")
    arguments = parser.parse_args()
    lines = measure(arguments.seeds)
    print("\n".join(lines))
    if arguments.write:
        write_section(arguments.write, "simulated", "\n".join(lines))


if __name__ == "__main__":
    main()
