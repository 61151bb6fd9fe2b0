"""A client that offers to receive (WHEP), as signaling drives it: one offer, lines keep their streams."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sfu.control import messages as m
from sfu.errors import NodeCommandError
from sfu.rtp.parameters import Direction
from sfu.rtp.rtcp_reports import ReportBlock
from sfu.webrtc.sdp import parse_sdp
from tests.sfu.node_world import CAMERA_SPEC, MIC_SPEC, World, node_world
from tests.vectors import sdp as vectors

AUDIO = m.ConsumerSpec(consumer_id="ca", producer_id="pr_mic", mid="0")
VIDEO = m.ConsumerSpec(consumer_id="cv", producer_id="pr_cam", mid="1")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with node_world(MIC_SPEC, CAMERA_SPEC) as made:
        await made.do(
            m.CreateTransport(router_id="r", transport_id="ts", direction="subscribe", client_offers=True)
        )
        yield made


async def view(
    world: World, *consumers: m.ConsumerSpec, offer: str = vectors.read("chromium_view_offer")
) -> m.ViewAnswered:
    reply = await world.do(m.HandleViewOffer(transport_id="ts", sdp=offer, consumers=consumers))
    assert isinstance(reply, m.ViewAnswered)
    return reply


async def test_an_offer_is_answered_with_the_clients_numbers(world: World) -> None:
    answer = parse_sdp((await view(world, AUDIO, VIDEO)).sdp)
    audio, video = answer.sections
    assert (audio.direction, video.direction) == (Direction.SENDONLY, Direction.SENDONLY)
    assert answer.setup == "passive" and answer.ice_lite
    assert "typ host" in audio.candidates[0]
    assert [codec.payload_type for codec in video.codecs][:2] == [96, 97]
    assert {(one.id, one.uri.rpartition(":")[2]) for one in audio.extensions} >= {(1, "ssrc-audio-level")}
    assert len(video.ssrcs) == 2 and video.ssrc_groups[0].semantics == "FID"
    node = world.link.node
    assert node.consumers["cv"].leg.payload_type == 96
    assert node.consumers["cv"].leg.rtx_payload_type == 97
    assert node.consumers["ca"].negotiated
    assert not [event for event in world.events if isinstance(event, m.OfferReady)]


async def test_a_line_whose_codec_the_client_lacks_is_answered_inactive(world: World) -> None:
    offer = vectors.read("chromium_view_offer").replace("VP8/90000", "VP7/90000")
    reply = await view(world, AUDIO, VIDEO, offer=offer)
    audio, video = parse_sdp(reply.sdp).sections
    assert (audio.direction, video.direction) == (Direction.SENDONLY, Direction.INACTIVE)
    assert reply.failed == {"cv": "unsupported_codec"}


async def test_an_offer_that_receives_nothing_is_refused_and_changes_nothing(world: World) -> None:
    offer = vectors.read("chromium_view_offer")
    with pytest.raises(NodeCommandError) as failure:
        await view(world, AUDIO, offer=offer.replace("a=recvonly", "a=sendonly"))
    assert failure.value.code == "unsupported_codec"
    await view(world, AUDIO, offer=offer)
    with pytest.raises(NodeCommandError) as failure:
        await view(world, VIDEO, offer=offer)
    assert failure.value.code == "wrong_offerer"


async def test_a_line_keeps_its_stream_when_another_producer_feeds_it(world: World) -> None:
    await view(world, AUDIO, VIDEO)
    node = world.link.node
    before = node.consumers["cv"].leg
    other = VIDEO.model_copy(update={"consumer_id": "cw"})
    reply = await world.do(m.Consume(transport_id="ts", consumers=(other,)))
    assert reply == m.Consumed(failed={"cw": "line_taken"})
    await world.do(m.CloseConsumers(consumer_ids=("cv",)))
    reply = await world.do(m.Consume(transport_id="ts", consumers=(other,)))
    assert reply == m.Consumed(failed={})
    assert node.consumers["cw"].leg is before
    assert not [event for event in world.events if isinstance(event, m.OfferReady)]


async def test_a_consumer_needs_a_line_of_its_kind(world: World) -> None:
    await view(world, AUDIO)
    for mid in (None, "0", "7"):
        wrong = VIDEO.model_copy(update={"mid": mid})
        reply = await world.do(m.Consume(transport_id="ts", consumers=(wrong,)))
        assert reply == m.Consumed(failed={"cv": "no_such_line"})


async def test_the_other_sides_offers_and_answers_have_no_place_here(world: World) -> None:
    await view(world, AUDIO)
    for command in (
        m.HandleAnswer(transport_id="ts", version=1, sdp="v=0"),
        m.RestartIce(transport_id="ts"),
    ):
        with pytest.raises(NodeCommandError) as failure:
            await world.do(command)
        assert failure.value.code == "wrong_offerer"


@pytest.mark.parametrize("transport_id", ["tp", "ts"])
async def test_ice_restarts_without_a_description(world: World, transport_id: str) -> None:
    await view(world, AUDIO)
    transport = world.link.node.transports[transport_id]
    before = transport.local
    reply = await world.do(m.HandleIceRestart(transport_id=transport_id, ufrag="newu", pwd="p" * 24))
    assert isinstance(reply, m.IceRestarted)
    assert (reply.ufrag, reply.pwd) == (transport.local.ufrag, transport.local.pwd)
    assert reply.ufrag != before.ufrag and reply.candidates
    assert {before.ufrag, reply.ufrag} <= set(world.link.node.ports.associations)


@pytest.mark.parametrize("opus", [111, 112])
async def test_redundant_audio_is_answered_under_the_clients_numbers(world: World, opus: int) -> None:
    answer = parse_sdp((await view(world, AUDIO, offer=with_opus(opus))).sdp)
    assert [(one.name, one.payload_type) for one in answer.sections[0].codecs] == [
        ("opus", opus),
        ("red", 63),
    ]
    assert answer.sections[0].codecs[1].parameters == ((f"{opus}/{opus}", None),)


def with_opus(payload_type: int) -> str:
    """A browser's offer in which Opus has that number."""
    offer = vectors.read("chromium_view_offer")
    for before in ("UDP/TLS/RTP/SAVPF {}", "a=rtpmap:{} ", "a=fmtp:{} ", "a=rtcp-fb:{} "):
        offer = offer.replace(before.format(111), before.format(payload_type))
    return offer.replace("111/111", f"{payload_type}/{payload_type}")


@pytest.mark.parametrize(
    "change",
    [
        ("a=rtpmap:63 red/48000/2", "a=rtpmap:63 blue/48000/2"),
        ("a=fmtp:63 111/111", "a=fmtp:63 110/110"),
    ],
)
async def test_otherwise_audio_is_answered_without(world: World, change: tuple[str, str]) -> None:
    offer = vectors.read("chromium_view_offer").replace(*change)
    answer = parse_sdp((await view(world, AUDIO, offer=offer)).sdp)
    assert "red" not in {one.name for one in answer.sections[0].codecs}
    assert "opus" in {one.name for one in answer.sections[0].codecs}


@pytest.mark.parametrize("opus", [111, 112])
async def test_a_player_that_loses_packets_gets_redundancy_under_its_own_number(
    world: World, opus: int
) -> None:
    await view(world, AUDIO, offer=with_opus(opus))
    consumer = world.link.node.consumers["ca"]
    assert consumer.leg.payload_type == opus
    consumer.producer.sends_red = True
    consumer.handle_report(ReportBlock(consumer.leg.ssrc, 0, 0, 0, 0, 0, 0), 1.0)
    assert (consumer.leg.redundant, consumer.leg.payload_type) == (True, 63)
    assert consumer.leg.block_type == opus
