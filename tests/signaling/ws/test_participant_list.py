"""Who may not see who takes part (`show_participant_list`) is told of those who publish, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.signaling.ws.test_restart import back, ids, two_lives
from tests.support.live_world import LiveWorld, WsClient, live_world, until

PRESET = "group_call_participant"


async def see(world: LiveWorld, *, everybody: bool) -> None:
    await world.change_preset(PRESET, {"permissions": {"show_participant_list": everybody}})


def told_of(client: WsClient) -> list[str]:
    """Peer ids, in order."""
    return [event["peer"]["peer_id"] for event in client.heard("peer_joined")]


@asynccontextmanager
async def without_a_list() -> AsyncIterator[LiveWorld]:
    async with live_world() as world:
        await see(world, everybody=False)
        yield world


async def test_others_are_told_of_from_when_they_publish() -> None:
    async with without_a_list() as world:
        host, silent = await world.join(), await world.join()
        viewer = await world.join(PRESET)
        assert viewer.joined["peers"] == []
        await host.publish("camera", "video")
        await viewer.hears("publication_added")
        told = [
            event["type"] for event in viewer.events if event["type"] in ("peer_joined", "publication_added")
        ]
        assert told == ["peer_joined", "publication_added"], "first who, then what"
        assert told_of(viewer) == [host.peer_id]
        await host.publish("microphone", "audio", mid="1")
        await silent.request("leave")
        late = await world.join(PRESET)
        assert ids(late.joined["peers"], "peer_id") == {host.peer_id}
        await host.request("leave")
        await viewer.hears("peer_left")
        assert [event["peer_id"] for event in viewer.heard("peer_left")] == [host.peer_id]
        assert told_of(viewer) == [host.peer_id], "neither of who is silent nor of the other viewer"


async def test_the_list_comes_and_goes_with_the_permission() -> None:
    async with without_a_list() as world:
        host, silent = await world.join(), await world.join()
        viewer = await world.join(PRESET)
        await host.publish("camera", "video")
        await viewer.hears("publication_added")
        await see(world, everybody=True)
        both = [host.peer_id, silent.peer_id]
        await until(lambda: told_of(viewer) == both, "word of the silent one")
        await see(world, everybody=False)
        await viewer.hears("peer_left", peer_id=silent.peer_id)
        assert not viewer.heard("peer_left", peer_id=host.peer_id)


async def test_it_is_the_same_after_a_restart() -> None:
    async with two_lives() as (first, restart):
        await see(first, everybody=False)
        host, silent, viewer = await first.join(), await first.join(), await first.join(PRESET)
        await host.publish("camera", "video")
        async with restart() as second:
            viewer, snapshot = await back(second, viewer)
            assert ids(snapshot["peers"], "peer_id") == {host.peer_id}
            host, _ = await back(second, host)
            await back(second, silent)
            await host.publish("microphone", "audio", mid="1")
            await viewer.hears("publication_added")
            assert not viewer.heard("peer_joined") + viewer.heard("peer_updated", peer=silent.joined["me"])
