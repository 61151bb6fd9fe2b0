"""Where a worker's time goes while it forwards media, by its own metrics: `rostrum_worker_..._seconds_total`.

    python -m benchmarks.shares [--seconds 20] [--write docs/performance.md]

The load is that of other benchmarks; the metrics are read twice in the middle of it. What they do not count
(timers, the loop itself, commands of signaling) is the rest of the process's time.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.case import Case, fresh_server, measure
from benchmarks.document import machine_line, write_json, write_section
from benchmarks.fanout import CASES
from benchmarks.rows import EIGHT
from sfu.load.usage import describe_machine, tree_usage
from tests.support.server import Server, media_workers

PARTS: Final = {
    "reading": "reading the socket",
    "media": "opening, preparing, sealing and sending",
    "feedback": "feedback and reports",
    "turns": "turns of transports",
}
LOADS: Final = (CASES[0], CASES[1], Case("2 rooms of 8, camera and microphone", ("--rooms", "2", *EIGHT)))
STEADY: Final = 0.05
"""Two reports that differ by less: everybody is in, and nothing is held back any more."""
REPORT_INTERVAL: Final = 2.5
OUTPUT: Final = Path("artifacts/shares.json")


@dataclass(frozen=True, slots=True)
class Shares:
    """`parts` are microseconds per forwarded packet, `cpu` the worker's CPU per forwarded packet."""

    load: str
    parts: dict[str, float]
    cpu: float

    @property
    def line(self) -> str:
        rest = self.cpu - sum(self.parts.values())
        figures = [*self.parts.values(), rest, self.cpu]
        return f"| {self.load} | " + " | ".join(f"{one:.2f} µs" for one in figures) + " |"


async def share(case: Case, seconds: float) -> Shares:
    async with fresh_server() as server:
        load = asyncio.create_task(measure(case, server, seconds))
        watch = asyncio.create_task(_watch(server, case.name, seconds))
        try:
            await load
            return await asyncio.wait_for(watch, REPORT_INTERVAL)
        except TimeoutError as error:
            raise RuntimeError(f"{case.name}: packets never flowed at one pace: more seconds") from error
        finally:
            watch.cancel()


async def _watch(server: Server, load: str, seconds: float) -> Shares:
    (worker,) = media_workers(server)
    rates = [0.0]
    while not (rates[-1] and abs(rates[-1] / max(rates[-2], 1.0) - 1) < STEADY):
        await asyncio.sleep(REPORT_INTERVAL)
        rates.append((await server.metrics())["rostrum_worker_packets_per_second"])
    first, usage = await server.metrics(), tree_usage(worker)
    await asyncio.sleep(seconds / 2)
    last, used = await server.metrics(), tree_usage(worker).busiest_since(usage)

    def grown(name: str) -> float:
        metric = f"rostrum_worker_{name}_total"
        return last[metric] - first[metric]

    forwarded = grown("packets_forwarded")
    parts = {name: 1e6 * grown(f"{name}_seconds") / forwarded for name in PARTS}
    return Shares(load, parts, 1e6 * used / forwarded)


async def measure_shares(seconds: float) -> list[Shares]:
    return [await share(case, seconds) for case in LOADS]


def to_markdown(found: list[Shares]) -> str:
    head = f"| load | {' | '.join(PARTS.values())} | the rest | CPU of the worker |"
    return "\n".join(
        [
            machine_line(describe_machine()),
            "",
            *(head, "|" + "---|" * (len(PARTS) + 3)),
            *(one.line for one in found),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of media; the middle half is looked at")
    parser.add_argument("--write", type=Path, help="put the table into this document, between its marks")
    arguments = parser.parse_args()
    machine = describe_machine()
    found = asyncio.run(measure_shares(arguments.seconds))
    print(to_markdown(found))
    write_json(OUTPUT, machine, {one.load: asdict(one) for one in found})
    if arguments.write is not None:
        write_section(arguments.write, "shares", to_markdown(found))


if __name__ == "__main__":
    main()
