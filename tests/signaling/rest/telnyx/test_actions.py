"""What moderation does to a session that is named by its id."""

from __future__ import annotations

from typing import Any

import pytest

from tests.signaling.rest.world import World

NOBODY = "00000000-0000-4000-8000-000000000000"
ACTIONS = ("kick", "mute", "unmute")


async def session_in(world: World) -> tuple[str, str]:
    """The meeting's id and the session's."""
    meeting_id = (await world.meeting())["id"]
    return meeting_id, (await world.session(meeting_id)).id


def path(session_id: str, action: str) -> str:
    return f"/v2/room_sessions/{session_id}/actions/{action}"


@pytest.mark.parametrize("action", [*ACTIONS, "end"])
async def test_a_session_that_has_ended_is_told_from_one_that_there_is_not(world: World, action: str) -> None:
    over = await world.session((await world.meeting())["id"], ended=True)
    body = None if action == "end" else {"participants": "all"}
    ended = await world.call("POST", path(over.id, action), body)
    assert (ended.status, ended.body["errors"][0]["title"]) == (422, "SessionEnded")
    # The store has it as running, but nothing runs: it ended just now.
    _, stale = await session_in(world)
    assert (await world.call("POST", path(stale, action), body)).status == 422
    assert (await world.call("POST", path(NOBODY, action), body)).status == 404


@pytest.mark.parametrize(
    "body", [{}, {"participants": []}, {"participants": "some"}, {"participants": [""]}, {"exclude": ["x"]}]
)
@pytest.mark.parametrize("action", ACTIONS)
async def test_somebody_has_to_be_named(world: World, action: str, body: Any) -> None:
    _, session_id = await session_in(world)
    answer = await world.call("POST", path(session_id, action), body)
    assert answer.status == 422
    assert answer.body["errors"][0]["source"]["pointer"].startswith("/participants")


async def test_deleting_a_room_ends_what_runs_in_it(world: World) -> None:
    room_id = (await world.meeting())["id"]
    answer = await world.call("DELETE", f"/v2/rooms/{room_id}")
    assert (answer.status, answer.body) == (204, "")
    assert ("meeting_removed", room_id) in world.live.calls
    assert (await world.call("GET", f"/v2/rooms/{room_id}")).status == 404
    assert (await world.call("DELETE", f"/v2/rooms/{room_id}")).status == 404
