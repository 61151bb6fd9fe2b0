"""Rubbish on every port and in every state: it is dropped, and the media of others never notices."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct

import aiohttp
import pytest

from sfu.bot import AudioSpec, Bot, RefusedError
from sfu.bots.signalling import BotError, Signalling
from sfu.webrtc.ice import IceController, IceCredentials
from tests.support.wait import wait_until
from tests.support.world import World, assert_late, stream_of, wait_media

SEED = 20_26


def rubbish(chance: random.Random, count: int) -> list[bytes]:
    """Datagrams that begin like STUN, DTLS, RTP and RTCP, and go on as chance will."""
    heads = (
        struct.pack("!HHI", 0x0001, 8, 0x2112A442),
        struct.pack("!HHI", 0x0001, 0xFFFC, 0x2112A442),
        bytes((22, 254, 253)) + bytes(8) + b"\xff\xff",
        bytes((23, 254, 253)),
        struct.pack("!BBHII", 0x80, 96, 1, 1, 1),
        struct.pack("!BBHIIHH", 0x9F, 96, 1, 1, 1, 0xBEDE, 0xFFFF),
        struct.pack("!BBHII", 0xBF, 0x80 | 111, 1, 1, 1),
        struct.pack("!BBHII", 0x9F, 200, 0xFFFF, 1, 1),
        struct.pack("!BBHII", 0x8F, 205, 5, 1, 1),
        struct.pack("!BBHII", 0x81, 206, 2, 1, 1),
        b"",
        bytes((0xFF,)),
    )
    return [chance.choice(heads) + chance.randbytes(chance.randrange(0, 200)) for _ in range(count)]


async def meeting_with_media(world: World) -> Bot:
    await world.publisher()
    watcher = await world.subscriber()
    await wait_media(watcher, 1)
    return watcher


async def assert_unharmed(world: World, watcher: Bot) -> None:
    await wait_media(watcher, 1, more=50)
    tally = stream_of(watcher, 1).tally
    assert tally.restarts == 0
    await assert_late(world.server, world.late_before, len(tally.missing))


@pytest.mark.asvs("17.2.4")
async def test_datagrams_of_strangers_disturb_nobody(world: World) -> None:
    watcher = await meeting_with_media(world)
    target = ("127.0.0.1", world.server.udp_ports[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        for datagram in rubbish(random.Random(SEED), 3000):
            sock.sendto(datagram, target)
        sock.setblocking(False)
        await assert_unharmed(world, watcher)
        answered = 0
        with pytest.raises(BlockingIOError):
            while sock.recv(2048):
                answered += 1
        assert answered < 100, "a server must not be made to answer rubbish"


async def test_strangers_on_the_tcp_port_disturb_nobody(world: World) -> None:
    watcher = await meeting_with_media(world)
    chance = random.Random(SEED)
    for datagram in [b"\xff\xff" + chance.randbytes(5000), b"GET / HTTP/1.1\r\n\r\n", *rubbish(chance, 50)]:
        _, writer = await asyncio.open_connection("127.0.0.1", world.server.udp_ports[0])
        writer.write(len(datagram).to_bytes(2, "big") + datagram)
        writer.close()
    await assert_unharmed(world, watcher)


@pytest.mark.asvs("17.2.4")
async def test_rubbish_from_a_connected_peer_disturbs_nobody_else(world: World) -> None:
    """The datagrams come from the very address of a peer whose DTLS is up."""
    watcher = await meeting_with_media(world)
    rogue = await world.publisher(AudioSpec(2))
    assert rogue.publisher is not None
    channel = rogue.publisher.association.channel
    for datagram in rubbish(random.Random(SEED), 3000):
        if datagram:
            channel.send(datagram)
    await assert_unharmed(world, watcher)
    await wait_media(watcher, 2)


@pytest.mark.asvs("17.2.4")
async def test_authentic_but_malformed_rtp_and_rtcp_disturb_nobody(world: World) -> None:
    """Encrypted with the right keys, so that they reach the parsers behind SRTP."""
    watcher = await meeting_with_media(world)
    rogue = await world.publisher()
    assert rogue.publisher is not None
    association = rogue.publisher.association
    outbound = association.outbound
    assert outbound is not None
    chance = random.Random(SEED)
    for number in range(1500):
        kind = chance.choice((200, 201, 202, 203, 204, 205, 206, 207))
        words = chance.choice((0, 1, 2, 5, 0xFFFF))
        report = struct.pack("!BBHI", 0x80 | chance.randrange(32), kind, words, 7) + chance.randbytes(
            4 * chance.randrange(12)
        )
        association.channel.send(outbound.seal_rtcp(report))
        header = struct.pack("!BBHII", 0xA0 if number % 3 else 0x80, 96, number, 0, 4_000_000 + number % 50)
        association.channel.send(outbound.seal_rtp(header, chance.randbytes(chance.randrange(30)), number))
        if number % 200 == 0:
            await asyncio.sleep(0)
    await assert_unharmed(world, watcher)


async def test_media_of_a_peer_goes_on_after_it_sent_rubbish_itself(world: World) -> None:
    watcher = await world.subscriber()
    publisher = await world.publisher()
    await wait_media(watcher, 1)
    assert publisher.publisher is not None
    for datagram in rubbish(random.Random(SEED + 1), 500):
        if datagram:
            publisher.publisher.association.channel.send(datagram)
    await wait_media(watcher, 1)


async def test_a_stun_flood_with_a_known_ufrag_and_a_wrong_password_moves_nothing(world: World) -> None:
    watcher = await meeting_with_media(world)
    offer = next(event for event in watcher.events if event["type"] == "subscribe_offer")["offer"]
    ufrag = offer.partition("a=ice-ufrag:")[2].split()[0]
    thief = IceController(IceCredentials("abcd", "x" * 22), IceCredentials(ufrag, "w" * 24))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number in range(500):
            check = thief.make_check(number.to_bytes(12, "big"), 0.0)
            sock.sendto(check, ("127.0.0.1", world.server.udp_ports[0]))
        await assert_unharmed(world, watcher)


BROKEN_FRAMES = [
    "",
    "{",
    "null",
    "[]",
    '"join"',
    "{}",
    '{"id": 1}',
    '{"id": -1, "type": "ping"}',
    '{"id": "one", "type": "ping"}',
    '{"id": 1, "type": "no_such_request"}',
    '{"id": 1, "type": "publish", "offer": 5}',
    json.dumps({"id": 1, "type": "publish", "offer": "v=0\r\nm=video x y z\r\n", "publications": []}),
    json.dumps({"id": 1, "type": "subscribe_answer", "version": 99, "answer": "nonsense"}),
    json.dumps({"id": 1, "type": "candidate", "transport": "publish", "candidate": "candidate:x y z"}),
    json.dumps({"id": 1, "type": "ping", "extra": "x" * 1000}),
    "\x00\x01\x02",
    '{"id": 1, "type": ' + "[" * 5000,
]


@pytest.mark.asvs("17.3.2")
async def test_broken_messages_are_answered_and_the_socket_lives_on(world: World) -> None:
    watcher = await meeting_with_media(world)
    rogue = await world.join()
    for frame in BROKEN_FRAMES:
        try:
            await rogue.signalling.send_text(frame)
            await rogue.signalling.request("ping")
        except (BotError, aiohttp.ClientError, ConnectionError):
            # Closing the socket of whoever sends rubbish is allowed; then the next frame needs a new peer.
            rogue = await world.join()
    await assert_unharmed(world, watcher)


@pytest.mark.parametrize("frame", [*BROKEN_FRAMES, json.dumps({"id": 1, "type": "publish", "offer": "x"})])
@pytest.mark.asvs("17.3.2")
async def test_before_joining_nothing_but_join_and_resume_is_done(world: World, frame: str) -> None:
    socket_only = Signalling(world.server.base_url, lambda event: None)
    await socket_only.open()
    try:
        await socket_only.send_text(frame)
        with pytest.raises((RefusedError, BotError)):
            await socket_only.request("subscribe", subscriptions=[{"publication_id": "pub_1"}])
    finally:
        await socket_only.close()


@pytest.mark.parametrize(
    "sdp",
    [
        "x",
        "v=0\r\n" * 10_000,
        "m=video 9 UDP/TLS/RTP/SAVPF\r\n",
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 99999999 UDP/TLS/RTP/SAVPF 96\r\n",
        "v=0\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus\r\n",
        "v=0\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=fingerprint:sha-256\r\na=ssrc:x y\r\n",
        "v=0\r\na=group:BUNDLE " + " ".join(map(str, range(3000))) + "\r\n",
    ],
    ids=["letter", "long", "short", "port", "rtpmap", "attributes", "bundle"],
)
@pytest.mark.asvs("17.3.2")
async def test_a_broken_offer_is_refused_with_a_reason_and_disturbs_nobody(world: World, sdp: str) -> None:
    watcher = await meeting_with_media(world)
    rogue = await world.join()
    with pytest.raises(RefusedError) as refusal:
        await rogue.signalling.request(
            "publish", offer=sdp, publications=[{"mid": "0", "source": "camera", "kind": "video"}]
        )
    assert str(refusal.value)
    await rogue.publish([AudioSpec(2)])
    assert rogue.publisher is not None
    rogue.publisher.start()
    await wait_media(watcher, 2)
    await assert_unharmed(world, watcher)


@pytest.mark.asvs("17.3.2")
async def test_messages_and_offers_over_the_limits_are_refused(world: World) -> None:
    rogue = await world.join()
    with pytest.raises(RefusedError):
        await rogue.signalling.request("publish", offer="v" * (64 * 1024 + 1), publications=[])
    with pytest.raises((RefusedError, BotError)):
        await rogue.signalling.request("publish", offer="v" * (300 * 1024), publications=[])
    again = await world.join()
    assert await again.signalling.request("ping") is not None


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "é" * 50])
async def test_a_bad_token_joins_nothing(world: World, token: str) -> None:
    signalling = Signalling(world.server.base_url, lambda event: None)
    await signalling.open()
    try:
        with pytest.raises((RefusedError, BotError)):
            await signalling.join(token)
    finally:
        await signalling.close()


async def test_the_server_is_healthy_after_all_this(world: World) -> None:
    async with aiohttp.ClientSession() as http, http.get(world.server.base_url + "/healthz") as response:
        assert response.status == 200
    await wait_until(lambda: world.server.process.poll() is None, "the server to run")
