"""What a participant's TURN credentials are good for, asked of a real coturn with our configuration: the
media nodes, and nothing else (OWASP ASVS 5.0 V17.1.1), and of that so much and no more (V17.1.2).
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from sfu.probe.turn import TurnClient, TurnRefusedError
from tests.support import netns
from tests.support.turn_world import (
    NODE_V4,
    NODE_V6,
    TURN_V4,
    TURN_V6,
    TurnWorld,
    credential,
    needs_turn,
    turn_world,
)
from tests.support.wait import PATIENCE

pytestmark = needs_turn

SPECIAL_V4 = (
    "0.0.0.1",
    "10.0.0.1",
    "10.77.0.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
)
SPECIAL_V6 = (
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
    "2002:7f00:1::",
)
PORT = 40000
_NUMBERS = count()


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnWorld]:
    with turn_world(tmp_path_factory.mktemp("turn"), user_quota=4) as world:
        yield world


async def allocated(
    stack: AsyncExitStack, who: str | None = None, *, family: int = 4, **options: timedelta
) -> TurnClient:
    """A client with an allocation, which lasts as long as `stack`; of somebody new unless `who` says."""
    host = TURN_V4 if family == 4 else TURN_V6
    client = await stack.enter_async_context(TurnClient.connect(host, 3478))
    given = credential(who or f"somebody-{next(_NUMBERS)}", **options)
    relayed, _ = await client.allocate(given.username, given.password, family=family)
    assert relayed == host
    return client


async def patiently(allocate: Callable[[], Awaitable[TurnClient]]) -> TurnClient:
    """Again while the server has not noticed that others went, which it does about once a second."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await allocate()
            except TurnRefusedError as refused:
                if refused.code != 486:
                    raise
            await asyncio.sleep(0.1)


async def refusal(work: object) -> int:
    with pytest.raises(TurnRefusedError) as refused:
        await work  # type: ignore[misc]
    return refused.value.code


async def test_the_media_nodes_are_within_reach(turn: TurnWorld) -> None:
    async with AsyncExitStack() as stack:
        v4 = await allocated(stack)
        await v4.create_permission((NODE_V4, PORT))
        await v4.bind_channel((NODE_V4, PORT))
        v6 = await allocated(stack, family=6)
        await v6.create_permission((NODE_V6, PORT))
        await v6.bind_channel((NODE_V6, PORT))


@pytest.mark.parametrize("address", [*SPECIAL_V4, TURN_V4, "8.8.8.8"])
@pytest.mark.asvs("17.1.1")
async def test_no_other_ipv4_address_is(turn: TurnWorld, address: str) -> None:
    async with AsyncExitStack() as stack:
        client = await allocated(stack)
        assert await refusal(client.create_permission((address, PORT))) == 403
        assert await refusal(client.bind_channel((address, PORT))) == 403


@pytest.mark.parametrize("address", [*SPECIAL_V6, TURN_V6, "2606:4700::1"])
@pytest.mark.asvs("17.1.1")
async def test_no_other_ipv6_address_is(turn: TurnWorld, address: str) -> None:
    async with AsyncExitStack() as stack:
        client = await allocated(stack, family=6)
        # Where IPv4 is written as IPv6, coturn may see the former, of which this allocation knows nothing.
        assert await refusal(client.create_permission((address, PORT))) in (403, 443)
        assert await refusal(client.bind_channel((address, PORT))) in (403, 443)


@pytest.mark.asvs("17.1.1")
async def test_what_is_sent_without_permission_arrives_nowhere_but_the_node_is_heard(turn: TurnWorld) -> None:
    with netns.inside(turn.networks.server):
        node = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        node.bind((NODE_V4, 0))
        inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        inner.bind(("127.0.0.1", 0))
        neighbour = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        neighbour.bind((TURN_V4, 0))
    loop = asyncio.get_running_loop()
    with node, inner, neighbour:
        for sock in (node, inner, neighbour):
            sock.setblocking(False)
        async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
            client = await allocated(stack)
            await client.create_permission(node.getsockname())
            for target in (inner, neighbour, node):
                await client.send(target.getsockname(), b"hello")
            data, relay = await loop.sock_recvfrom(node, 100)
            assert data == b"hello"
            await loop.sock_sendto(node, b"welcome", relay)
            assert await client.receive() == (node.getsockname(), b"welcome")
        # All three were sent in this order: what came to the node last says that the others came to nothing.
        for sock in (inner, neighbour):
            with pytest.raises(BlockingIOError):
                sock.recv(100)


