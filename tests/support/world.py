"""A meeting on a real server, and bots in it: the little world of the integration tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from sfu.bot import AudioSpec, Bot, BotOptions, Organization, VideoSpec
from sfu.bots.inbound import InboundStream
from sfu.bots.publish import OutboundTrack
from sfu.webrtc.certificate import Certificate
from tests.support.server import Server
from tests.support.wait import PATIENCE, wait_until, wait_until_async

CERTIFICATE = Certificate.generate(datetime.now(UTC))
OPTIONS = BotOptions(CERTIFICATE, sample=1)


@dataclass(slots=True)
class World:
    """One meeting. Bots made here are closed with it."""

    server: Server
    organization: Organization
    meeting_id: str = ""
    bots: list[Bot] = field(default_factory=list)
    late_before: float = 0.0
    """See `media_late`."""
    _participants: int = 0

    @classmethod
    def on(cls, server: Server) -> World:
        return cls(server, Organization(server.credentials))

    async def __aenter__(self) -> Self:
        await self.organization.__aenter__()
        self.meeting_id = await self.organization.create_meeting("a test")
        self.late_before = await media_late(self.server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for bot in self.bots:
            await bot.close()
        await self.organization.__aexit__(kind, error, trace)

    async def token(self, preset: str = "group_call_participant") -> str:
        self._participants += 1
        name = f"{preset} {self._participants}"
        return await self.organization.create_participant(self.meeting_id, name, preset)

    async def join(self, preset: str = "group_call_participant", **options: Any) -> Bot:
        """A bot that is in the meeting; `options` are those of `BotOptions`."""
        number = len(self.bots) + 1
        token = await self.token(preset)
        bot = Bot(self.server.base_url, token, replace(OPTIONS, ssrc_base=10_000 * number, **options))
        self.bots.append(bot)
        await bot.join()
        return bot

    async def publisher(
        self, *specs: VideoSpec | AudioSpec, preset: str = "group_call_participant", **options: Any
    ) -> Bot:
        """A bot that publishes, by default 100 video packets a second as stream 1, and sends."""
        bot = await self.join(preset, **options)
        await bot.publish(specs or (VideoSpec((1,), packets_per_second=100.0),))
        assert bot.publisher is not None
        bot.publisher.start()
        return bot

    async def subscriber(self, preset: str = "group_call_participant", **options: Any) -> Bot:
        """A bot that subscribes to everything."""
        return await self.join(preset, auto_subscribe=True, **options)


def track_of(bot: Bot, source: str = "camera") -> OutboundTrack:
    assert bot.publisher is not None
    return next(track for track in bot.publisher.tracks if track.source == source)


def stream_of(bot: Bot, stream_id: int) -> InboundStream:
    """What a subscriber receives of a stream; the latest where there were several."""
    assert bot.subscriber is not None
    return bot.subscriber.streams_of(stream_id)[-1]


def packets_of(bot: Bot, stream_id: int) -> int:
    """Distinct packets a subscriber has received of a stream."""
    if bot.subscriber is None:
        return 0
    return sum(stream.tally.packets for stream in bot.subscriber.streams_of(stream_id))


async def media_late(server: Server) -> float:
    """Packets of media that the server dropped unread so far, as they had waited for too long. Its workers
    report that every two seconds."""
    metrics = await server.metrics()
    return sum(metrics.get(f"rostrum_worker_{one}_total", 0.0) for one in ("media_late", "pipe_media_late"))


async def assert_late(server: Server, earlier: float, packets: float) -> None:
    """That so many packets which are missing were dropped for that, since there were `earlier`: on a machine
    that lets the server come to read too late, this is what it does, and counts."""

    async def counted() -> bool:
        return await media_late(server) >= earlier + packets

    if packets > 0:
        await wait_until_async(counted, lambda: f"{packets:g} missing packets, dropped for being late")


async def assert_nothing_lost(world: World, bot: Bot, *stream_ids: int) -> None:
    """That of these streams nothing is missing, nor came out of turn as it had to be sent again, but for what
    the server dropped as in `assert_late`. What is being repaired is waited for."""
    tallies = [stream_of(bot, one).tally for one in stream_ids]

    def lost() -> int:
        return sum(len(one.missing) + one.reordered for one in tallies)

    async def explained() -> bool:
        return not lost() or await media_late(world.server) >= world.late_before + lost()

    await wait_until_async(explained, lambda: f"{lost()} packets missing, dropped for being late")


async def wait_silence(bot: Bot, stream_id: int, beside: int, *, packets: int = 25) -> None:
    """Until `packets` came of a stream `beside` and none of this one: what was on its way when it ended may
    come first."""

    def came() -> tuple[int, int]:
        return packets_of(bot, stream_id), packets_of(bot, beside)

    before, others = came()

    def silent() -> bool:
        nonlocal before, others
        now, of_others = came()
        if now != before:
            before, others = now, of_others
        return of_others >= others + packets

    await wait_until(
        silent, lambda: f"no packet of stream {stream_id} while those of {beside} come; got {came()}"
    )


async def wait_media(bot: Bot, stream_id: int, *, more: int = 20, timeout: float = PATIENCE) -> None:
    """Until a subscriber has got `more` packets of a stream than it has now."""
    goal = packets_of(bot, stream_id) + more
    await wait_until(
        lambda: packets_of(bot, stream_id) >= goal,
        lambda: (
            f"{goal} packets of stream {stream_id}; got {packets_of(bot, stream_id)}, "
            f"problems {bot.problems}, events {[event['type'] for event in bot.events]}"
        ),
        timeout=timeout,
    )
