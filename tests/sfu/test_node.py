"""A node as signaling drives it: commands in, replies and events out, real ports, no media yet."""

from __future__ import annotations

import asyncio
import os
import struct

import pytest

from sfu.control import messages as m
from sfu.errors import NodeCommandError
from sfu.rtp.extensions import build_extensions
from sfu.rtp.parameters import Direction
from sfu.webrtc.sdp import parse_sdp
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp, SrtpProfile
from tests.sfu.client_sdp import answer, chromium_offer
from tests.sfu.node_world import BOTH, CAMERA_SPEC, MIC_SPEC, MICROPHONE, World, world
from tests.vectors import sdp as vectors

__all__ = ["world"]


async def test_an_offer_is_answered_with_what_was_granted(world: World) -> None:
    sdp = await world.publish(MIC_SPEC, CAMERA_SPEC)
    audio, video = parse_sdp(sdp).sections
    assert (audio.direction, video.direction) == (Direction.RECVONLY, Direction.RECVONLY)
    assert video.simulcast_recv == ("l", "m", "h")
    assert "typ host" in audio.candidates[0]
    assert "a=ice-lite" in sdp


async def test_a_source_without_a_grant_is_answered_inactive(world: World) -> None:
    sdp = await world.publish(MIC_SPEC, CAMERA_SPEC, grants=(MICROPHONE,))
    audio, video = parse_sdp(sdp).sections
    assert audio.direction is Direction.RECVONLY
    assert video.direction is Direction.INACTIVE
    assert list(world.link.node.producers) == ["pr_mic"]


async def test_a_section_nobody_asked_for_is_answered_inactive(world: World) -> None:
    _, video = parse_sdp(await world.publish(MIC_SPEC)).sections
    assert video.direction is Direction.INACTIVE


async def test_a_kind_that_is_not_the_sections_is_not_published(world: World) -> None:
    await world.publish(CAMERA_SPEC.model_copy(update={"mid": "0"}))
    assert world.link.node.producers == {}


async def test_the_offer_of_obs_is_answered_by_its_declared_streams(world: World) -> None:
    await world.do(m.CreateTransport(router_id="r", transport_id="tp", direction="publish", grants=BOTH))
    offer = vectors.read("obs_publish_offer")
    reply = await world.do(m.HandleOffer(transport_id="tp", sdp=offer, producers=(MIC_SPEC, CAMERA_SPEC)))
    assert isinstance(reply, m.Answered)
    assert [one.codec for one in reply.producers] == ["audio/opus", "video/H264"]
    answer = parse_sdp(reply.sdp)
    assert [section.direction for section in answer.sections] == [Direction.RECVONLY] * 2
    assert (answer.setup, answer.bundle) == ("passive", ("0", "1"))
    client = Client(world)
    client.send(2154937542)
    assert world.link.node.producers["pr_cam"].encodings[0].stream.packets == 1


async def test_the_simulcast_of_obs_is_taken_by_its_rids(world: World) -> None:
    await world.do(m.CreateTransport(router_id="r", transport_id="tp", direction="publish", grants=BOTH))
    offer = vectors.read("obs_simulcast_offer")
    reply = await world.do(m.HandleOffer(transport_id="tp", sdp=offer, producers=(MIC_SPEC, CAMERA_SPEC)))
    assert isinstance(reply, m.Answered)
    assert [(one.codec, one.encodings) for one in reply.producers] == [("audio/opus", 1), ("video/H264", 3)]
    _, video = parse_sdp(reply.sdp).sections
    assert video.simulcast_recv == ("0", "1", "2")
    client = Client(world, mid_id=1, rid_id=2)
    for ssrc, rid in ((701, "0"), (702, "2")):
        client.send(ssrc, mid="1", rid=rid)
    encodings = world.link.node.producers["pr_cam"].encodings
    assert [one.stream.packets for one in encodings] == [1, 0, 1]


async def test_shrinking_grants_close_producers_in_the_same_turn(world: World) -> None:
    await world.publish(MIC_SPEC, CAMERA_SPEC)
    await world.subscribe(m.ConsumerSpec(consumer_id="cs", producer_id="pr_cam"))
    await world.do(m.SetGrants(transport_id="tp", grants=(MICROPHONE,)))
    assert list(world.link.node.producers) == ["pr_mic"]
    assert world.link.node.consumers == {}
    assert (await world.event(m.ProducerClosed)) == m.ProducerClosed(producer_id="pr_cam", reason="grant")
    assert (await world.event(m.ConsumerClosed)).reason == "producer_closed"


