"""A pipe whose ends are in two network namespaces, with a cable between them: as between two machines."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest

from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.control import messages as m
from sfu.pipes.pipe import PipeState
from tests.support import netns
from tests.support.node_pair import PIPE, Line, Pair, Place, Side, joined, packets
from tests.support.wait import wait_until

pytestmark = pytest.mark.skipif(netns.why_not() is not None, reason=str(netns.why_not()))
NEAR, BETWEEN = netns.SERVER_V4


@pytest.fixture
def networks() -> Iterator[netns.Networks]:
    with netns.networks() as made:
        yield made


def places(networks: netns.Networks) -> tuple[Place, Place]:
    return Place(NEAR, _enter(networks.server)), Place(netns.CLIENT_V4, _enter(networks.client))


def _enter(name: str) -> Callable[[], AbstractContextManager[None]]:
    return partial(netns.inside, name)


def camera(publisher: PublishTransport) -> OutboundTrack:
    return publisher.add_video((1,), packets_per_second=200.0)


async def test_media_crosses_sealed(networks: netns.Networks) -> None:
    async with joined(places=places(networks)) as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) >= 150, lambda: f"150 packets, got {packets(client, 1)}")
        (stream,) = client.streams_of(1)
        assert (stream.tally.missing, stream.tally.rejected, stream.tally.restarts) == (set(), 0, 0)
        for side in (pair.first, pair.second):
            assert side.pipe.stats()["auth_failures"] == 0
            assert side.pipe.state is PipeState.CONNECTED


async def test_what_the_way_between_them_loses_is_repaired(networks: netns.Networks) -> None:
    line = Line(0.05, place=Place(BETWEEN, _enter(networks.server)))
    async with joined(line=line, places=places(networks)) as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: line.lost >= 20, lambda: f"20 lost, {line.lost} are")
        count = packets(client, 1)
        (stream,) = client.streams_of(1)
        await wait_until(
            lambda: packets(client, 1) > count + 20 and not stream.tally.missing,
            lambda: f"nothing missing; missing are {sorted(stream.tally.missing)[-5:]}",
        )


async def test_what_attackers_send_goes_nowhere(networks: netns.Networks) -> None:
    """From an address of their own, and from the very address of the other end, without its key."""
    async with joined(places=places(networks)) as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        spec = await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) > 20, "media before the attack")
        near, far = (side.node.pipes.create(m.CreatePipe(pipe_id=PIPE)) for side in (pair.first, pair.second))
        ssrc = spec.encodings[0].ssrc
        forged = b"\x80\x60\x40\x00" + bytes(4) + ssrc.to_bytes(4, "big") + bytes(200)
        with netns.inside(networks.server), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind((BETWEEN, 0))
            for _ in range(10):
                stranger.sendto(forged, (far.host, far.port))
        await wait_until(lambda: pair.second.node.pipes.strangers >= 10, "the stranger's packets counted")
        with netns.inside(networks.server):
            _send_as((near.host, near.port), (far.host, far.port), forged, times=10)
        await wait_until(lambda: refused(pair) >= 10, lambda: f"ten are refused, {refused(pair)} are")
        (stream,) = client.streams_of(1)
        await wait_until(lambda: not stream.tally.missing, "and nothing is missing")
        assert (stream.tally.rejected, client.unstamped, stream.tally.restarts) == (0, 0, 0)


async def test_a_cable_that_is_pulled_is_noticed_and_media_comes_back_with_it(
    networks: netns.Networks,
) -> None:
    async with joined(places=places(networks)) as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) > 20, "media before")
        networks.set_cable(plugged=False)
        for side in (pair.first, pair.second):
            await wait_until(lambda side=side: states(side)[-1] == "silent", "silence noticed")  # type: ignore[misc]
        networks.set_cable(plugged=True)
        for side in (pair.first, pair.second):
            await wait_until(lambda side=side: states(side)[-1] == "connected", "life noticed")  # type: ignore[misc]
        count = packets(client, 1)
        await wait_until(lambda: packets(client, 1) > count + 50, "media after")


def states(side: Side) -> list[str]:
    return [event.state for event in side.events if isinstance(event, m.PipeStateChanged)]


def refused(pair: Pair) -> int:
    inbound = pair.second.pipe.inlet.inbound
    return 0 if inbound is None else inbound.auth_failures


def _send_as(source: tuple[str, int], target: tuple[str, int], payload: bytes, *, times: int) -> None:
    """Datagrams with a source address that is somebody else's socket's."""
    length = 8 + len(payload)
    udp = struct.pack("!HHHH", source[1], target[1], length, 0) + payload
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, socket.IPPROTO_UDP, 0) + addresses
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for _ in range(times):
            raw.sendto(header + udp, (target[0], 0))
