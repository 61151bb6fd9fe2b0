"""An attacker on the path of a call: forged handshakes, replayed and invented media. The call goes on, and
nobody hears a packet of it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache

import pytest
import pytest_asyncio

from sfu.bot import AudioSpec, Bot
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.dtls import DtlsEndpoint, DtlsRole
from sfu.webrtc.srtp import OutboundSrtp, SrtpProfile
from tests.support.intruder import Intruder
from tests.support.wait import wait_until
from tests.support.world import World, assert_late, packets_of, stream_of, track_of, wait_media

ALERT = bytes.fromhex("15fefd000000000000000000020228")
"""A fatal handshake failure in plain text."""


@cache
def client_hellos() -> tuple[bytes, ...]:
    """The first flight of somebody with a certificate of their own."""
    certificate = Certificate.generate(datetime.now(UTC))
    return tuple(DtlsEndpoint(certificate, DtlsRole.CLIENT).poll_datagrams())


def hostile_records() -> list[bytes]:
    """ClientHellos, a broken one, alerts, and records that claim to be anything."""
    (hello, *_) = client_hellos()
    chance = random.Random(17)
    broken = hello[:60] + chance.randbytes(len(hello) - 60)
    kinds = [bytes((kind, 254, 253)) + bytes(8) + b"\0\x20" + chance.randbytes(32) for kind in range(20, 26)]
    records = [*client_hellos(), broken, ALERT, *kinds]
    # With numbers that were not seen yet, or they would be dropped as repetitions.
    return [one[:5] + (40 + number).to_bytes(6, "big") + one[11:] for number, one in enumerate(records)]


def is_dtls(data: bytes) -> bool:
    return 20 <= data[0] < 64


def is_rtp(data: bytes) -> bool:
    return 128 <= data[0] < 192 and not 192 <= data[1] < 224


@pytest_asyncio.fixture
async def intruder(world: World) -> AsyncIterator[Intruder]:
    """On the way of whoever joins with `route=intruder.route`."""
    one = Intruder.open(("127.0.0.1", world.server.udp_ports[0]))
    yield one
    one.close()


async def assert_whole(world: World, watcher: Bot, stream_id: int = 2) -> None:
    """Everything of a stream arrived once and in order, and goes on."""
    await wait_media(watcher, stream_id, more=25)
    tally = stream_of(watcher, stream_id).tally
    assert (tally.duplicates, tally.restarts) == (0, 0)
    await assert_late(world.server, world.late_before, len(tally.missing))
    assert watcher.subscriber is not None
    assert {one.tally.stream_id for one in watcher.subscriber.media_streams()} == {stream_id}


@pytest.mark.asvs("17.2.6")
async def test_hostile_records_from_another_address_win_no_race(world: World, intruder: Intruder) -> None:
    """Before the client's first record, between any two of them, and after."""
    watcher = await world.subscriber()

    def race(data: bytes) -> None:
        if is_dtls(data):
            for record in hostile_records():
                intruder.inject_from_elsewhere(record)

    intruder.on_up = race
    await world.publisher(AudioSpec(2), route=intruder.route)
    race(ALERT)
    await assert_whole(world, watcher)


@pytest.mark.asvs("17.2.6")
async def test_a_client_hello_from_the_validated_address_does_not_end_a_handshake(
    world: World, intruder: Intruder
) -> None:
    """The source address is forged, too: a hello of somebody else follows each record of the client."""
    watcher = await world.subscriber()
    injected = 0

    def race(data: bytes) -> None:
        nonlocal injected
        # Not before the first record: whoever speaks first from a validated address is the client, for all
        # that a server can know. It gets no keys (its certificate is another), and set-up has to be repeated.
        if any(is_dtls(one) for one in intruder.passed):
            for record in hostile_records():
                intruder.inject(record)
                injected += 1

    intruder.on_up = race
    await world.publisher(AudioSpec(2), route=intruder.route)
    await assert_whole(world, watcher)
    assert injected > 0


@pytest.mark.asvs("17.2.6")
async def test_hostile_records_into_a_running_call_change_nothing(world: World, intruder: Intruder) -> None:
    watcher = await world.subscriber()
    publisher = await world.publisher(AudioSpec(2), route=intruder.route)
    await wait_media(watcher, 2)
    for _ in range(20):
        for record in hostile_records():
            intruder.inject(record)
    await assert_whole(world, watcher)
    await publisher.wait_for(
        lambda event: event["type"] == "transport_state" and event["state"] == "connected", "its connection"
    )
    states = [event["state"] for event in publisher.events if event["type"] == "transport_state"]
    assert states[-1] == "connected"


@pytest.mark.asvs("17.2.3")
@pytest.mark.parametrize("profile", list(SrtpProfile), ids=lambda profile: profile.name)
async def test_replayed_media_is_heard_once(world: World, intruder: Intruder, profile: SrtpProfile) -> None:
    """Every packet of the call, sent again as it was, from the address it came from."""
    watcher = await world.subscriber()
    publisher = await world.publisher(AudioSpec(2), route=intruder.route, profiles=(profile,))
    await wait_media(watcher, 2, more=50)
    recorded = [data for data in intruder.passed if is_rtp(data)]
    assert len(recorded) >= 50
    before, sent = packets_of(watcher, 2), track_of(publisher, "microphone").encodings[0].packets_sent
    tally = stream_of(watcher, 2).tally
    assert tally.last is not None
    unheard = sent - 1 - tally.last + len(tally.missing)  # under way, or dropped for being late
    for _ in range(3):
        for data in recorded:
            intruder.inject(data)
    await assert_whole(world, watcher)
    sent_since = track_of(publisher, "microphone").encodings[0].packets_sent - sent
    assert packets_of(watcher, 2) - before <= sent_since + unheard < sent_since + 3 * len(recorded)


@pytest.mark.asvs("17.2.3")
@pytest.mark.parametrize("profile", list(SrtpProfile), ids=lambda profile: profile.name)
async def test_media_of_somebody_without_the_keys_is_not_heard(
    world: World, intruder: Intruder, profile: SrtpProfile
) -> None:
    """The right SSRC, the numbers that follow, keys of one's own; and true packets with a byte changed."""
    watcher = await world.subscriber()
    publisher = await world.publisher(AudioSpec(2), route=intruder.route, profiles=(profile,))
    await wait_media(watcher, 2)
    recorded = [data for data in intruder.passed if is_rtp(data)]
    last = recorded[-1]
    sequence = int.from_bytes(last[2:4], "big")
    forger = OutboundSrtp(profile, b"k" * profile.key_length, b"s" * profile.salt_length)
    for ahead in range(1, 200):
        number = (sequence + ahead) & 0xFFFF
        header = bytes((0x80, last[1])) + number.to_bytes(2, "big") + last[4:12]
        intruder.inject(forger.seal_rtp(header, b"invented", number))
        tampered = bytearray(last)
        tampered[2:4] = number.to_bytes(2, "big")
        tampered[20] ^= 0xFF
        intruder.inject(bytes(tampered))
    await assert_whole(world, watcher)
    assert watcher.subscriber is not None
    assert (watcher.subscriber.unauthentic, watcher.subscriber.unstamped) == (0, 0)
    encoding = track_of(publisher, "microphone").encodings[0]
    await wait_until(lambda: encoding.packets_sent > len(recorded) + 50, "the call to go on")
    await assert_whole(world, watcher)
