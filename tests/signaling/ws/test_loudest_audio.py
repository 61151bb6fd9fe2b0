"""How many voices a session forwards: as its meeting says, else as the server is set; also while it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfu.control import messages as node
from signaling.domain.configuration import Configuration
from signaling.domain.meeting import Meeting
from signaling.nodes.supervisor import NodesConfig
from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, live_world

SERVER = 5


def config(loudest_audio: int | None) -> NodesConfig:
    return NodesConfig(workers=1, udp_port=0, place_within=2.0, first_pause=0.01, loudest_audio=loudest_audio)


async def set_meeting(world: LiveWorld, most: int | None) -> Meeting:
    async with world.store() as uow:
        meeting = await uow.meetings.get(ORGANIZATION, MEETING)
        assert meeting is not None
        changed = replace(meeting, configuration=Configuration(loudest_audio=most))
        await uow.meetings.save(changed)
        await uow.commit()
    return changed


def limits_told(world: LiveWorld) -> list[int | None]:
    """To the session's router, one command after the other. The node hears others at times of their own."""
    commands = [one for one in world.node.commands if isinstance(one, node.CreateRouter | node.LimitVoices)]
    return [one.loudest_audio for one in commands]


def in_force(world: LiveWorld) -> int | None:
    return limits_told(world)[-1]


@pytest.mark.parametrize(
    ("server", "meeting", "expected"),
    [(None, None, None), (SERVER, None, SERVER), (None, 2, 2), (SERVER, 2, 2), (SERVER, 0, None)],
)
async def test_the_meeting_goes_before_the_server(
    server: int | None, meeting: int | None, expected: int | None
) -> None:
    async with live_world(nodes=config(server)) as world:
        await set_meeting(world, meeting)
        await world.join()
        assert in_force(world) == expected


async def test_a_change_of_the_meeting_holds_for_the_session_that_runs() -> None:
    async with live_world(nodes=config(SERVER)) as world:
        await world.join()
        for meeting, expected in ((2, 2), (0, None), (None, SERVER)):
            await world.live.meeting_changed(await set_meeting(world, meeting))
            assert in_force(world) == expected
        told = limits_told(world)
        await world.live.meeting_changed(await set_meeting(world, None))
        assert limits_told(world) == told, "nothing changed"
