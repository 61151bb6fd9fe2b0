"""A worker that is asked for half as much again as it can: who is refused, what is given up at which level,
and what those inside hear before, during and after.

    python -m benchmarks.overload [--seconds 20] [--factor 1.5] [--write docs/operations.md]

One worker with the usual limits (`--full-above`, `--shed-above`) and half a core (`benchmarks.neighbour`).
First it is measured what a room of six with cameras (three encodings) and one speaker takes of a core: by
what three take more than one. Then so many rooms are in that all together are `factor` times the half;
everybody shows three of the five others, and sends what is received. Before and after, as many rooms as make
0.4 of it have their cameras on; during, all. Somebody new tries to join twice a second.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from benchmarks.case import ADMITTING, fresh_server
from benchmarks.document import machine_line, write_json, write_section
from benchmarks.neighbour import LEFT, neighbour
from benchmarks.people import Crowd, crowd, in_turns, until
from benchmarks.phases import Meter, Phase, tallies
from sfu.bot import AudioSpec, Bot, RefusedError, VideoSpec
from sfu.bots.publish import OutboundTrack
from sfu.load.usage import describe_machine, tree_usage
from sfu.pressure import Level
from tests.support.server import Server

Done = TypeVar("Done")

ROOM_SIZE, SHOWN, ENCODINGS = 6, 3, 3
VIDEO_RATE, PACKET_SIZE = 120.0, 1100
STREAM_IDS = 8
CALIBRATION_SECONDS = 5.0
FEW, MORE = 1, 3
"""Rooms to tell from what one takes: the first also pays for what happens once."""
CALM = 0.4
SAMPLE_INTERVAL, TRY_INTERVAL = 0.25, 0.5
FILLING_AT_ONCE, PATIENCE = 2, 150.0
"""How many come in at a time while the rooms are filled, and for how many seconds one of them is refused
before that is an error. Joins are a load of their own: many at a time have the server give video up, which it
takes back, and then takes somebody new, only after a while, a longer one each time."""
LEAST_SHARE = 0.03
QUIET, SETTLE = 1.0, 6.0
"""Seconds between two rooms' turning on their cameras in calm, and before the first phase."""
PRESSURE = "rostrum_worker_pressure"
OUTPUT = Path("artifacts/overload.json")
PHASES = (
    "| phase | cameras on | worker | joins refused | voices: lost | p50 / p99 / p99.9 ms | videos, packets/s "
    "| p50 / p99 ms |",
    "|---|---|---|---|---|---|---|---|",
)
LEVELS = (
    "| level | seconds | worker | videos paused | of the rest, lowest layer | packets/s |",
    "|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """At one moment: `busy` is the worker's fraction of a core since the sample before, `packets` what all
    received in that time, per second. `paused` and `lowest` of `videos` are shares of all subscriptions to
    videos whose cameras are on."""

    level: Level
    busy: float
    seconds: float
    videos: int
    paused: int
    lowest: int
    packets: float


@dataclass(slots=True)
class Tries:
    """Of people who would join: what became of it."""

    admitted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    retry_after: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        tried = self.admitted + sum(self.refused.values())
        if not self.refused:
            return f"0 of {tried}"
        reasons = ", ".join(self.refused)
        retry = (
            f", retry after {min(self.retry_after):.0f} to {max(self.retry_after):.0f} s"
            if self.retry_after
            else ""
        )
        return f"{sum(self.refused.values())} of {tried}: {reasons}{retry}"


@dataclass(frozen=True, slots=True)
class Overload:
    """`room_share` is what a room takes of a core, `base` what the worker takes besides; `rooms` are in, of
    which `calm_rooms` have cameras on before and after."""

    room_share: float
    base: float
    rooms: int
    calm_rooms: int
    phases: tuple[tuple[Phase, Tries], ...]
    samples: tuple[Sample, ...]
    """Of the phase in which there is too much to do, and after it."""

    def phase_lines(self) -> list[str]:
        lines = []
        for phase, tries in self.phases:
            audio, video = phase.heard["everybody audio"], phase.heard["everybody video"]
            rooms = self.rooms if phase.name == "during" else self.calm_rooms
            lines.append(
                f"| {phase.name} | {rooms} rooms of {ROOM_SIZE} | {100 * phase.busy:.0f} % | {tries} "
                f"| {audio.losses} | {audio.delays} "
                f"| {video.packets / phase.seconds:.0f} | {video.p50:.2f} / {video.p99:.2f} |"
            )
        return lines

    def level_lines(self) -> list[str]:
        lines = []
        for level in sorted({sample.level for sample in self.samples}):
            found = [sample for sample in self.samples if sample.level is level]
            videos = max(1, sum(sample.videos for sample in found))
            sent = max(1, sum(sample.videos - sample.paused for sample in found))
            lines.append(
                f"| {level.value} {level.name.lower()} | {sum(one.seconds for one in found):.1f} "
                f"| {100 * fmean(one.busy for one in found):.0f} % "
                f"| {100 * sum(one.paused for one in found) / videos:.0f} % "
                f"| {100 * sum(one.lowest for one in found) / sent:.0f} % "
                f"| {fmean(one.packets for one in found):.0f} |"
            )
        return lines

    @property
    def times(self) -> float:
        """What all of them together are of what the worker can carry with what it gets."""
        return (self.base + self.rooms * self.room_share) / LEFT

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
        return (
            f"A neighbour leaves the worker {100 * LEFT:.0f} % of a core. A room takes "
            f"{100 * self.room_share:.1f} % of one beside {100 * self.base:.1f} % for all, so {self.rooms} "
            f"rooms take {self.times:.2f} times what there is. "
            f"{self.phases[1][0].generator * 100:.0f} % of a core went to the load generator meanwhile."
        )


async def measure_overload(seconds: float, *, factor: float = 1.5) -> Overload:
    # In a thread, which gives way to its server; the next server is to start anew.
    few = await asyncio.to_thread(asyncio.run, busy_with(FEW))
    many = await asyncio.to_thread(asyncio.run, busy_with(MORE))
    share = max((many - few) / (MORE - FEW), LEAST_SHARE)
    base = max(0.0, few - FEW * share)
    rooms = max(2, math.ceil((factor * LEFT - base) / share))
    calm_rooms = max(1, int((CALM * LEFT - base) / share))
    async with (
        fresh_server(arguments=ADMITTING) as server,
        neighbour(server) as let_begin,
        crowd(server, heeds_wanted=True) as people,
    ):
        scene = Scene(server, people)
        await scene.fill(rooms)
        await scene.calm()
        let_begin()
        for room in scene.rooms[:calm_rooms]:
            await scene.turn_cameras(room, on=True)
            await asyncio.sleep(QUIET)
        await asyncio.sleep(SETTLE)
        phases = []
        for name in ("before", "during", "after"):
            for room in scene.rooms[calm_rooms:] if name != "before" else ():
                await scene.turn_cameras(room, on=name == "during")
            phases.append(await scene.phase(name, seconds * (2 if name == "after" else 1)))
        return Overload(share, base, rooms, calm_rooms, tuple(phases), tuple(scene.samples))


async def busy_with(rooms: int) -> float:
    """What the busiest process takes of a core with so many rooms, everything on."""
    async with fresh_server() as server, crowd(server, heeds_wanted=True) as people:
        scene = Scene(server, people)
        await scene.fill(rooms)
        for room in scene.rooms:
            await scene.turn_cameras(room, on=True)
        await asyncio.sleep(SETTLE)
        meter = Meter("calibration", server.pid, {})
        await asyncio.sleep(CALIBRATION_SECONDS)
        return meter.read().busy


class Scene:
    """All the rooms, and what is seen of them."""

    def __init__(self, server: Server, people: Crowd) -> None:
        self.rooms: list[list[Bot]] = []
        self.samples: list[Sample] = []
        self._server = server
        self._people = people
        self._filming: set[Bot] = set()
        self._meetings: list[str] = []

    async def fill(self, rooms: int) -> None:
        """Everybody in, talking, with the camera published and off; each shows the first few others."""
        for number in range(rooms):
            meeting = await self._people.organization.create_meeting(f"room {number}")
            self._meetings.append(meeting)
            room: list[Bot] = []
            joining = [self._add(room, meeting) for _ in range(ROOM_SIZE)]
            await in_turns(joining, at_once=FILLING_AT_ONCE)
            self.rooms.append(room)
        listeners = [bot for room in self.rooms for bot in room[1:]]
        await until(lambda: all(tallies([bot], "audio") for bot in listeners), "all hear the speaker")
        for room in self.rooms:
            for bot in room:
                await self._show(bot)

    async def calm(self) -> None:
        """Until nothing is given up: filling the rooms may have been too much for a moment."""
        until_then = time.monotonic() + PATIENCE
        while await self._level() is not Level.CALM:
            if time.monotonic() > until_then:
                raise RuntimeError(
                    f"not calm within {PATIENCE:.0f} s of {self._people.joined} people's joining"
                )
            await asyncio.sleep(TRY_INTERVAL)

    async def turn_cameras(self, room: Sequence[Bot], *, on: bool) -> None:
        for bot in room:
            assert bot.publisher is not None
            if on:
                bot.publisher.start(only="video", phase=0.04 * len(self._filming) / ROOM_SIZE % 0.04)
                self._filming.add(bot)
            else:
                bot.publisher.stop(only="video")
                self._filming.discard(bot)

    async def phase(self, name: str, seconds: float) -> tuple[Phase, Tries]:
        everybody = [bot for room in self.rooms for bot in room]
        meter, tries = Meter(name, self._server.pid, {"everybody": everybody}), Tries()
        end = time.monotonic() + seconds
        trying = asyncio.create_task(self._try_to_join(end, tries))
        await self._watch(end, keep=name != "before")
        await trying
        return meter.read(), tries

    async def _add(self, room: list[Bot], meeting: str) -> None:
        bot = await self._enter(meeting)
        first = STREAM_IDS * self._people.bots.index(bot)
        layers = tuple(range(first, first + ENCODINGS))
        video = VideoSpec(layers, packets_per_second=VIDEO_RATE, payload_size=PACKET_SIZE)
        room.append(bot)
        speaks = room[0] is bot
        media = [video, *([AudioSpec(first + ENCODINGS)] if speaks else [])]
        await self._in_time(lambda: bot.publish(media))
        assert bot.publisher is not None
        bot.publisher.start(only="audio")

    async def _enter(self, meeting: str) -> Bot:
        return await self._in_time(lambda: self._people.enter(meeting, subscribe=True))

    async def _in_time(self, ask: Callable[[], Awaitable[Done]]) -> Done:
        """Who is refused comes again later, as it is said. Raises `RuntimeError` where that goes on."""
        until_then = time.monotonic() + PATIENCE
        while True:
            try:
                return await ask()
            except RefusedError as error:
                if time.monotonic() > until_then:
                    level = (await self._server.metrics()).get(PRESSURE, 0.0)
                    raise RuntimeError(
                        f"the server was full for {PATIENCE:.0f} s before it had {self._people.joined} "
                        f"people: {error}, pressure {level:.0f}"
                    ) from error
                await asyncio.sleep(error.retry_after or TRY_INTERVAL)

    async def _show(self, bot: Bot) -> None:
        videos = [one["publication_id"] for one in bot.publications.values() if one["kind"] == "video"]
        tiles = [{"publication_id": one, "width": 1280, "height": 720} for one in videos[:SHOWN]]
        await bot.signalling.request("set_tiles", tiles=tiles)

    async def _try_to_join(self, end: float, tries: Tries) -> None:
        organization = self._people.organization
        while time.monotonic() < end:
            token = await organization.create_participant(self._meetings[0], "late", "group_call_participant")
            bot = self._people.stranger(token)
            try:
                await bot.join()
            except RefusedError as error:
                tries.refused[error.name] = tries.refused.get(error.name, 0) + 1
                if error.retry_after is not None:
                    tries.retry_after.append(error.retry_after)
            else:
                tries.admitted += 1
            finally:
                await bot.leave()
            await asyncio.sleep(TRY_INTERVAL)

    async def _watch(self, end: float, *, keep: bool) -> None:
        usage, at, packets = tree_usage(self._server.pid), time.monotonic(), self._packets()
        while time.monotonic() < end:
            await asyncio.sleep(SAMPLE_INTERVAL)
            level = await self._level()
            usage_now, now, packets_now = tree_usage(self._server.pid), time.monotonic(), self._packets()
            elapsed = now - at
            videos, paused, lowest = self._videos()
            sample = Sample(
                level=level,
                busy=usage_now.busiest_since(usage) / elapsed,
                seconds=elapsed,
                videos=videos,
                paused=paused,
                lowest=lowest,
                packets=(packets_now - packets) / elapsed,
            )
            if keep:
                self.samples.append(sample)
            usage, at, packets = usage_now, now, packets_now

    async def _level(self) -> Level:
        return Level(int((await self._server.metrics())[PRESSURE]))

    def _packets(self) -> int:
        everybody = [bot for room in self.rooms for bot in room]
        return sum(one.packets for kind in ("audio", "video") for one in tallies(everybody, kind))

    def _videos(self) -> tuple[int, int, int]:
        """Subscriptions to videos whose cameras are on; those paused; those at the lowest layer."""
        filming = {track.publication_id for bot in self._filming for track in _videos_of(bot)}
        lowest_ids = {
            track.encodings[0].frames.stream_id for bot in self._filming for track in _videos_of(bot)
        }
        videos = paused = lowest = 0
        for room in self.rooms:
            for bot in room:
                own = {track.publication_id for track in _videos_of(bot)}
                wanted = (filming - own) & bot.publications.keys()
                given_up = wanted & bot.paused.keys()
                videos += len(wanted)
                paused += len(given_up)
                if bot.subscriber is not None:
                    lowest += sum(
                        stream.tally.stream_id in lowest_ids
                        and bot.publication_of(stream.mid) not in given_up
                        for stream in bot.subscriber.media_streams()
                    )
        return videos, paused, lowest


def _videos_of(bot: Bot) -> list[OutboundTrack]:
    assert bot.publisher is not None
    return [track for track in bot.publisher.tracks if track.media.kind == "video"]


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
