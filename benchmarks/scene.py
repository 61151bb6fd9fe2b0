"""Rooms of people with cameras and one voice each, on a server that is asked for more and more, and what is
seen of it: the level of what it gives up, what its worker takes, and what each receiver gets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Final, TypeVar

from benchmarks.people import Crowd, in_turns, until
from benchmarks.phases import Meter, Phase, tallies
from sfu.bot import AudioSpec, Bot, RefusedError, VideoSpec
from sfu.bots.publish import OutboundTrack
from sfu.load.usage import tree_usage
from sfu.pressure import Level
from tests.support.server import Server

Done = TypeVar("Done")

ROOM_SIZE, SHOWN, ENCODINGS = 6, 3, 3
VIDEO_RATE, PACKET_SIZE = 120.0, 1100
STREAM_IDS: Final = 8
MOST_ROOMS: Final = 20
ASKING: Final = 120.0
"""Seconds in which more and more is asked for, at most."""
EACH: Final = 2.5
"""Seconds between two rooms' turning on their cameras: the server takes 1 to 1.5 to find that too much."""
SAMPLE_INTERVAL, TRY_INTERVAL = 0.25, 0.5
FILLING_AT_ONCE, PATIENCE = 2, 60.0
"""How many come in at a time while rooms are filled, and for how many seconds one of them is refused before
that is an error. Joins are a load of their own: many at a time have the server give video up, which it takes
back, and then takes somebody new, only after a while, a longer one each time."""
PRESSURE: Final = "rostrum_worker_pressure"


@dataclass(frozen=True, slots=True)
class Sample:
    """At one moment: `busy` is the worker's fraction of a core since the sample before, `packets` what all
    received in that time, per second. `videos` are subscriptions to those whose cameras are on; of these
    `paused` for overload, `narrow` for bandwidth, and `lowest` at their lowest layer."""

    level: Level
    busy: float
    seconds: float
    videos: int
    paused: int
    narrow: int
    lowest: int
    packets: float


@dataclass(slots=True)
class Tries:
    """Of people who would join: what became of it."""

    admitted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    retry_after: list[float] = field(default_factory=list)

    def note(self, refusal: RefusedError) -> None:
        self.refused[refusal.name] = self.refused.get(refusal.name, 0) + 1
        if refusal.retry_after is not None:
            self.retry_after.append(refusal.retry_after)

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


