from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sfu.client import NodeConfig
from sfu.control import messages as node
from sfu.errors import NodeCommandError
from signaling.domain.publication import EndReason, Grant, Publication, Subscription
from signaling.errors import InvalidInputError, MediaUnavailableError
from signaling.nodes import link as link_module
from signaling.nodes.link import NodeLink
from signaling.nodes.media import NodeMedia
from signaling.nodes.testing import BAD_SDP, FakeNode
from signaling.services.live.ports import (
    MediaEvent,
    OfferMade,
    OfferMid,
    PublicationClosed,
    SubscriptionClosed,
    TransportStateChanged,
)
from tests.support.live_world import until

CAMERA = Grant("camera", "video")


def camera(peer_id: str = "peer_a") -> Publication:
    return Publication(f"pub_{peer_id}", peer_id, "0", "camera", "video")


class World:
    def __init__(self, fake: FakeNode) -> None:
        self.node = fake
        self.told: list[MediaEvent] = []
        self.link = NodeLink(fake, lambda load: None)
        self.media: NodeMedia

    async def publish(self, publication: Publication) -> None:
        await self.media.handle_offer(publication.peer_id, "offer", [CAMERA], [], [publication])


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World(FakeNode(config=NodeConfig(node_id="nd_1")))
    made.media = await NodeMedia.create(made.link, made.told.append)
    yield made


async def test_publish_makes_transport_grants_and_producer_in_this_order(world: World) -> None:
    await world.publish(camera())
    kinds = [command.type for command in world.node.commands]
    assert kinds == ["create_router", "create_transport", "handle_offer"]
    (transport,) = world.node.transports.values()
    assert transport.grants == (node.Grant(source="camera", kind="video"),)


async def test_wider_grants_are_in_force_before_the_offer(world: World) -> None:
    await world.publish(camera())
    extra = Publication("pub_x", "peer_a", "1", "whiteboard", "video")
    grants = [CAMERA, Grant("whiteboard", "video")]
    answer = await world.media.handle_offer("peer_a", "offer", grants, [camera()], [extra])

    assert [command.type for command in world.node.commands[-2:]] == ["set_grants", "handle_offer"]
    assert set(answer.publications) == {"pub_peer_a", "pub_x"}


async def test_an_offer_that_fails_leaves_no_producer_behind(world: World) -> None:
    with pytest.raises(InvalidInputError):
        await world.media.handle_offer("peer_a", BAD_SDP, [CAMERA], [], [camera()])
    await world.publish(camera())
    assert len(world.node.producers) == 1


async def test_a_source_outside_the_grants_is_not_in_the_answer(world: World) -> None:
    answer = await world.media.handle_offer("peer_a", "offer", [], [], [camera()])
    assert answer.publications == {}


async def test_narrower_grants_close_the_producer_and_say_why(world: World) -> None:
    await world.publish(camera())
    await world.media.set_grants("peer_a", [])
    assert world.told == [PublicationClosed("pub_peer_a", EndReason.PERMISSION_REVOKED)]
    assert not world.node.producers


async def test_offers_and_states_are_told_in_peoples_words(world: World) -> None:
    await world.publish(camera())
    await world.media.subscribe("peer_b", [Subscription("peer_b", "pub_peer_a")])
    await until(lambda: bool(world.told), "the offer")
    assert world.told == [OfferMade("peer_b", 1, "offer 1", (OfferMid("0", "pub_peer_a"),))]

    (transport,) = [one for one in world.node.transports.values() if one.direction == "subscribe"]
    world.node.emit(node.TransportStateChanged(transport_id=transport.id, state="connected"))
    assert world.told[-1] == TransportStateChanged("peer_b", "subscribe", "connected")


async def test_a_subscription_to_what_is_gone_fails_by_name(world: World) -> None:
    assert await world.media.subscribe("peer_b", [Subscription("peer_b", "pub_gone")]) == {
        "pub_gone": "producer_not_found"
    }


async def test_a_refused_codec_ends_the_subscription_only(world: World) -> None:
    await world.publish(camera())
    await world.media.subscribe("peer_b", [Subscription("peer_b", "pub_peer_a")])
    (consumer_id,) = world.node.consumers
    world.node.emit(node.ConsumerClosed(consumer_id=consumer_id, reason="unsupported_codec"))
    assert world.told == [SubscriptionClosed("peer_b", "pub_peer_a", EndReason.UNSUPPORTED_CODEC)]


async def test_what_is_gone_already_has_ended(world: World) -> None:
    await world.publish(camera())
    world.node.producers.clear()
    world.node.transports.clear()
    await world.media.end_publications(["pub_peer_a", "pub_never"])
    await world.media.close_peer("peer_a")
    await world.media.close()
    await world.media.close()
    assert not world.node.routers


async def test_news_of_what_was_closed_is_not_told(world: World) -> None:
    await world.publish(camera())
    (producer_id,) = world.node.producers
    await world.media.end_publications(["pub_peer_a"])
    world.node.emit(node.ProducerClosed(producer_id=producer_id, reason="removed"))
    assert world.told == []


async def test_what_a_closed_session_registered_is_forgotten(world: World) -> None:
    await world.publish(camera())
    await world.media.subscribe("peer_b", [Subscription("peer_b", "pub_peer_a")])
    await world.media.close_peer("peer_b")
    await world.media.close()
    assert world.link.registered == 0


async def test_errors_of_the_node_become_ours(world: World) -> None:
    async def refuse(command: node.Command) -> node.Reply:
        raise NodeCommandError("draining", "this node takes nothing new")

    world.node.request = refuse  # type: ignore[method-assign]
    with pytest.raises(MediaUnavailableError, match="takes nothing new"):
        await world.publish(camera())


async def test_a_node_that_does_not_answer_is_given_up_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(command: node.Command) -> node.Reply:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(link_module, "COMMAND_TIMEOUT", 0.01)
    world.node.request = never  # type: ignore[method-assign]
    with pytest.raises(MediaUnavailableError):
        await world.publish(camera())
