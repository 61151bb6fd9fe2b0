"""The relay of data messages on one node: whom it reaches, whom not, and what a slow receiver costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from sfu.control.messages import DataDropped, Event
from sfu.data.relay import DELIVERY_BURST, MOST_BUFFERED, DataEnd, DataRate, DataRelay, Relayed
from tests.sfu.webrtc.sctp_client import ClientWire
from tests.support.wait import wait_until


class Client:
    """aiortc's SCTP at the other side of a `DataEnd`; `deaf` while nothing of the node reaches it."""

    def __init__(self, relay: DataRelay, name: str, *, rate: DataRate = DataRate()) -> None:  # noqa: B008
        self.loop = asyncio.get_running_loop()
        self.told: list[Event] = []
        self.got: list[tuple[dict[str, Any], bytes]] = []
        self.now = 0.0
        self.deaf = False
        self.end = DataEnd(
            relay,
            name=name,
            transport_id=f"tp_{name}",
            rate=rate,
            transmit=self._down,
            emit=self.told.append,
            now=0.0,
        )
        self.sctp = RTCSctpTransport(ClientWire(self._up))  # type: ignore[arg-type]
        self.channels: dict[str, RTCDataChannel] = {}

    async def open(self, *, granted: bool = True) -> Client:
        self.end.granted = granted
        self.end.negotiate(5000, 262_144, 0.0)
        self.end.handle_connected()
        await self.sctp.start(RTCSctpCapabilities(maxMessageSize=262_144), 5000)
        for label in ("reliable", "lossy"):
            self.open_channel(label)
        await wait_until(lambda: set(self.end.channels) == {"reliable", "lossy"}, "open channels")
        return self

    def open_channel(self, label: str) -> None:
        channel = RTCDataChannel(self.sctp, RTCDataChannelParameters(label=label))
        channel.on("message", self._take)
        self.channels[label] = channel

    def send(self, payload: bytes, *, label: str = "reliable", **header: Any) -> None:
        text = json.dumps(header).encode()
        self.channels[label].send(len(text).to_bytes(2, "big") + text + payload)

    def dropped(self) -> dict[str, int]:
        self.now += 2.0
        self.end.tick(self.now)
        return {one.reason: one.messages for one in self.told if isinstance(one, DataDropped)}

    async def close(self) -> None:
        self.end.close()
        await self.sctp.stop()

    def _take(self, data: bytes) -> None:
        end = 2 + int.from_bytes(data[:2], "big")
        self.got.append((json.loads(data[2:end]), data[end:]))

    def _up(self, packet: bytes) -> None:
        self.loop.call_soon(lambda: self.end.handle_packets([packet], self.now))

    def _down(self, packet: bytes) -> None:
        if not self.deaf:
            self.loop.call_soon(self._hand_down, packet)

    def _hand_down(self, packet: bytes) -> None:
        with pytest.raises(StopIteration):
            self.sctp._handle_data(packet).send(None)


Meet = Callable[..., Any]


@pytest.fixture
async def relay() -> DataRelay:
    return DataRelay()


@pytest.fixture
async def meet(relay: DataRelay) -> AsyncIterator[Meet]:
    clients: list[Client] = []

    async def join(name: str, *, granted: bool = True, **options: Any) -> Client:
        clients.append(Client(relay, name, **options))
        return await clients[-1].open(granted=granted)

    yield join
    for client in clients:
        await client.close()


async def gets(client: Client, count: int) -> None:
    await wait_until(lambda: len(client.got) == count, lambda: f"{count} messages, got {client.got}")


async def test_the_sender_is_named_by_the_node_whatever_it_says_itself(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    ada.send(b"hello", topic="t", **{"from": "grace"})
    await gets(grace, 1)
    assert grace.got == [({"from": "ada", "topic": "t"}, b"hello")]


async def test_a_grant_that_ends_ends_sending_at_once_and_not_receiving(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    ada.end.granted = False
    ada.send(b"too late")
    grace.send(b"still there")
    await gets(ada, 1)
    assert grace.got == []
    assert ada.dropped() == {"not_permitted": 1}


async def test_nobody_is_on_the_relay_who_has_closed(meet: Meet, relay: DataRelay) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    ada.end.close()
    grace.send(b"to all")
    grace.send(b"to her", to=["ada"])
    linus = await meet("linus")
    grace.send(b"who is there")
    await gets(linus, 1)
    assert set(relay.ends) == {"grace", "linus"}
    assert ada.got == []


async def test_a_slow_receiver_loses_lossy_messages_and_its_channel_rather_than_one_reliable_one(
    meet: Meet, relay: DataRelay
) -> None:
    slow, quick = await meet("slow"), await meet("quick")
    slow.deaf = True
    large = bytes(60_000)
    for label in MOST_BUFFERED:
        for _ in range(MOST_BUFFERED[label] // len(large) + 5):
            relay.deliver(Relayed("ada", None, "", large, label))
            await asyncio.sleep(0)
    assert slow.dropped()["slow_receiver"] >= 5
    assert "reliable" not in slow.end.channels, "it was closed"
    assert "lossy" in slow.end.channels
    assert quick.end.channels == ("reliable", "lossy"), "others are none the worse"


async def test_what_concerns_peers_elsewhere_is_handed_over_once(meet: Meet, relay: DataRelay) -> None:
    elsewhere: list[Relayed] = []
    relay.elsewhere = elsewhere.append
    ada, grace = await meet("ada"), await meet("grace")
    ada.send(b"all")
    ada.send(b"here", to=["grace"])
    ada.send(b"there", to=["linus", "grace"])
    await gets(grace, 3)
    assert [(one.to, one.payload) for one in elsewhere] == [(None, b"all"), (("linus", "grace"), b"there")]
    relay.deliver(Relayed("linus", ("grace",), "", b"back", "reliable"))
    await gets(grace, 4)
    assert len(elsewhere) == 2, "what came from elsewhere does not go there again"


async def test_the_rate_counts_messages_and_bytes_and_recovers_with_time(meet: Meet) -> None:
    ada = await meet("ada", rate=DataRate(messages=10, payload=100_000))
    grace = await meet("grace")
    for _ in range(25):
        ada.send(b"x")
    await gets(grace, 20)
    ada.now += 1.0
    ada.send(b"again")
    await gets(grace, 21)
    ada.now += 100.0
    for _ in range(8):
        ada.send(bytes(60_000))
    await gets(grace, 27)
    assert ada.dropped() == {"rate_limited": 5 + 2}


async def test_a_router_hands_out_no_more_than_media_can_spare(meet: Meet, relay: DataRelay) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    crowd = Relayed("somebody", tuple(f"peer {n}" for n in range(int(DELIVERY_BURST))), "", b"", "lossy")
    assert relay.relay(crowd, 0.0), "one to the largest crowd passes"
    ada.send(b"x")
    await wait_until(lambda: relay.counts.dropped == 1, "the message to be dropped")
    ada.now += 1.0
    ada.send(b"later")
    await gets(grace, 1)
    assert ada.dropped() == {"rate_limited": 1}
