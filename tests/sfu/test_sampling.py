"""What a transport carried since it was sampled before, and over which addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from sfu.control import messages as m
from sfu.webrtc.announced import MAX_ANNOUNCED, Announced
from sfu.webrtc.udp import UdpPath
from tests.sfu.node_world import BOTH, CAMERA_SPEC, MIC_SPEC, World, node_world

CLIENT = ("198.51.100.7", 50000)
ANNOUNCED = "candidate:1 1 udp 1 198.51.100.7 50000 typ srflx raddr 0.0.0.0 rport 0"


@dataclass
class TcpLike:
    address: tuple[Any, ...]
    reliable: bool = True
    sent: list[bytes] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        self.sent.append(data)


async def sampled(world: World, *transport_ids: str) -> tuple[m.TransportSample, ...]:
    reply = await world.do(m.Sample(transport_ids=transport_ids))
    assert isinstance(reply, m.Sampled)
    return reply.transports


async def test_streams_of_one_medium_are_put_together_and_told_once() -> None:
    async with node_world(MIC_SPEC, CAMERA_SPEC) as world:
        stream = world.link.node.producers["pr_mic"].encodings[0].stream
        stream.packets, stream.bytes = 100, 10_000
        consumers = (
            m.ConsumerSpec(consumer_id="cs_mic", producer_id="pr_mic"),
            m.ConsumerSpec(consumer_id="cs_cam", producer_id="pr_cam"),
        )
        await world.subscribe(*consumers)
        leg = world.link.node.consumers["cs_cam"].leg
        leg.packets, leg.octets = 50, 40_000
        sent, received = await sampled(world, "tp", "none", "ts")
        (voice,) = sent.media
        assert (sent.transport_id, voice.medium, voice.streams, voice.packets) == ("tp", "audio", 1, 100)
        assert (voice.octets, voice.score, voice.worst) == (10_000, 10.0, 10)
        assert voice.frame_rate is None
        (picture,) = received.media
        assert (picture.medium, picture.packets, picture.octets) == ("video", 50, 40_000)
        assert [one.media for one in await sampled(world, "tp", "ts")] == [(), ()]


async def test_a_screen_is_another_medium_than_a_camera() -> None:
    screen = m.ProducerSpec(producer_id="pr_scr", mid="1", source="screen", kind="video")
    async with node_world() as world:
        await world.publish(screen, grants=(*BOTH, m.Grant(source="screen", kind="video")))
        world.link.node.producers["pr_scr"].encodings[0].stream.packets = 1
        ((sample,),) = [one.media for one in await sampled(world, "tp")]
        assert sample.medium == "screen"


async def test_the_path_is_the_nominated_one_and_its_type_what_the_client_announced() -> None:
    async with node_world(MIC_SPEC) as world:
        transport = world.link.node.transports["tp"]
        assert (await sampled(world, "tp"))[0].path is None
        port = world.link.node.ports._udp[0]
        transport.association.path = UdpPath(port, CLIENT)
        (sample,) = await sampled(world, "tp")
        assert sample.path == m.PathSample(
            protocol="udp",
            local_host="127.0.0.1",
            local_port=port.number,
            remote_host=CLIENT[0],
            remote_port=CLIENT[1],
            remote_type="prflx",
        )
        await world.do(m.HandleCandidate(transport_id="tp", candidate=ANNOUNCED))
        transport.association.path = TcpLike(("tcp", *CLIENT))
        (sample,) = await sampled(world, "tp")
        assert sample.path is not None
        assert (sample.path.protocol, sample.path.remote_host, sample.path.remote_type) == (
            "tcp",
            CLIENT[0],
            "srflx",
        )
        transport.association.path = None


async def test_no_more_than_one_turn_of_the_loop_takes_is_sampled_at_once() -> None:
    with pytest.raises(ValueError, match="16"):
        m.Sample(transport_ids=("tp",) * (m.MAX_SAMPLED + 1))


def test_a_client_cannot_announce_without_bound_nor_what_is_no_candidate() -> None:
    announced = Announced()
    announced.add(None)
    announced.add("candidate:nonsense")
    announced.add("candidate:1 1 udp 1 5c9d.local 9 typ host")
    for number in range(2 * MAX_ANNOUNCED):
        announced.add(f"candidate:1 1 udp 1 192.0.2.1 {number + 1} typ host")
    assert announced.type_of("192.0.2.1", MAX_ANNOUNCED) == "host"
    assert announced.type_of("192.0.2.1", MAX_ANNOUNCED + 1) == "prflx"
    assert announced.type_of("5c9d.local", 9) == "prflx"
