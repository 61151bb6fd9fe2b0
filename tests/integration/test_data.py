"""Data messages between aiortc clients through a real server: who gets them, in order, and who may send."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from sfu.data.message import MAX_PAYLOAD
from tests.support.aiortc_peer import AiortcPeer, ColorTrack, DataReceived
from tests.support.relay import CLEAR, Impairment, UdpRelay
from tests.support.wait import wait_until
from tests.support.world import World

MEMBER, VIEWER = "group_call_participant", "livestream_viewer"
Join = Callable[..., Awaitable[AiortcPeer]]


@pytest_asyncio.fixture
async def join(world: World) -> AsyncIterator[Join]:
    """Makes aiortc participants of the meeting, with open data channels."""
    peers: list[AiortcPeer] = []

    async def joined(preset: str = MEMBER, *, relay: UdpRelay | None = None) -> AiortcPeer:
        peer = AiortcPeer(world.server.base_url, rewrite=relay.rewrite if relay else None)
        peers.append(peer)
        await peer.join(await world.token(preset))
        await peer.open_data()
        return peer

    yield joined
    for peer in peers:
        await peer.close()


async def gets(peer: AiortcPeer, count: int) -> list[DataReceived]:
    await wait_until(
        lambda: len(peer.messages) >= count,
        lambda: f"{count} data messages; got {len(peer.messages)}, events {peer.events[-5:]}",
    )
    return peer.messages


async def is_told(peer: AiortcPeer, reason: str) -> None:
    await wait_until(
        lambda: any(one["type"] == "data_dropped" and one["reason"] == reason for one in peer.events),
        lambda: f"data_dropped {reason}; heard {[one['type'] for one in peer.events]}",
    )


@pytest.mark.shows("aiortc", "data channels")
async def test_a_message_reaches_everybody_else_on_the_channel_it_was_sent_on(join: Join) -> None:
    ada, grace, linus = await join(), await join(), await join(VIEWER)
    ada.send(b"to all", topic="greeting")
    ada.send(b"quickly", label="lossy")
    for peer in (grace, linus):
        got = await gets(peer, 2)
        assert set(got) == {
            DataReceived("reliable", ada.peer_id, "greeting", b"to all"),
            DataReceived("lossy", ada.peer_id, "", b"quickly"),
        }
    assert ada.messages == []


async def test_a_message_to_some_reaches_them_and_nobody_else(join: Join) -> None:
    ada, grace, linus = await join(), await join(), await join()
    ada.send(b"between us", to=[grace.peer_id, "peer_who_left"])
    ada.send(b"to all")
    assert [one.payload for one in await gets(grace, 2)] == [b"between us", b"to all"]
    assert [one.payload for one in await gets(linus, 1)] == [b"to all"]


async def test_a_payload_of_64_kib_passes_and_one_byte_more_does_not(join: Join) -> None:
    ada, grace = await join(), await join()
    largest = bytes(range(256)) * (MAX_PAYLOAD // 256)
    ada.send(largest)
    ada.send(largest + b"!")
    ada.send(b"after")
    got = await gets(grace, 2)
    assert [one.payload for one in got] == [largest, b"after"]
    await is_told(ada, "malformed")


async def test_who_has_no_permission_receives_but_is_told_that_it_may_not_send(join: Join) -> None:
    viewer, member = await join(VIEWER), await join()
    viewer.send(b"may I?")
    await is_told(viewer, "not_permitted")
    member.send(b"listen")
    assert [one.payload for one in await gets(viewer, 1)] == [b"listen"]
    assert member.messages == []


async def test_more_than_the_rate_is_dropped_and_the_sender_is_told(join: Join) -> None:
    ada, grace = await join(), await join()
    for number in range(600):
        ada.send(number.to_bytes(2, "big"))
    await is_told(ada, "rate_limited")
    # The bucket holds two seconds' worth of 100 messages, and fills while these come.
    await gets(grace, 200)
    assert len(grace.messages) < 500
    numbers = [int.from_bytes(one.payload, "big") for one in grace.messages]
    assert numbers == sorted(numbers)


async def test_data_goes_beside_media_on_one_connection(join: Join) -> None:
    ada, grace = await join(), await join()
    (publication,) = await ada.publish([(ColorTrack((150, 60, 40)), "camera")])
    ada.send(b"look")
    await gets(grace, 1)
    video = publication["publication_id"]
    await wait_until(
        lambda: video in grace.received and grace.received[video].frames > 5,
        lambda: f"decoded frames; problems {grace.problems}",
    )


async def test_nonsense_costs_its_sender_a_count_and_nobody_anything(join: Join) -> None:
    ada, grace = await join(), await join()
    ada.channels["reliable"].send("a string")
    ada.channels["reliable"].send(b"\xff\xff")
    ada.channels["reliable"].send(b"\x00\x03[[[")
    ada.send(b"sense")
    await is_told(ada, "malformed")
    assert [one.payload for one in await gets(grace, 1)] == [b"sense"]


@pytest.mark.parametrize("lossy_way", ["up", "down"])
async def test_at_ten_percent_loss_reliable_delivers_all_in_order_and_lossy_sends_nothing_twice(
    join: Join, world: World, lossy_way: str
) -> None:
    relay = UdpRelay.open(("127.0.0.1", world.server.udp_ports[0]), seed=11)
    try:
        behind, free = await join(relay=relay), await join()
        sender, receiver = (behind, free) if lossy_way == "up" else (free, behind)
        ten_percent = Impairment(loss=0.1, media_only=False)
        relay.impair(**{lossy_way: ten_percent})
        direction = relay.up if lossy_way == "up" else relay.down
        for number in range(90):
            sender.send(number.to_bytes(2, "big"))
            sender.send(number.to_bytes(2, "big"), label="lossy")
        reliable = lambda: [one.payload for one in receiver.messages if one.label == "reliable"]  # noqa: E731
        await wait_until(
            lambda: len(reliable()) == 90,
            lambda: f"90 reliable messages; got {len(reliable())}, lost {direction.lost}",
        )
        relay.impair(**{lossy_way: CLEAR})
        sender.send(b"the end", label="lossy")
        await wait_until(
            lambda: any(one.payload == b"the end" for one in receiver.messages), "the last lossy message"
        )
        assert reliable() == [number.to_bytes(2, "big") for number in range(90)]
        lossy = [one.payload for one in receiver.messages if one.label == "lossy"]
        assert direction.lost >= 5, "the relay lost enough to prove something"
        assert 45 <= len(lossy) < 91, "what was lost stayed lost, and nothing more"
        assert len(set(lossy)) == len(lossy)
    finally:
        relay.close()
