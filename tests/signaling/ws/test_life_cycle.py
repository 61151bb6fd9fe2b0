"""What a session is from its beginning to its end: in the store, to REST and to webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from signaling.domain.configuration import Configuration, parse_configuration
from signaling.domain.meeting import Meeting
from signaling.domain.session_status import SessionRecord, SessionStatus
from signaling.protocol.closing import CloseCode
from tests.signaling.services.test_live_webhooks import ENDED, JOINED, LEFT, STARTED, subscribe, told_of
from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, Refused, live_world, until
from tests.support.store_faults import breaks_after_commit


async def meeting_of(world: LiveWorld) -> Meeting:
    async with world.store() as uow:
        meeting = await uow.meetings.get(ORGANIZATION, MEETING)
    assert meeting is not None
    return meeting


async def opened(world: LiveWorld, said: Configuration | None = None) -> str:
    """The id of the session."""
    return (await world.live.open(await meeting_of(world), said or Configuration())).id


async def begun_unknown(world: LiveWorld) -> str:
    """A session, by its id, of which the first join was refused, and written all the same."""
    await subscribe(world.store)
    session_id = await opened(world)
    token = world.tokens.issue(await world.participant("group_call_host"))
    with breaks_after_commit(), pytest.raises(Refused):
        await (await world.socket()).join(token)
    return session_id


async def stored(world: LiveWorld, session_id: str) -> SessionRecord:
    async with world.store() as uow:
        record = await uow.sessions.get(session_id)
    assert record is not None
    return record


async def test_an_opened_session_is_ready_and_its_time_runs_from_when_the_first_is_in() -> None:
    async with live_world() as world:
        session_id = await opened(world, parse_configuration({"max_duration_secs": 600}))
        ready = await stored(world, session_id)
        assert (ready.status, ready.started_at) == (SessionStatus.READY, None)
        await world.wait(400)
        client = await world.join()
        now = world.clock.now()
        live = await world.live.active(MEETING)
        assert live is not None
        assert (live.id, live.status, live.started_at) == (session_id, SessionStatus.LIVE, now)
        assert await stored(world, session_id) == replace(
            ready,
            status=SessionStatus.LIVE,
            started_at=now,
            updated_at=now,
            max_concurrent_participants=1,
        )
        await world.wait(400)
        assert await client.hears("session_ending", seconds_left=200)
        await world.wait(200)
        assert await client.closed() == CloseCode.ENDED
        assert (await stored(world, session_id)).status is SessionStatus.EXPIRED


async def host_closes(world: LiveWorld) -> None:
    await world.live.kick_all(MEETING)


async def meeting_goes(world: LiveWorld) -> None:
    await world.live.meeting_removed(await meeting_of(world))


async def server_goes(world: LiveWorld) -> None:
    await world.live.close()


async def nobody_comes(world: LiveWorld) -> None:
    await world.wait(601)


@pytest.mark.parametrize(
    ("end", "reason", "untouched", "was_live"),
    [
        (host_closes, "HOST_ENDED_MEETING", SessionStatus.CANCELLED, SessionStatus.FINISHED),
        (meeting_goes, "MEETING_DELETED", SessionStatus.CANCELLED, SessionStatus.FINISHED),
        (server_goes, "server_shutdown", SessionStatus.CANCELLED, SessionStatus.FINISHED),
        (nobody_comes, "NOBODY_CAME", SessionStatus.EXPIRED, None),
    ],
)
async def test_what_a_session_ends_as_depends_on_whether_anybody_was_in_and_so_does_what_webhooks_hear(
    end: Callable[[LiveWorld], Awaitable[None]],
    reason: str,
    untouched: SessionStatus,
    was_live: SessionStatus | None,
) -> None:
    async with live_world() as world:
        await subscribe(world.store)
        session_id = await opened(world)
        await end(world)
        over = await stored(world, session_id)
        assert (over.status, over.end_reason, over.started_at) == (untouched, reason, None)
        assert await told_of(world) == [], "it did not start, so it does not end either"
    if was_live is None:
        return
    async with live_world() as world:
        await subscribe(world.store)
        session_id = (await world.join()).joined["session_id"]
        await end(world)
        over = await stored(world, session_id)
        assert (over.status, over.end_reason) == (was_live, reason)
        assert await told_of(world) == [STARTED, JOINED, LEFT, ENDED]


async def test_a_first_join_that_fails_leaves_a_session_that_is_ready_and_expires() -> None:
    async with live_world() as world:
        await subscribe(world.store)
        await world.change_preset("webinar_viewer", {"permissions": {"can_edit_display_name": False}})
        with pytest.raises(Refused):
            await world.join("webinar_viewer", name="Another")
        live = await world.live.active(MEETING)
        assert live is not None
        assert live.status is SessionStatus.READY
        await world.wait(61)
        assert (await stored(world, live.id)).status is SessionStatus.EXPIRED
        assert await told_of(world) == []


async def test_of_which_nobody_knows_whether_it_was_written_the_start_is_told_once() -> None:
    async with live_world() as world:
        session_id = await begun_unknown(world)
        began = (await stored(world, session_id)).started_at
        assert began is not None
        await world.wait(30)
        await world.join()
        assert (await stored(world, session_id)).started_at == began
        assert await told_of(world) == [STARTED, JOINED, LEFT, JOINED]


async def test_a_session_that_was_begun_without_anybodys_knowing_ends_as_one_that_was() -> None:
    async with live_world() as world:
        session_id = await begun_unknown(world)
        await world.live.kick_all(MEETING)
        assert (await stored(world, session_id)).status is SessionStatus.FINISHED
        assert await told_of(world) == [STARTED, JOINED, LEFT, ENDED]


async def test_whoever_serves_a_socket_and_is_cancelled_leaves_no_writer_behind() -> None:
    """The test server cancels it when the connection is lost: here while the detaching waits for its turn."""
    async with live_world() as world:
        client = await world.join()
        writers = {task for task in asyncio.all_tasks() if task.get_name() == "socket writer"}
        live, go_on = world.live._running.get(MEETING), asyncio.Event()
        assert writers and live is not None
        live.owner.post(go_on.wait)
        await client.socket.close()
        await client.lose()
        try:
            await until(lambda: all(task.done() for task in writers), "the writer's end")
        finally:
            go_on.set()