class Scene:
    """All the rooms. The first `filming` of them have their cameras on. `entries` are those of the people in
    the rooms, refused ones included; `samples` are kept from `ask_for_more` on."""

    def __init__(self, server: Server, people: Crowd) -> None:
        self.rooms: list[list[Bot]] = []
        self.filming = 0
        self.entries = Tries()
        self.samples: list[Sample] = []
        self._server = server
        self._people = people
        self._meetings: list[str] = []

    # --- filling -------------------------------------------------------------------------------------

    async def fill(self, rooms: int) -> None:
        """So many rooms in all: everybody in, one talking, the camera published and off; each shows the first
        few others. Raises `RuntimeError` where somebody is not let in."""
        while len(self.rooms) < rooms:
            meeting = await self._people.organization.create_meeting(f"room {len(self.rooms)}")
            room: list[Bot] = []
            await in_turns([self._add(room, meeting) for _ in range(ROOM_SIZE)], at_once=FILLING_AT_ONCE)
            await until(lambda: all(tallies([bot], "audio") for bot in room[1:]), "all hear the speaker")  # noqa: B023
            for bot in room:
                await self._show(bot)
            self._meetings.append(meeting)
            self.rooms.append(room)

    async def calm(self) -> None:
        """Until nothing is given up: filling the rooms may have been too much for a moment."""
        until_then = time.monotonic() + PATIENCE
        while await self.level() is not Level.CALM:
            if time.monotonic() > until_then:
                raise RuntimeError(
                    f"not calm within {PATIENCE:.0f} s of {self._people.joined} people's joining"
                )
            await asyncio.sleep(TRY_INTERVAL)

    async def _add(self, room: list[Bot], meeting: str) -> None:
        bot = await self._in_time(lambda: self._people.enter(meeting, subscribe=True))
        self.entries.admitted += 1
        first = STREAM_IDS * self._people.bots.index(bot)
        layers = tuple(range(first, first + ENCODINGS))
        video = VideoSpec(layers, packets_per_second=VIDEO_RATE, payload_size=PACKET_SIZE)
        room.append(bot)
        media: list[VideoSpec | AudioSpec] = [video]
        if room[0] is bot:
            media.append(AudioSpec(first + ENCODINGS))
        await self._in_time(lambda: bot.publish(media))
        assert bot.publisher is not None
        bot.publisher.start(only="audio")

    async def _in_time(self, ask: Callable[[], Awaitable[Done]]) -> Done:
        """Who is refused comes again later, as it is said. Raises `RuntimeError` where that goes on."""
        until_then = time.monotonic() + PATIENCE
        while True:
            try:
                return await ask()
            except RefusedError as error:
                self.entries.note(error)
                if time.monotonic() > until_then:
                    raise RuntimeError(
                        f"the server was full for {PATIENCE:.0f} s before it had {self._people.joined} "
                        f"people: {error}, pressure {await self.level()}"
                    ) from error
                await asyncio.sleep(error.retry_after or TRY_INTERVAL)

    async def _show(self, bot: Bot) -> None:
        videos = [one["publication_id"] for one in bot.publications.values() if one["kind"] == "video"]
        tiles = [{"publication_id": one, "width": 1280, "height": 720} for one in videos[:SHOWN]]
        await bot.signalling.request("set_tiles", tiles=tiles)

    # --- asking --------------------------------------------------------------------------------------

    def film(self, rooms: int) -> None:
        """Have the cameras of the first so many rooms on, and the others' off."""
        for number in range(self.filming, rooms):
            for index, bot in enumerate(self.rooms[number]):
                assert bot.publisher is not None
                bot.publisher.start(only="video", phase=0.04 * index / ROOM_SIZE)
        for room in self.rooms[rooms : self.filming]:
            for bot in room:
                assert bot.publisher is not None
                bot.publisher.stop(only="video")
        self.filming = rooms

    async def busy(self, seconds: float) -> float:
        """What the busiest process takes of a core, over so many seconds."""
        meter = Meter("busy", self._server.pid, {})
        await asyncio.sleep(seconds)
        return meter.read().busy

    async def ask_for_more(self, factor: float) -> int | None:
        """Have one room after another turn its cameras on until something is given up, and then go on to
        `factor` times as many. Where all rooms have them on before that, more people come.

        The number of rooms with which something was given up first; None where that was not brought about.
        """
        until_then = time.monotonic() + ASKING
        tipped: int | None = None
        async with self._watching():
            while time.monotonic() < until_then:
                if tipped is None and await self.level() is not Level.CALM:
                    tipped = self.filming
                if tipped is not None and self.filming >= min(ceil(factor * tipped), len(self.rooms)):
                    break
                if self.filming == len(self.rooms):
                    if self.filming == MOST_ROOMS:
                        break
                    await self.fill(len(self.rooms) + 1)
                self.film(self.filming + 1)
                await asyncio.sleep(EACH)
        return tipped

    # --- watching ------------------------------------------------------------------------------------

    async def phase(self, name: str, seconds: float, *, keep: bool = True) -> tuple[Phase, Tries]:
        """Let time pass, in which somebody new tries to join; what was heard and what became of that. The
        samples of it are kept."""
        everybody = [bot for room in self.rooms for bot in room]
        meter, tries = Meter(name, self._server.pid, {"everybody": everybody}), Tries()
        kept = len(self.samples)
        async with self._watching():
            await self._try_to_join(time.monotonic() + seconds, tries)
        if not keep:
            del self.samples[kept:]
        return meter.read(), tries

    async def level(self) -> Level:
        return Level(int((await self._server.metrics())[PRESSURE]))

    async def _try_to_join(self, end: float, tries: Tries) -> None:
        organization = self._people.organization
        while time.monotonic() < end:
            token = await organization.create_participant(self._meetings[0], "late", "group_call_participant")
            bot = self._people.stranger(token)
            try:
                await bot.join()
            except RefusedError as error:
                tries.note(error)
            else:
                tries.admitted += 1
            finally:
                await bot.leave()
            await asyncio.sleep(TRY_INTERVAL)

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self) -> None:
        usage, at, packets = tree_usage(self._server.pid), time.monotonic(), self._packets()
        while True:
            await asyncio.sleep(SAMPLE_INTERVAL)
            level = await self.level()
            usage_now, now, packets_now = tree_usage(self._server.pid), time.monotonic(), self._packets()
            elapsed = now - at
            videos, paused, narrow, lowest = self._videos()
            self.samples.append(
                Sample(
                    level=level,
                    busy=usage_now.busiest_since(usage) / elapsed,
                    seconds=elapsed,
                    videos=videos,
                    paused=paused,
                    narrow=narrow,
                    lowest=lowest,
                    packets=(packets_now - packets) / elapsed,
                )
            )
            usage, at, packets = usage_now, now, packets_now

    def _packets(self) -> int:
        everybody = [bot for room in self.rooms for bot in room]
        return sum(one.packets for kind in ("audio", "video") for one in tallies(everybody, kind))

    def _videos(self) -> tuple[int, int, int, int]:
        """See `Sample`: videos, paused, narrow, lowest."""
        videos = paused = narrow = lowest = 0
        for room in self.rooms[: self.filming]:
            tracks = {bot: _videos_of(bot) for bot in room}
            filming = {track.publication_id for own in tracks.values() for track in own}
            lowest_ids = {track.encodings[0].frames.stream_id for own in tracks.values() for track in own}
            for bot in room:
                wanted = (filming - {track.publication_id for track in tracks[bot]}) & bot.publications.keys()
                given_up = wanted & bot.paused.keys()
                short = sum(bot.paused.get(one or "") == "bandwidth" for one in given_up)
                videos += len(wanted)
                narrow += short
                paused += len(given_up) - short
                if bot.subscriber is not None:
                    lowest += sum(
                        stream.tally.stream_id in lowest_ids
                        and bot.publication_of(stream.mid) not in given_up
                        for stream in bot.subscriber.media_streams()
                    )
        return videos, paused, narrow, lowest


def _videos_of(bot: Bot) -> list[OutboundTrack]:
    assert bot.publisher is not None
    return [track for track in bot.publisher.tracks if track.media.kind == "video"]
