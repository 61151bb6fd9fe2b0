"""What is measured of those who are in: sampled from the node, written in time, and taken up again."""

from __future__ import annotations

import pytest

from sfu.control import messages as node
from signaling.domain.peer_quality import Track
from signaling.domain.peer_report import PeerReport
from signaling.services.live.surroundings import KEEP_REPORTS_EVERY, SAMPLE_EVERY
from signaling.store.unit_of_work import SqlUnitOfWork
from tests.support.live_world import ORGANIZATION, LiveWorld, WsClient, live_world
from tests.support.store_faults import store_away


async def call(world: LiveWorld) -> tuple[WsClient, WsClient]:
    """One who publishes a camera, and one who watches it."""
    host, other = await world.join(), await world.join("group_call_participant")
    camera = await host.publish("camera", "video")
    await other.subscribe(camera)
    return host, other


async def rounds(world: LiveWorld, count: int) -> None:
    for _ in range(count):
        world.clock.advance(SAMPLE_EVERY)
        await world.live.reports.poll()


async def stored(world: LiveWorld, peer_id: str) -> PeerReport | None:
    async with world.store(reading=True) as uow:
        found = await uow.peer_reports.of(ORGANIZATION, [peer_id])
    return found[0].report if found else None


async def test_what_passes_becomes_points_and_the_pair_of_addresses_is_known() -> None:
    async with live_world() as world:
        host, other = await call(world)
        await rounds(world, 2)
        sent, received = world.live.reports.current(host.peer_id), world.live.reports.current(other.peer_id)
        assert sent is not None
        assert received is not None
        assert sent.series.tracks == (Track("sent", "video"),)
        ((_, first), (_, second)) = received.series.of(Track("received", "video"))
        assert (second.seconds, second.packets, second.streams) == (SAMPLE_EVERY, 500, 1)
        assert second.bitrate == 8 * 500_000 / SAMPLE_EVERY
        assert first.seconds == SAMPLE_EVERY, "since it joined"
        (pair,) = received.pairs
        assert (pair.heading, pair.remote_address, pair.remote_type) == ("received", "198.51.100.7", "srflx")
        assert pair.packets == 1000


async def test_reports_are_written_every_few_minutes_and_soon_after_the_peer_left_in_one_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commits = 0
    original = SqlUnitOfWork.commit

    async def commit(uow: SqlUnitOfWork) -> None:
        nonlocal commits
        commits += 1
        await original(uow)

    async with live_world() as world:
        host, other = await call(world)
        await rounds(world, 1)
        assert await stored(world, host.peer_id) is None
        monkeypatch.setattr(SqlUnitOfWork, "commit", commit)
        await rounds(world, round(KEEP_REPORTS_EVERY / SAMPLE_EVERY))
        assert commits == 1, "both at once"
        written = await stored(world, host.peer_id)
        assert written is not None
        points = len(written.series)
        assert points == 1 + KEEP_REPORTS_EVERY / SAMPLE_EVERY
        await rounds(world, 1)
        assert commits == 1, "not each time"

        await other.request("leave")
        commits = 0
        assert world.live.reports.current(other.peer_id) is not None, "until it is written"
        await rounds(world, 1)
        assert commits == 1
        written = await stored(world, other.peer_id)
        assert written is not None
        assert len(written.series) == points + 1
        assert world.live.reports.current(other.peer_id) is None


async def test_what_cannot_be_written_is_written_later() -> None:
    async with live_world() as world:
        host, other = await call(world)
        await rounds(world, 1)
        await other.request("leave")
        with store_away():
            await rounds(world, 1)
        assert await stored(world, other.peer_id) is None
        await rounds(world, 1)
        assert await stored(world, other.peer_id) is not None
        assert world.live.reports.current(host.peer_id) is not None


async def test_a_node_that_does_not_answer_costs_only_the_samples() -> None:
    async with live_world() as world:
        host, _ = await call(world)
        world.node.refuses.add(node.Sample)
        await rounds(world, 2)
        report = world.live.reports.current(host.peer_id)
        assert report is not None
        assert report.empty
        world.node.refuses.clear()
        await rounds(world, 1)
        ((_, reading),) = report.series.of(Track("sent", "video"))
        assert reading.packets == 500


async def test_the_next_process_goes_on_with_what_was_written() -> None:
    async with live_world() as first:
        host, _ = await call(first)
        await rounds(first, 2)
        await first.live.reports.save()
        await rounds(first, 1)  # is lost with the process
        await first.die()
        async with live_world(after=first) as second:
            second.clock.advance(SAMPLE_EVERY)
            await second.live.reports.poll()
            report = second.live.reports.current(host.peer_id)
            assert report is not None
            readings = [one for _, one in report.series.of(Track("sent", "video"))]
            assert [one.seconds for one in readings] == [SAMPLE_EVERY, SAMPLE_EVERY, 2 * SAMPLE_EVERY]
