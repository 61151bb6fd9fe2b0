"""What people cost who do little: joining, the first packet, one more subscriber, sitting there muted.

Each function puts bots on a running server and measures its processes from outside, or the clock.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import numpy as np

from benchmarks.case import give_way
from sfu.bot import AudioSpec, Bot, BotOptions, Organization, RefusedError, VideoSpec
from sfu.bots.departures import Departures
from sfu.load.doubts import MOST_OF_A_CORE
from sfu.load.usage import tree_usage
from sfu.webrtc.certificate import Certificate
from tests.support.server import Server

PRESET = "group_call_participant"
TIMEOUT = 30.0
AT_ONCE = 8
STREAM_IDS_EACH = 8
SETTLE = 1.0
APART = 0.6
"""Seconds between two newcomers, more than the time in which two requests for a key frame become one."""


@dataclass(slots=True)
class Crowd:
    """The bots of one measurement; they leave together."""

    server: Server
    organization: Organization
    heeds_wanted: bool = False
    certificate: Certificate = field(default_factory=lambda: Certificate.generate(datetime.now(UTC)))
    departures: Departures = field(default_factory=Departures)
    bots: list[Bot] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    """Taken before a newcomer waits for anything, so that no two have the same."""

    async def enter(self, meeting_id: str, *, subscribe: bool) -> Bot:
        """A bot that has joined. Raises `RefusedError`; then it is gone again, but stays in the list, where
        places tell the bots' streams apart."""
        number = next(self._numbers)
        token = await self.organization.create_participant(meeting_id, f"bot {number}", PRESET)
        options = BotOptions(
            self.certificate,
            auto_subscribe=subscribe,
            ssrc_base=1000 * (number + 1),
            departures=self.departures,
            heeds_wanted=self.heeds_wanted,
        )
        bot = Bot(self.server.base_url, token, options)
        self.bots.append(bot)
        try:
            await bot.join()
        except RefusedError:
            await bot.leave()  # it may have come in, and been refused what it wanted to receive
            raise
        return bot

    @property
    def joined(self) -> int:
        """How many are in."""
        return sum(bool(bot.state) and not bot.signalling.closed.is_set() for bot in self.bots)

    def stranger(self, token: str) -> Bot:
        """A bot that has not joined, and that the crowd knows nothing of."""
        return Bot(self.server.base_url, token, BotOptions(self.certificate))

    def video_and_audio(self, bot: Bot, *, packets_per_second: float) -> tuple[VideoSpec, AudioSpec]:
        first = STREAM_IDS_EACH * self.bots.index(bot)
        return VideoSpec((first,), packets_per_second=packets_per_second), AudioSpec(first + 1)


