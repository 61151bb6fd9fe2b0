"""A worker that is asked for more than it can: who is refused, what is given up at which level, and what
those inside hear before, during and after.

    python -m benchmarks.overload [--seconds 20] [--factor 1.5] [--write docs/operations.md]

One worker with the usual limits (`--full-above`, `--shed-above`) and half a core (`benchmarks.neighbour`).
First it is measured what a room of six with cameras (three encodings) and one speaker takes of a core: by
what the first ones take while the core is the worker's. Then so many rooms are in that all together should
be `factor` times the half; everybody shows three of the five others, and sends what is received. Before and
after, as many as make 0.4 of it have their cameras on. In between one more turns them on every few seconds,
until something is given up, and then as many again as make `factor` times those; more rooms come in where
those inside do not suffice. Somebody new tries to join twice a second.
"""

from __future__ import annotations

import argparse
import asyncio
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.case import ADMITTING, fresh_server
from benchmarks.document import machine_line, write_json, write_section
from benchmarks.neighbour import LEFT, neighbour
from benchmarks.people import crowd
from benchmarks.phases import Phase
from benchmarks.scene import MOST_ROOMS, ROOM_SIZE, SHOWN, Sample, Scene, Tries
from sfu.load.usage import describe_machine

FIRST_ROOMS = 3
CALIBRATION_SECONDS = 4.0
CALM = 0.4
LEAST_SHARE = 0.02
"""Of a core, that a room takes: what is measured of few rooms is uncertain by as much."""
SETTLE = 6.0
"""Seconds until joins are forgotten, and until everybody receives what a path may carry."""
OUTPUT = Path("artifacts/overload.json")
PHASES = (
    "| phase | cameras on | worker (waited) | joins refused | voices: lost | p50 / p99 / p99.9 ms "
    "| videos, packets/s | p50 / p99 ms |",
    "|---|---|---|---|---|---|---|---|",
)
LEVELS = (
    "| level | seconds | worker | videos paused for overload | for bandwidth | of the rest, lowest layer "
    "| packets/s |",
    "|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Overload:
    """`room_share` is what a room with cameras on takes of a core, `base` what the worker takes without any.

    `rooms` are in, of which `calm_rooms` have cameras on before and after. With `tipped` of them something
    was given up first (None: with none), and `asked` had them on in the end.
    """

    room_share: float
    base: float
    rooms: int
    calm_rooms: int
    tipped: int | None
    asked: int
    entries: Tries
    phases: tuple[tuple[Phase, Tries], ...]
    samples: tuple[Sample, ...]
    """From the first room that turned its cameras on beyond those in calm."""

    def phase_lines(self) -> list[str]:
        lines = []
        for phase, tries in self.phases:
            audio, video = phase.heard["everybody audio"], phase.heard["everybody video"]
            rooms = self.asked if phase.name == "during" else self.calm_rooms
            lines.append(
                f"| {phase.name} | {rooms} rooms of {ROOM_SIZE} "
                f"| {100 * phase.busy:.0f} % ({100 * phase.waited:.0f} %) | {tries} "
                f"| {audio.losses} | {audio.delays} "
                f"| {video.packets / phase.seconds:.0f} | {video.p50:.2f} / {video.p99:.2f} |"
            )
        return lines

    def level_lines(self) -> list[str]:
        lines = []
        for level in sorted({sample.level for sample in self.samples}):
            found = [sample for sample in self.samples if sample.level is level]
            videos = max(1, sum(sample.videos for sample in found))
            sent = max(1, sum(sample.videos - sample.paused - sample.narrow for sample in found))
            lines.append(
                f"| {level.value} {level.name.lower()} | {sum(one.seconds for one in found):.1f} "
                f"| {100 * fmean(one.busy for one in found):.0f} % "
                f"| {100 * sum(one.paused for one in found) / videos:.0f} % "
                f"| {100 * sum(one.narrow for one in found) / videos:.0f} % "
                f"| {100 * sum(one.lowest for one in found) / sent:.0f} % "
                f"| {fmean(one.packets for one in found):.0f} |"
            )
        return lines

    @property
    def times(self) -> float:
        """What was asked for, of what the worker can carry with what it gets."""
        return (self.base + self.asked * self.room_share) / LEFT

    @property
    def highest(self) -> int:
        """The highest level of all."""
        return max((sample.level for sample in self.samples), default=0)

    @property
    def given_up(self) -> str:
        """How many videos were paused for overload, when most were."""
        most = max(self.samples, key=lambda sample: sample.paused)
        unseen = most.videos * (ROOM_SIZE - 1 - SHOWN) // (ROOM_SIZE - 1)
        return f"{most.paused} of {most.videos} videos paused at once, {unseen} of which nobody showed"

    def to_markdown(self) -> str:
        return "\n".join(
            [
                *(machine_line(describe_machine()), "", *PHASES, *self.phase_lines(), ""),
                *(self.offered(), "", *LEVELS, *self.level_lines()),
            ]
        )

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    def offered(self) -> str:
        tipped = (
            "Nothing was given up"
            if self.tipped is None
            else f"With the cameras of {self.tipped} rooms on, something was given up for the first time"
        )
        return (
            f"A neighbour leaves the worker {100 * LEFT:.0f} % of a core. A room takes "
            f"{100 * self.room_share:.1f} % of one beside {100 * self.base:.1f} % for the voices of all, so "
            f"{self.asked} rooms take {self.times:.2f} times what there is. {tipped}; at most "
            f"{self.given_up}. Of the joins with which {self.rooms} rooms were filled, refused: "
            f"{self.entries}. {self.phases[1][0].generator * 100:.0f} % of a core went to the load generator."
        )


async def measure_overload(seconds: float, *, factor: float = 1.5) -> Overload:
    """Raises `RuntimeError` where the rooms could not be filled, and where a phase says nothing of voices."""
    async with (
        fresh_server(arguments=ADMITTING) as server,
        neighbour(server) as let_begin,
        crowd(server, heeds_wanted=True) as people,
    ):
        scene = Scene(server, people)
        await scene.fill(FIRST_ROOMS)
        await scene.calm()
        await asyncio.sleep(SETTLE)
        quiet = await scene.busy(CALIBRATION_SECONDS)
        scene.film(FIRST_ROOMS)
        await asyncio.sleep(SETTLE)
        share = max((await scene.busy(CALIBRATION_SECONDS) - quiet) / FIRST_ROOMS, LEAST_SHARE)
        scene.film(0)
        rooms = math.ceil(factor * LEFT / (share + quiet / FIRST_ROOMS))
        await scene.fill(min(max(FIRST_ROOMS, rooms), MOST_ROOMS))
        await scene.calm()
        await asyncio.sleep(SETTLE)
        base = await scene.busy(CALIBRATION_SECONDS)
        let_begin()
        calm_rooms = max(1, int((CALM * LEFT - base) / share))
        scene.film(calm_rooms)
        await asyncio.sleep(SETTLE)
        await scene.calm()
        before = await scene.phase("before", seconds, keep=False)
        tipped = await scene.ask_for_more(factor)
        asked = scene.filming
        during = await scene.phase("during", seconds)
        scene.film(calm_rooms)
        after = await scene.phase("after", 2 * seconds)
        for phase, _ in (before, during, after):
            if not phase.heard["everybody audio"].packets:
                raise RuntimeError(f"nobody heard anything in the phase {phase.name!r}")
        return Overload(
            share,
            base,
            len(scene.rooms),
            calm_rooms,
            tipped,
            asked,
            scene.entries,
            (before, during, after),
            tuple(scene.samples),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each phase")
    parser.add_argument("--factor", type=float, default=1.5, help="times what a worker can carry")
    parser.add_argument("--write", type=Path, help="put the tables into this document, between its marks")
    arguments = parser.parse_args()
    machine = describe_machine()
    found = asyncio.run(measure_overload(arguments.seconds, factor=arguments.factor))
    print(found.to_markdown())
    write_json(OUTPUT, machine, found.to_json())
    if arguments.write is not None:
        write_section(arguments.write, "overload", found.to_markdown())


if __name__ == "__main__":
    main()
