"""What is said again with every change of a subscribe transport: only what differs has consequences."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sfu.consumer import Consumer
from sfu.control import messages as m
from sfu.subscribe_transport import SubscribeTransport
from sfu.webrtc.sdp import parse_sdp
from tests.sfu.client_sdp import answer
from tests.sfu.node_world import CAMERA_SPEC, MIC_SPEC, World, node_world

AUDIO = m.ConsumerSpec(consumer_id="ca", producer_id="pr_mic")
VIDEO = m.ConsumerSpec(consumer_id="cv", producer_id="pr_cam")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with node_world(MIC_SPEC, CAMERA_SPEC) as made:
        yield made


async def agreed(world: World, offer: m.OfferReady, sdp: str | None = None) -> None:
    await world.do(m.HandleAnswer(transport_id="ts", version=offer.version, sdp=sdp or answer(offer.sdp)))


async def video_then_audio(world: World) -> m.OfferReady:
    """The offer that adds audio to a video that was agreed on."""
    await agreed(world, await world.subscribe(VIDEO))
    await world.do(m.Consume(transport_id="ts", consumers=(AUDIO,)))
    return await world.event(m.OfferReady)


async def test_who_was_agreed_on_is_not_started_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    start = SubscribeTransport.start

    def noted(transport: SubscribeTransport, consumer: Consumer, *rest: object) -> None:
        started.append(consumer.id)
        start(transport, consumer, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SubscribeTransport, "start", noted)
    await agreed(world, await video_then_audio(world))
    assert started == ["cv", "ca"]


async def test_a_client_may_take_less_with_a_later_answer(world: World) -> None:
    offer = await video_then_audio(world)
    leg = world.link.node.consumers["cv"].leg
    assert leg.rtx_payload_type
    repair = f"a=rtpmap:{leg.rtx_payload_type} "
    await agreed(world, offer, answer(offer.sdp).replace(f"{repair}rtx/", f"{repair}x/"))
    assert not leg.rtx_payload_type
    assert world.link.node.consumers["ca"].negotiated


async def test_a_client_may_refuse_later_what_it_took_before(world: World) -> None:
    offer = await video_then_audio(world)
    await agreed(world, offer, answer(offer.sdp, refuse=["0"]))
    closed = await world.event(m.ConsumerClosed)
    assert (closed.consumer_id, closed.reason) == ("cv", "unsupported_codec")
    assert list(world.link.node.consumers) == ["ca"]


async def test_an_offer_says_again_what_stays_and_new_credentials_everywhere(world: World) -> None:
    await agreed(world, first := await world.subscribe(VIDEO, AUDIO))
    await world.do(m.RestartIce(transport_id="ts"))
    second = await world.event(m.OfferReady)
    before, after = parse_sdp(first.sdp), parse_sdp(second.sdp)
    assert after.sections == before.sections
    assert after.ice_ufrag != before.ice_ufrag
    assert second.sdp.count(f"a=ice-ufrag:{after.ice_ufrag}") == 2
    assert before.ice_ufrag not in second.sdp


async def test_a_line_that_was_given_on_is_offered_for_its_new_consumer(world: World) -> None:
    await agreed(world, first := await world.subscribe(VIDEO))
    await world.do(m.CloseConsumers(consumer_ids=("cv",)))
    await agreed(world, await world.event(m.OfferReady))
    await world.do(m.Consume(transport_id="ts", consumers=(VIDEO.model_copy(update={"consumer_id": "cw"}),)))
    again = await world.event(m.OfferReady)
    assert [(one.mid, one.consumer_id) for one in again.mids] == [("0", "cw")]
    (before,), (after,) = parse_sdp(first.sdp).sections, parse_sdp(again.sdp).sections
    assert after.msid is not None and after.msid[1] == "cw"
    assert after.ssrcs != before.ssrcs
    await agreed(world, again)
    assert world.link.node.consumers["cw"].negotiated