@asynccontextmanager
async def crowd(server: Server, *, heeds_wanted: bool = False) -> AsyncIterator[Crowd]:
    """From then on this thread gives way to the server, which runs already. `heeds_wanted`: see
    `BotOptions`."""
    give_way(server)
    async with Organization(server.credentials) as organization:
        people = Crowd(server, organization, heeds_wanted)
        try:
            yield people
        finally:
            for start in range(0, len(people.bots), 50):
                leaving = (bot.leave() for bot in people.bots[start : start + 50])
                await asyncio.gather(*leaving, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class JoinFigures:
    joins: int
    cpu_ms_each: float
    """Of the whole server, REST for the participant's token included."""
    per_second: float
    """How many completed in a second, while so many were begun as `offered_per_second`."""
    signaling_ms_each: float
    """Of `cpu_ms_each`, the signaling process's; the rest is the media worker's."""
    generator_ms_each: float
    """CPU of this process, which is both ends of everything."""
    cores_used: float
    """By server and generator together: where it is all there are, neither alone was the limit."""
    doubts: tuple[str, ...]
    """Why it may have been the generator that could do no more."""
    offered_per_second: float
    seconds_p50: float
    seconds_p95: float
    failed: int


async def joins(server: Server, *, per_second: float, seconds: float, room_size: int = 10) -> JoinFigures:
    """Let people join at a fixed rate, each with a publish and a subscribe transport connected in the end.

    One speaker per room publishes beforehand, so that there is something to subscribe to.
    """
    count = int(per_second * seconds)
    async with crowd(server) as people:
        meetings = []
        for number in range(math.ceil(count / room_size)):
            meetings.append(await people.organization.create_meeting(f"joins {number}"))
            speaker = await people.enter(meetings[-1], subscribe=False)
            await speaker.publish([people.video_and_audio(speaker, packets_per_second=25)[1]])
        await asyncio.sleep(SETTLE)
        taken: list[float] = []

        async def one(number: int, begun: float) -> None:
            await asyncio.sleep(max(0.0, begun - time.monotonic()))
            bot = await people.enter(meetings[number % len(meetings)], subscribe=True)
            await bot.publish([AudioSpec(STREAM_IDS_EACH * people.bots.index(bot))])
            await until(lambda: _connected(bot), "both transports are connected")
            taken.append(time.monotonic() - begun)

        before, own_before, begun = tree_usage(server.pid), time.process_time(), time.monotonic()
        outcomes = await asyncio.gather(
            *(one(number, begun + number / per_second) for number in range(count)), return_exceptions=True
        )
        failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if not taken:
            raise RuntimeError(f"nobody could join: {failed[0]}")
        elapsed = time.monotonic() - begun
        own, after = time.process_time() - own_before, tree_usage(server.pid)
    used = own + after.cpu_s - before.cpu_s
    doubts = []
    cores = os.cpu_count() or 1
    if used > MOST_OF_A_CORE * cores * elapsed:
        doubts.append(f"server and generator used all of the machine's {cores} cores")
    if own > MOST_OF_A_CORE * elapsed:
        doubts.append(f"the generator used {100 * own / elapsed:.0f} % of a core")
    return JoinFigures(
        joins=count,
        cpu_ms_each=(after.cpu_s - before.cpu_s) * 1000 / count,
        signaling_ms_each=(after.cpu_by_process[server.pid] - before.cpu_by_process[server.pid])
        * (1000 / count),
        generator_ms_each=own * 1000 / count,
        cores_used=used / elapsed,
        doubts=tuple(doubts),
        per_second=len(taken) / elapsed,
        offered_per_second=per_second,
        seconds_p50=float(np.percentile(taken, 50)),
        seconds_p95=float(np.percentile(taken, 95)),
        failed=len(failed),
    )


async def first_packets(server: Server, *, count: int) -> list[float]:
    """Seconds from sending `join` to the first packet of video, of people who come one after another."""
    taken = []
    async with crowd(server) as people:
        meeting = await people.organization.create_meeting("first frame")
        speaker = await people.enter(meeting, subscribe=False)
        await speaker.publish(people.video_and_audio(speaker, packets_per_second=100))
        assert speaker.publisher is not None
        speaker.publisher.start()
        await asyncio.sleep(SETTLE)
        for _ in range(count):
            token = await people.organization.create_participant(meeting, "viewer", PRESET)
            ssrc_base = 1000 * (len(people.bots) + 1)
            options = BotOptions(people.certificate, auto_subscribe=True, ssrc_base=ssrc_base)
            bot = Bot(server.base_url, token, options)
            people.bots.append(bot)
            await asyncio.sleep(APART)
            begun = time.monotonic()
            await bot.join()
            await until(partial(_receives, bot, "video"), "video arrives")
            taken.append(time.monotonic() - begun)
    return taken


async def memory_per_subscriber(server: Server, *, first: int, more: int) -> float:
    """KiB by which the server grows for one more subscriber of one video and one audio."""
    async with crowd(server) as people:
        meeting = await people.organization.create_meeting("memory")
        speaker = await people.enter(meeting, subscribe=False)
        await speaker.publish(people.video_and_audio(speaker, packets_per_second=50))
        assert speaker.publisher is not None
        speaker.publisher.start()
        await _fill(people, meeting, first)
        before = tree_usage(server.pid).memory_bytes
        await _fill(people, meeting, more)
        after = tree_usage(server.pid).memory_bytes
    return (after - before) / more / 1024


@dataclass(frozen=True, slots=True)
class IdleFigures:
    peers: int
    rooms: int
    cpu: float
    """Busy fraction of one core."""
    memory_mib: float


async def idle(server: Server, *, rooms: int, room_size: int, seconds: float) -> IdleFigures:
    """People who joined, publish a muted microphone and receive everyone else's."""
    async with crowd(server) as people:
        for number in range(rooms):
            meeting = await people.organization.create_meeting(f"idle {number}")
            await in_turns([_muted(people, meeting) for _ in range(room_size)])
        await until(lambda: all(_connected(bot) for bot in people.bots), "everybody is connected")
        await asyncio.sleep(3 * SETTLE)
        before, begun = tree_usage(server.pid), time.monotonic()
        await asyncio.sleep(seconds)
        after, elapsed = tree_usage(server.pid), time.monotonic() - begun
        return IdleFigures(
            peers=len(people.bots),
            rooms=rooms,
            cpu=(after.cpu_s - before.cpu_s) / elapsed,
            memory_mib=after.memory_bytes / 2**20,
        )


async def _muted(people: Crowd, meeting: str) -> None:
    bot = await people.enter(meeting, subscribe=True)
    (track,) = await bot.publish([AudioSpec(STREAM_IDS_EACH * people.bots.index(bot))])
    await bot.signalling.request("mute", publication_id=track.publication_id)


async def _fill(people: Crowd, meeting: str, count: int) -> None:
    known = len(people.bots)
    await in_turns([people.enter(meeting, subscribe=True) for _ in range(count)])
    newcomers = people.bots[known:]
    await until(
        lambda: all(_receives(bot, "video") and _receives(bot, "audio") for bot in newcomers),
        "everybody receives video and audio",
    )
    await asyncio.sleep(3 * SETTLE)


async def in_turns(jobs: Sequence[Awaitable[object]], *, at_once: int = AT_ONCE) -> None:
    slots = asyncio.Semaphore(at_once)

    async def one(job: Awaitable[object]) -> None:
        async with slots:
            await job

    await asyncio.gather(*(one(job) for job in jobs))


def _connected(bot: Bot) -> bool:
    return all(
        transport is not None and transport.association.connected.is_set()
        for transport in (bot.publisher, bot.subscriber)
    )


def _receives(bot: Bot, kind: str) -> bool:
    return bot.subscriber is not None and any(
        stream.kind == kind for stream in bot.subscriber.media_streams()
    )


async def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {TIMEOUT:.0f} s: {what}")
        await asyncio.sleep(0.001)
