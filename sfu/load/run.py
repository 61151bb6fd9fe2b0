"""One load from the first request to the report.

    meetings and participants by REST -> publishers join -> subscribers join -> media, until every subscriber
    has all of every stream -> senders pause, the wire drains -> *window*: media -> senders stop -> drain
    -> report

The pauses around the window make the count exact: whatever arrives after the first pause was sent in the
window, and whatever has not arrived after the last one is lost or was held back by the server.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from sfu.bot import AudioSpec, BotError, BotOptions, VideoSpec
from sfu.bots.departures import Departures
from sfu.bots.publish import OutboundEncoding, OutboundTrack
from sfu.bots.subscribe import SAMPLE_INTERVAL
from sfu.bots.tally import StreamTally
from sfu.load.plan import MAX_BOTS, LoadPlan
from sfu.load.ramp import Ramp, Reception
from sfu.load.silence import Silence
from sfu.load.usage import Usage, buffer_errors, tree_usage
from sfu.load.venue import Guest, Venue
from sfu.webrtc.certificate import Certificate

JOIN_CONCURRENCY = 8
STREAMS_TIMEOUT = 20.0
RAMP_INTERVAL, RAMP_TIMEOUT = 1.0, 20.0
"""Seconds between two looks at whether everybody receives everything, and for how long that is waited for."""
DRAIN_POLL, DRAIN_LOOKS, DRAIN_TIMEOUT = 0.1, 10, 10.0
"""Seconds between two looks at what arrived; looks without a packet, after which none is on its way any more,
for a server on a busy machine may stand still for half of that second; and seconds at most."""
STREAM_IDS_PER_PUBLISHER = 8

Progress = Callable[[str], None]


@dataclass(slots=True)
class Room:
    """The guests of one meeting; `encodings` are what its publishers send, by stream id."""

    meeting_id: str
    publishers: list[Guest] = field(default_factory=list)
    subscribers: list[Guest] = field(default_factory=list)

    def encodings_of(self, publisher: Guest) -> list[OutboundEncoding]:
        assert publisher.publisher is not None, "published when it joined"
        return [one for track in publisher.publisher.tracks for one in track.encodings]

    def received_by(self, subscriber: Guest) -> Iterator[tuple[OutboundTrack, list[StreamTally]]]:
        """What a subscriber may receive, and what it counted of each."""
        if subscriber.subscriber is None:
            return
        tallies = [stream.tally for stream in subscriber.subscriber.media_streams()]
        for publisher in self.publishers:
            if publisher is subscriber or publisher.publisher is None:
                continue
            for track in publisher.publisher.tracks:
                ids = {one.frames.stream_id for one in track.encodings}
                yield track, [tally for tally in tallies if tally.stream_id in ids]


@dataclass(frozen=True, slots=True)
class Window:
    """What was measured: the server's usage before and after, and how long media flowed."""

    seconds: float
    sent_before: dict[int, int]
    """Stream id -> packets sent before the window."""
    events_before: dict[Guest, int]
    """How many events each subscriber had got before the window."""
    skipped_before: int
    """Frames that were given up before the window."""
    before: Usage | None
    after: Usage | None
    own_cpu_s: float
    """What this process used for sending and counting."""
    buffer_errors: int
    """Datagrams dropped on this machine for want of room in a socket's buffer."""