async def test_a_credential_is_good_for_its_time_and_from_its_secret_only(turn: TurnWorld) -> None:
    expired = credential(ends_in=timedelta(seconds=-5))
    foreign = credential(secret="another secret altogether")
    renamed = credential("ada")
    for username, password in (
        (expired.username, expired.password),
        (foreign.username, foreign.password),
        (renamed.username.replace("ada", "bob"), renamed.password),
        ("ada", renamed.password),
        (f"9{renamed.username}", renamed.password),
    ):
        async with TurnClient.connect(TURN_V4, 3478) as client:
            assert await refusal(client.allocate(username, password)) == 401


async def test_nothing_is_relayed_over_tcp_to_peers(turn: TurnWorld) -> None:
    async with TurnClient.connect(TURN_V4, 3478, transport="tcp") as client:
        given = credential()
        relayed, _ = await client.allocate(given.username, given.password)
        assert relayed == TURN_V4, "TCP to the server is fine; behind it there is UDP"


@pytest.mark.asvs("17.1.2")
async def test_one_participant_has_so_many_relays_and_no_more_however_often_credentials_are_renewed(
    turn: TurnWorld,
) -> None:
    async with AsyncExitStack() as stack:
        for number in range(4):
            await allocated(stack, "greedy", ends_in=timedelta(hours=1, seconds=number))
        given = credential("greedy", ends_in=timedelta(hours=2))
        async with TurnClient.connect(TURN_V4, 3478) as fifth:
            assert await refusal(fifth.allocate(given.username, given.password)) == 486
        await allocated(stack, "modest")


async def test_a_relay_that_is_given_back_makes_room(turn: TurnWorld) -> None:
    async with AsyncExitStack() as held:
        for _ in range(3):
            await allocated(held, "coming-and-going")
        for _ in range(6):
            async with AsyncExitStack() as stack:
                await patiently(lambda: allocated(stack, "coming-and-going"))


@pytest.mark.asvs("17.1.2")
async def test_all_participants_together_have_so_many_relays_and_no_more(tmp_path: Path) -> None:
    with turn_world(tmp_path, total_quota=8):
        async with AsyncExitStack() as stack:
            for number in range(8):
                await allocated(stack, f"crowd-{number // 2}")
            given = credential("one-more")
            async with TurnClient.connect(TURN_V4, 3478) as ninth:
                assert await refusal(ninth.allocate(given.username, given.password)) == 486


async def test_it_is_the_configuration_that_protects(tmp_path: Path) -> None:
    """The control: the same coturn with those lines taken out relays into private networks without end."""

    def without_protection(text: str) -> str:
        return re.sub(r"(?m)^((denied|allowed)-peer-ip|user-quota|total-quota)=.*\n", "", text)

    with turn_world(tmp_path, change=without_protection):
        async with AsyncExitStack() as stack:
            clients = [await allocated(stack, "greedy") for _ in range(9)]
            for address in ("10.0.0.1", "169.254.169.254", "192.168.1.1"):
                await clients[0].create_permission((address, PORT))


@pytest.mark.asvs("17.1.1")
async def test_special_purpose_addresses_stay_closed_when_the_rest_is_opened(tmp_path: Path) -> None:
    def opened(text: str) -> str:
        return re.sub(r"(?m)^denied-peer-ip=(0\.0\.0\.0-255\.255|::-ffff).*\n", "", text)

    with turn_world(tmp_path, change=opened):
        async with AsyncExitStack() as stack:
            v4, v6 = await allocated(stack), await allocated(stack, family=6)
            await v4.create_permission(("8.8.8.8", PORT))
            await v6.create_permission(("2606:4700::1", PORT))
            for address in SPECIAL_V4:
                assert await refusal(v4.create_permission((address, PORT))) == 403, address
            for address in SPECIAL_V6:
                assert await refusal(v6.create_permission((address, PORT))) in (403, 443), address


async def test_a_port_that_the_server_knows_an_allocation_of_is_left_for_another(turn: TurnWorld) -> None:
    async with AsyncExitStack() as stack:
        client = await allocated(stack)
        given = credential(f"somebody-{next(_NUMBERS)}")
        relayed, port = await client.allocate(given.username, given.password)
        assert relayed == TURN_V4
        assert port
