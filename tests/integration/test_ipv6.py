"""Media over IPv6, on a server that announces both versions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sfu.bot import VideoSpec
from sfu.bots.channel import UdpChannel
from tests.support.server import Server, lasting_server
from tests.support.world import World, assert_nothing_lost, wait_media


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with lasting_server(tmp_path_factory.mktemp("server"), arguments=("--announce", "::1")) as running:
        yield running


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_media_flows_between_two_who_came_over_ipv6(world: World, *, tcp: bool) -> None:
    watcher = await world.subscriber(tcp=tcp)
    publisher = await world.publisher(VideoSpec((1,), packets_per_second=300.0), tcp=tcp)
    await wait_media(watcher, 1, more=200)
    for transport in (publisher.publisher, watcher.subscriber):
        assert transport is not None
        channel = transport.association.channel
        if isinstance(channel, UdpChannel):
            assert channel.socket.getpeername()[0] == "::1"
            # The bot's own bursts go out with UDP_SEGMENT and come in with UDP_GRO, as the node's do.
            assert channel._batching
    await assert_nothing_lost(world, watcher, 1)


async def test_ipv4_and_ipv6_meet(world: World) -> None:
    port = world.server.udp_ports[0]
    watcher = await world.subscriber(route=lambda _host, _port: ("127.0.0.1", port))
    await world.publisher(VideoSpec((1,), packets_per_second=300.0))
    await wait_media(watcher, 1, more=200)
    assert watcher.subscriber is not None
    channel = watcher.subscriber.association.channel
    assert isinstance(channel, UdpChannel)
    assert channel.socket.getpeername() == ("127.0.0.1", port)