class Load:
    """Runs a plan once. `close` ends whatever `run` started, also after an error."""

    def __init__(self, plan: LoadPlan, venue: Venue, server_pid: int | None, progress: Progress) -> None:
        if plan.bots > MAX_BOTS:
            raise ValueError(f"{plan.bots} participants are more than {MAX_BOTS}")
        self.plan = plan
        self.rooms: list[Room] = []
        self.join_seconds: list[float] = []
        self.ramp_seconds = 0.0
        """How long it took until everybody received everything, or was not waited for any longer."""
        self.limited_before = 0
        """Publications that some receiver did not get all of, just before the window."""
        self._venue = venue
        self._server_pid = server_pid
        self._progress = progress
        self._certificate = Certificate.generate(datetime.now(UTC))
        self._departures = Departures()
        self._slots = asyncio.Semaphore(JOIN_CONCURRENCY)
        self._guests: list[Guest] = []

    async def run(self) -> Window:
        """Connect everyone, measure, and return the window. Raises `BotError` if that cannot be done."""
        if self._server_pid is not None:
            self._usage()
        await self._connect()
        self._progress(f"media to {sum(len(room.subscribers) for room in self.rooms)} subscribers")
        self._start()
        await self._wait_streams()
        await self._wait_full()
        await asyncio.sleep(self.plan.warm_up)
        self._stop()
        await self._drain()
        return await self._measure()

    def encodings(self) -> Iterator[OutboundEncoding]:
        """Everything that is sent."""
        for room in self.rooms:
            for bot in room.publishers:
                yield from room.encodings_of(bot)

    async def close(self) -> None:
        """Let everyone leave."""
        for start in range(0, len(self._guests), 50):
            part = self._guests[start : start + 50]
            await asyncio.gather(*(bot.leave() for bot in part), return_exceptions=True)

    # --- joining -------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        plan = self.plan
        async with self._venue as venue:
            for number in range(plan.rooms):
                self.rooms.append(Room(await venue.open_room(f"load {number}")))
            # Numbered before any of them waits for anything: the number is what tells their streams apart.
            numbers = count()
            self._progress(f"{plan.rooms * plan.publishers} publishers join")
            await self._each(
                self._add_publisher(room, next(numbers))
                for room in self.rooms
                for _ in range(plan.publishers)
            )
            self._progress(f"{plan.rooms * plan.subscribers} subscribers join")
            await self._each(
                self._add_subscriber(room, next(numbers))
                for room in self.rooms
                for _ in range(plan.subscribers)
            )
        _require_distinct(one.frames.stream_id for one in self.encodings())

    async def _each(self, jobs: Iterable[Awaitable[None]]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for job in jobs:
                    group.create_task(self._within_slot(job))
        except* BotError as errors:
            raise BotError(str(errors.exceptions[0])) from errors

    async def _within_slot(self, job: Awaitable[None]) -> None:
        async with self._slots:
            await job

    async def _add_publisher(self, room: Room, number: int) -> None:
        bot = await self._enter(room, number, f"publisher {number}", subscribe=self.plan.mesh)
        await bot.publish(self._specs(number))
        room.publishers.append(bot)
        if self.plan.mesh:
            room.subscribers.append(bot)

    async def _add_subscriber(self, room: Room, number: int) -> None:
        begun = time.monotonic()
        bot = await self._enter(room, number, f"subscriber {number}", subscribe=True)
        while bot.subscriber is None or not bot.subscriber.association.connected.is_set():
            if bot.problems:
                raise BotError(f"subscriber {number}: {bot.problems[0]}")
            if time.monotonic() - begun > STREAMS_TIMEOUT:
                raise BotError(f"subscriber {number} was offered nothing within {STREAMS_TIMEOUT:.0f} s")
            await asyncio.sleep(0.01)
        self.join_seconds.append(time.monotonic() - begun)
        room.subscribers.append(bot)

    async def _enter(self, room: Room, number: int, name: str, *, subscribe: bool) -> Guest:
        options = BotOptions(
            self._certificate,
            profiles=self.plan.profiles,
            auto_subscribe=subscribe,
            sample=1 if self.plan.verify == "all" else SAMPLE_INTERVAL,
            nack=self.plan.nack,
            tcp=self.plan.tcp,
            ssrc_base=1000 * (number + 1),
            departures=self._departures,
        )
        guest = await self._venue.enter(room.meeting_id, name, options)
        self._guests.append(guest)
        return guest

    def _specs(self, number: int) -> list[VideoSpec | AudioSpec]:
        base = number * STREAM_IDS_PER_PUBLISHER
        specs: list[VideoSpec | AudioSpec] = []
        if self.plan.video:
            layers = 3 if self.plan.simulcast else 1
            specs.append(
                VideoSpec(
                    tuple(range(base, base + layers)),
                    packets_per_second=self.plan.video_rate,
                    payload_size=self.plan.packet_size,
                )
            )
        if self.plan.audio:
            specs.append(AudioSpec(base + STREAM_IDS_PER_PUBLISHER - 1))
        return specs

    # --- sending -------------------------------------------------------------------------------------

    def _publishers(self) -> list[Guest]:
        return [bot for room in self.rooms for bot in room.publishers]

    def _start(self) -> None:
        """Start all senders, spread over a frame interval as independent cameras are."""
        publishers = self._publishers()
        for index, bot in enumerate(publishers):
            assert bot.publisher is not None
            bot.publisher.start(phase=0.04 * index / len(publishers))

    def _stop(self) -> None:
        for bot in self._publishers():
            assert bot.publisher is not None
            bot.publisher.stop()

    async def _wait_streams(self) -> None:
        """Until every subscriber receives every publication of the others in its room."""
        deadline = time.monotonic() + STREAMS_TIMEOUT
        per_publisher = int(self.plan.video) + int(self.plan.audio)
        while True:
            waiting = sum(
                1
                for room in self.rooms
                for bot in room.subscribers
                if _streams_received(bot) < per_publisher * (len(room.publishers) - (bot in room.publishers))
            )
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise BotError(
                    f"{waiting} subscribers still lack streams after {STREAMS_TIMEOUT:.0f} s of media"
                )
            await asyncio.sleep(0.1)

    async def _wait_full(self) -> None:
        """Until everybody receives all of everything; not for ever, for a path may be too narrow for it."""
        begun = time.monotonic()
        ramp = Ramp()
        ramp.handle(self._sent(), self._receptions())
        while time.monotonic() - begun < RAMP_TIMEOUT:
            await asyncio.sleep(RAMP_INTERVAL)
            if ramp.handle(self._sent(), self._receptions()):
                break
        self.ramp_seconds = time.monotonic() - begun
        self.limited_before = ramp.limited
        if ramp.limited:
            self._progress(f"{ramp.limited} publications do not reach a receiver in full")

    def _receptions(self) -> list[Reception]:
        return [
            Reception(
                (bot.peer_id, track.encodings[0].frames.stream_id),
                tallies[0].stream_id if tallies else None,
                sum(tally.packets - tally.padding for tally in tallies),
            )
            for room in self.rooms
            for bot in room.subscribers
            for track, tallies in room.received_by(bot)
        ]

    def _sent(self) -> dict[int, int]:
        """Packets sent so far, by stream id."""
        return {one.frames.stream_id: one.packets_sent for one in self.encodings()}

    async def _measure(self) -> Window:
        for room in self.rooms:
            for bot in room.subscribers:
                assert bot.subscriber is not None
                for stream in bot.subscriber.streams.values():
                    stream.tally.begin_window()
        sent_before = self._sent()
        skipped_before = sum(one.frames_skipped for one in self.encodings())
        events_before = {bot: len(bot.events) for room in self.rooms for bot in room.subscribers}
        self._progress(f"measuring for {self.plan.seconds:.0f} s")
        before, own_before, errors_before = self._usage(), time.process_time(), buffer_errors()
        begun = time.monotonic()
        self._start()
        await asyncio.sleep(self.plan.seconds)
        self._stop()
        seconds = time.monotonic() - begun
        await asyncio.sleep(0.1)
        after, own_after = self._usage(), time.process_time()
        await self._drain(self._due_since(sent_before))
        return Window(
            seconds,
            sent_before,
            events_before,
            skipped_before,
            before,
            after,
            own_after - own_before,
            buffer_errors() - errors_before,
        )

    def _usage(self) -> Usage | None:
        if self._server_pid is None:
            return None
        try:
            return tree_usage(self._server_pid)
        except ProcessLookupError as error:
            raise BotError(f"--server-pid: {error}") from error

    async def _drain(self, wanted: float = math.inf) -> None:
        """Wait until `wanted` packets have arrived, or nothing more does."""
        begun = time.monotonic()
        silence = Silence(wanted, DRAIN_LOOKS)
        while time.monotonic() - begun < DRAIN_TIMEOUT:
            # Not counting padding: the server goes on probing paths while nothing is sent.
            if silence.handle(sum(reception.packets for reception in self._receptions())):
                return
            await asyncio.sleep(DRAIN_POLL)

    def _due_since(self, before: dict[int, int]) -> int:
        """Packets that all subscribers together have to get of what was sent since `before`."""
        sent = {stream_id: count - before[stream_id] for stream_id, count in self._sent().items()}
        return sum(
            sent[encoding.frames.stream_id]
            for room in self.rooms
            for subscriber in room.subscribers
            for publisher in room.publishers
            if publisher is not subscriber
            for encoding in room.encodings_of(publisher)
        )


def _require_distinct(stream_ids: Iterable[int]) -> None:
    """Two streams of one id would be counted as one sent and as two received."""
    repeated = sorted(one for one, times in Counter(stream_ids).items() if times > 1)
    if repeated:
        raise BotError(f"stream ids were given twice: {repeated[:5]}")


def _streams_received(bot: Guest) -> int:
    if bot.subscriber is None:
        return 0
    return sum(1 for stream in bot.subscriber.media_streams() if stream.tally.stream_id is not None)