async def test_an_offer_that_cannot_be_read_changes_nothing(world: World) -> None:
    await world.publish(MIC_SPEC)
    for sdp in ("", "v=0\r\nm=audio", "x" * 100, chromium_offer().replace("a=fingerprint", "a=nothing")):
        with pytest.raises(NodeCommandError) as failure:
            await world.do(m.HandleOffer(transport_id="tp", sdp=sdp or "v", producers=(CAMERA_SPEC,)))
        assert failure.value.code == "bad_sdp"
    assert list(world.link.node.producers) == ["pr_mic"]


async def test_consumers_of_one_turn_come_in_one_offer(world: World) -> None:
    await world.publish(MIC_SPEC, CAMERA_SPEC)
    offer = await world.subscribe(
        m.ConsumerSpec(consumer_id="c1", producer_id="pr_mic"),
        m.ConsumerSpec(consumer_id="c2", producer_id="pr_cam"),
        m.ConsumerSpec(consumer_id="c3", producer_id="gone"),
    )
    assert offer.version == 1
    assert [(mid.mid, mid.consumer_id, mid.producer_id) for mid in offer.mids] == [
        ("0", "c1", "pr_mic"),
        ("1", "c2", "pr_cam"),
    ]
    audio, video = parse_sdp(offer.sdp).sections
    assert audio.msid is not None and video.msid is not None
    assert audio.msid[0] == video.msid[0], "one stream, so that the client keeps lips and voice together"
    assert len(video.ssrcs) == 2


async def test_changes_wait_for_the_answer_and_go_into_the_next_offer(world: World) -> None:
    await world.publish(MIC_SPEC, CAMERA_SPEC)
    first = await world.subscribe(m.ConsumerSpec(consumer_id="c1", producer_id="pr_mic"))
    await world.do(
        m.Consume(transport_id="ts", consumers=(m.ConsumerSpec(consumer_id="c2", producer_id="pr_cam"),))
    )
    await asyncio.sleep(0)
    assert not [event for event in world.events if isinstance(event, m.OfferReady)]
    await world.do(m.HandleAnswer(transport_id="ts", version=1, sdp=answer(first.sdp)))
    second = await world.event(m.OfferReady)
    assert second.version == 2
    assert [mid.consumer_id for mid in second.mids] == ["c1", "c2"]


async def test_an_answer_to_another_offer_is_refused(world: World) -> None:
    await world.publish(MIC_SPEC)
    offer = await world.subscribe(m.ConsumerSpec(consumer_id="c1", producer_id="pr_mic"))
    with pytest.raises(NodeCommandError) as failure:
        await world.do(m.HandleAnswer(transport_id="ts", version=2, sdp=answer(offer.sdp)))
    assert failure.value.code == "stale_answer"
    with pytest.raises(NodeCommandError) as failure:
        await world.do(m.HandleAnswer(transport_id="ts", version=1, sdp="nonsense"))
    assert failure.value.code == "bad_sdp"
    with pytest.raises(NodeCommandError) as failure:
        await world.do(m.HandleAnswer(transport_id="ts", version=1, sdp=answer(offer.sdp, setup="passive")))
    assert failure.value.code == "bad_sdp"
    await world.do(m.HandleAnswer(transport_id="ts", version=1, sdp=answer(offer.sdp)))


async def test_an_m_line_is_used_again_once_the_client_saw_it_inactive(world: World) -> None:
    await world.publish(MIC_SPEC, CAMERA_SPEC)
    offer = await world.subscribe(m.ConsumerSpec(consumer_id="c1", producer_id="pr_cam"))
    await world.do(m.HandleAnswer(transport_id="ts", version=1, sdp=answer(offer.sdp)))
    await world.do(m.CloseConsumers(consumer_ids=("c1",)))
    offer = await world.event(m.OfferReady)
    (section,) = parse_sdp(offer.sdp).sections
    assert section.direction is Direction.INACTIVE
    assert offer.mids == ()
    await world.do(m.HandleAnswer(transport_id="ts", version=2, sdp=answer(offer.sdp)))
    for consumer_id in ("c2", "c3"):
        await world.do(
            m.Consume(
                transport_id="ts",
                consumers=(m.ConsumerSpec(consumer_id=consumer_id, producer_id="pr_cam"),),
            )
        )
    offer = await world.event(m.OfferReady)
    assert [(mid.mid, mid.consumer_id) for mid in offer.mids] == [("0", "c2"), ("1", "c3")]


