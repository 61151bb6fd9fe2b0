"""A worker that stays busy gives people away: they go on receiving, from the other one, and miss nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sfu.bot import Bot, VideoSpec
from tests.support.server import running_server
from tests.support.wait import wait_until
from tests.support.world import World, assert_late, wait_media

BUSY = ("--spread-above", "1", "--move-above", "0.2", "--full-packets", "12000")
"""A dozen receivers of 400 packets a second are two fifths of what a worker may send, and too much for one,
however little of its core that takes."""


async def test_people_move_off_a_busy_worker_without_a_packet_lost(tmp_path: Path) -> None:
    async with running_server(tmp_path, workers=2, arguments=BUSY) as server, World.on(server) as world:
        publisher = await world.publisher(VideoSpec((1,), packets_per_second=400.0))
        watchers = await asyncio.gather(*(world.subscriber() for _ in range(12)))
        for watcher in watchers:
            await wait_media(watcher, 1)
        await wait_until(
            lambda: any(bot.left for bot in watchers),
            lambda: f"somebody moves; offers: {[moves(bot) for bot in watchers]}",
        )
        moved = [bot for bot in watchers if bot.left]
        for bot in moved:
            await wait_media(bot, 1)
            await assert_late(server, world.late_before, lost_between(bot, 1))
            assert bot.problems == []
            assert all(event["type"] != "media_reset" for event in bot.events)
        assert publisher.left == [], "who publishes does not go first"
        assert len(moved) < len(watchers), "nor all at once"


def moves(bot: Bot) -> int:
    return sum(event["type"] == "subscribe_move" for event in bot.events)


def lost_between(bot: Bot, stream_id: int) -> int:
    """Packets that neither the connection that was left nor the new one received, where one took over."""
    assert bot.subscriber is not None
    (before,) = bot.left[0].streams_of(stream_id)
    (after,) = (bot.left[1] if len(bot.left) > 1 else bot.subscriber).streams_of(stream_id)
    last, first = before.tally.last, after.tally.first
    assert last is not None
    assert first is not None
    return max(0, first - last - 1) + len(before.tally.missing) + len(after.tally.missing)
