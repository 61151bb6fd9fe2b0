"""WHIP and WHEP end to end, with aiortc as encoder and player: same media, same roster, same rules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from tests.integration.test_aiortc import BLUE, GREEN, is_color
from tests.support.aiortc_peer import AiortcPeer, ColorTrack, ToneTrack
from tests.support.http_media import HttpAiortc, roster
from tests.support.wait import wait_until
from tests.support.world import World

Make = Callable[..., Awaitable[HttpAiortc]]


@pytest_asyncio.fixture
async def client(world: World) -> AsyncIterator[Make]:
    """Makes WHIP and WHEP clients with a participant's token each."""
    made: list[HttpAiortc] = []

    async def make(preset: str = "group_call_participant") -> HttpAiortc:
        one = HttpAiortc(world.server.base_url, await world.token(preset))
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close()


async def wait_frames(client: HttpAiortc, kind: str = "video", *, more: int = 10) -> None:
    goal = client.received[kind].frames + more
    await wait_until(
        lambda: client.received[kind].frames >= goal,
        lambda: (
            f"{goal} {kind} frames; got {client.received[kind].frames}, "
            f"{client.connection.iceConnectionState}"
        ),
    )


@pytest.mark.shows("aiortc", "WHIP")
async def test_what_an_encoder_publishes_others_see_and_hear(world: World, client: Make) -> None:
    watcher = AiortcPeer(world.server.base_url)
    try:
        await watcher.join(await world.token())
        encoder = await client()
        answer = await encoder.publish(f"/v2/whip/{world.meeting_id}", [ColorTrack(GREEN), ToneTrack(440.0)])
        assert answer.status == 201, answer.text
        await wait_until(
            lambda: (
                sorted(one["source"] for one in watcher.publications.values()) == ["camera", "microphone"]
            ),
            lambda: f"both publications; {watcher.publications}",
        )
        ids = {one["source"]: key for key, one in watcher.publications.items()}
        await wait_until(
            lambda: ids["camera"] in watcher.received and watcher.received[ids["camera"]].frames > 10,
            lambda: f"frames; {watcher.received}, {watcher.problems}",
        )
        assert is_color(watcher.received[ids["camera"]], GREEN)
        await wait_until(
            lambda: abs((watcher.received[ids["microphone"]].loudest_hertz() or 0) - 440) < 5,
            lambda: f"the tone; {watcher.received[ids['microphone']].loudest_hertz()}",
        )
        await wait_until(
            lambda: (
                [(one["device"], one["connection"]) for one in roster(watcher.events).values()]
                == [("whip", "connected")]
            ),
            lambda: f"the encoder in the roster; {roster(watcher.events)}",
        )
        assert (await encoder.end()).status == 200
        await wait_until(lambda: not roster(watcher.events), lambda: "the encoder's leaving")
    finally:
        await watcher.close()


@pytest.mark.shows("aiortc", "WHEP")
async def test_a_player_sees_one_participant_and_hears_them(world: World, client: Make) -> None:
    speaker = await client("group_call_host")
    await speaker.publish(f"/v2/whip/{world.meeting_id}", [ColorTrack(BLUE), ToneTrack(660.0)])
    watcher = await world.join()
    (peer,) = [one for one in watcher.state["peers"] if one["device"] == "whip"]
    player = await client()
    answer = await player.view(f"/v2/whep/{world.meeting_id}/{peer['participant_id']}/camera")
    assert answer.status == 201, answer.text
    await wait_frames(player)
    assert is_color(player.received["video"], BLUE)
    await wait_until(
        lambda: abs((player.received["audio"].loudest_hertz() or 0) - 660) < 5,
        lambda: f"the tone; {player.received['audio'].loudest_hertz()}",
    )
    await wait_until(
        lambda: (
            {(one["device"], one["connection"]) for one in roster(watcher.events).values()}
            >= {("whep", "connected")}
        ),
        lambda: f"the player in the roster; {roster(watcher.events)}",
    )


async def test_an_encoder_that_is_kicked_sends_to_nobody(world: World, client: Make) -> None:
    host = await world.join("group_call_host")
    encoder = await client()
    await encoder.publish(f"/v2/whip/{world.meeting_id}", [ColorTrack(GREEN)])
    await wait_until(
        lambda: any(one["connection"] == "connected" for one in roster(host.events).values()),
        lambda: f"the encoder's connection; {roster(host.events)}",
    )
    (peer_id,) = roster(host.events)
    await host.signalling.request("kick", peer_ids=[peer_id])
    assert (await encoder.end()).status == 404
    await wait_until(
        lambda: encoder.connection.connectionState in ("closed", "failed"),
        lambda: f"the end of the connection; {encoder.connection.connectionState}",
    )