async def test_a_codec_the_client_refuses_ends_its_consumer_and_stops_the_m_line(world: World) -> None:
    await world.publish(MIC_SPEC, CAMERA_SPEC)
    offer = await world.subscribe(
        m.ConsumerSpec(consumer_id="c1", producer_id="pr_mic"),
        m.ConsumerSpec(consumer_id="c2", producer_id="pr_cam"),
    )
    await world.do(m.HandleAnswer(transport_id="ts", version=1, sdp=answer(offer.sdp, refuse=["1"])))
    assert (await world.event(m.ConsumerClosed)) == m.ConsumerClosed(
        consumer_id="c2", reason="unsupported_codec"
    )
    second = await world.event(m.OfferReady)
    await world.do(m.HandleAnswer(transport_id="ts", version=2, sdp=answer(second.sdp, refuse=["1"])))
    await world.do(
        m.Consume(transport_id="ts", consumers=(m.ConsumerSpec(consumer_id="c3", producer_id="pr_cam"),))
    )
    third = await world.event(m.OfferReady)
    assert [(mid.mid, mid.consumer_id) for mid in third.mids] == [("0", "c1"), ("2", "c3")]


async def test_ice_restarts_bring_new_credentials_and_keep_the_certificate(world: World) -> None:
    first = parse_sdp(await world.publish(MIC_SPEC))
    restarted = chromium_offer().replace(parse_sdp(chromium_offer()).ice_ufrag, "newu")
    reply = await world.do(m.HandleOffer(transport_id="tp", sdp=restarted, producers=(MIC_SPEC,)))
    assert isinstance(reply, m.Answered)
    second = parse_sdp(reply.sdp)
    assert second.ice_ufrag != first.ice_ufrag
    assert second.fingerprints == first.fingerprints
    reply = await world.do(m.HandleOffer(transport_id="tp", sdp=restarted, producers=(MIC_SPEC,)))
    assert isinstance(reply, m.Answered)
    assert parse_sdp(reply.sdp).ice_ufrag == second.ice_ufrag

    offer = await world.subscribe(m.ConsumerSpec(consumer_id="c1", producer_id="pr_mic"))
    await world.do(m.HandleAnswer(transport_id="ts", version=1, sdp=answer(offer.sdp)))
    await world.do(m.RestartIce(transport_id="ts"))
    again = await world.event(m.OfferReady)
    assert parse_sdp(again.sdp).ice_ufrag != parse_sdp(offer.sdp).ice_ufrag


async def test_another_sessions_producers_cannot_be_consumed(world: World) -> None:
    await world.publish(MIC_SPEC)
    await world.do(m.CreateRouter(router_id="other"))
    await world.do(m.CreateTransport(router_id="other", transport_id="ts", direction="subscribe"))
    reply = await world.do(
        m.Consume(transport_id="ts", consumers=(m.ConsumerSpec(consumer_id="c1", producer_id="pr_mic"),))
    )
    assert reply == m.Consumed(failed={"c1": "producer_not_found"})


async def test_closing_a_router_closes_everything_in_it(world: World) -> None:
    await world.publish(MIC_SPEC, CAMERA_SPEC)
    await world.subscribe(m.ConsumerSpec(consumer_id="c1", producer_id="pr_mic"))
    await world.do(m.CloseRouter(router_id="r"))
    await world.do(m.CloseRouter(router_id="r"))
    node = world.link.node
    assert (node.routers, node.transports, node.producers, node.consumers) == ({}, {}, {}, {})
    assert node.ports.associations == {}


@pytest.mark.parametrize(
    "command",
    [
        m.CreateTransport(router_id="none", transport_id="t", direction="publish"),
        m.HandleOffer(transport_id="none", sdp="v=0", producers=()),
        m.HandleAnswer(transport_id="none", version=1, sdp="v=0"),
        m.HandleCandidate(transport_id="none", candidate=None),
        m.SetGrants(transport_id="none", grants=()),
        m.Consume(transport_id="none", consumers=()),
        m.PauseProducer(producer_id="none"),
        m.PauseConsumer(consumer_id="none"),
        m.RestartIce(transport_id="none"),
        m.GetStats(router_id="none"),
    ],
)
async def test_a_command_for_what_is_not_there_says_so(world: World, command: m.Command) -> None:
    with pytest.raises(NodeCommandError) as failure:
        await world.do(command)
    assert failure.value.code.endswith("_not_found")


@pytest.mark.parametrize("only", ["H264", "H265"])
async def test_encrypted_video_is_refused_where_its_key_frames_cannot_be_found(
    world: World, only: str
) -> None:
    await world.do(m.CreateTransport(router_id="r", transport_id="tp", direction="publish", grants=BOTH))
    encrypted = CAMERA_SPEC.model_copy(update={"encrypted": True})
    offer = chromium_offer()
    for name in {"VP8", "VP9", "H264", "AV1"} - {only}:
        offer = offer.replace(f"{name}/90000", f"{only if name == 'VP8' else 'VP0'}/90000")
    with pytest.raises(NodeCommandError) as failure:
        await world.do(m.HandleOffer(transport_id="tp", sdp=offer, producers=(encrypted,)))
    assert failure.value.code == "unsupported_codec"
    assert "VP8 or VP9" in failure.value.message
    assert not world.link.node.producers
    answered = await world.do(m.HandleOffer(transport_id="tp", sdp=chromium_offer(), producers=(encrypted,)))
    assert isinstance(answered, m.Answered)
    assert [one.codec for one in answered.producers] == ["video/VP8"]


async def test_redundancy_is_not_negotiated_for_what_is_encrypted(world: World) -> None:
    """Whatever order a client offers: the node could not take the redundant payloads apart."""
    assert "red/48000" in await world.publish(MIC_SPEC)
    encrypted = MIC_SPEC.model_copy(update={"producer_id": "pr_sealed", "encrypted": True})
    await world.do(m.CreateTransport(router_id="r", transport_id="t2", direction="publish", grants=BOTH))
    reply = await world.do(m.HandleOffer(transport_id="t2", sdp=chromium_offer(), producers=(encrypted,)))
    assert isinstance(reply, m.Answered)
    audio, _ = parse_sdp(reply.sdp).sections
    assert [codec.mime for codec in audio.codecs] == ["audio/opus"]


async def test_a_draining_node_takes_no_new_sessions(world: World) -> None:
    await world.do(m.Drain(deadline=0.0))
    with pytest.raises(NodeCommandError) as failure:
        await world.do(m.CreateRouter(router_id="late"))
    assert failure.value.code == "draining"


class Client:
    """The sending half of a browser on a publish transport, without ICE and DTLS."""

    def __init__(self, world: World, *, mid_id: int = 4, rid_id: int = 10) -> None:
        self.ids = (mid_id, rid_id)
        profile = SrtpProfile.AEAD_AES_128_GCM
        key, salt = os.urandom(profile.key_length), os.urandom(profile.salt_length)
        self.outbound = OutboundSrtp(profile, key, salt)
        self.transport = world.link.node.publish_transport("tp")
        self.transport.inlet.inbound = InboundSrtp(profile, key, salt)
        self.sequence = 0

    def send(self, ssrc: int, *, mid: str | None = None, rid: str | None = None) -> None:
        names = list(zip(self.ids, (mid, rid), strict=True))
        elements = [(identifier, text.encode()) for identifier, text in names if text is not None]
        extension = build_extensions(elements) if elements else b""
        self.sequence += 1
        header = struct.pack("!BBHII", 0x90 if elements else 0x80, 96, self.sequence, 0, ssrc) + extension
        self.transport.handle_rtp([self.outbound.seal_rtp(header, b"\x10\x11\x00", self.sequence)], 1.0)


async def test_a_browser_that_stopped_naming_its_streams_is_still_understood(world: World) -> None:
    await world.publish(CAMERA_SPEC)
    client = Client(world)
    client.send(501, mid="1", rid="m")
    assert world.link.node.producers["pr_cam"].encodings[1].stream.packets == 1
    await world.do(m.CloseProducer(producer_id="pr_cam"))
    client.send(501)
    again = CAMERA_SPEC.model_copy(update={"producer_id": "pr_again"})
    await world.do(m.HandleOffer(transport_id="tp", sdp=chromium_offer(), producers=(again,)))
    client.send(501)
    client.send(999)
    packets = [encoding.stream.packets for encoding in world.link.node.producers["pr_again"].encodings]
    assert packets == [0, 1, 0]
    assert client.transport.inlet.unidentified == 2
