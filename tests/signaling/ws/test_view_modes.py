"""What a peer watches by `set_view`, told from the consumers at the node."""

from __future__ import annotations

from sfu.control import messages as node
from tests.support.live_world import LiveWorld, WsClient, live_world, until


async def cast(world: LiveWorld, count: int = 3) -> tuple[WsClient, list[WsClient]]:
    """A viewer, and people with a camera and a microphone."""
    viewer = await world.join("group_call_host")
    people = [await world.join("group_call_participant") for _ in range(count)]
    for person in people:
        await person.publish("microphone", "audio", mid="0")
        await person.publish("camera", "video", mid="1")
    return viewer, people


def watched(world: LiveWorld, people: list[WsClient]) -> set[tuple[str, int]]:
    """(source, whose) of everything that is consumed."""
    labels = {transport.id: transport.label for transport in world.node.transports.values()}
    numbers = {person.peer_id: number for number, person in enumerate(people)}
    found = set()
    for consumer in world.node.consumers.values():
        producer = world.node.producers[consumer.producer_id]
        found.add((producer.spec.source, numbers[labels[producer.transport_id]]))
    return found


VOICES = {("microphone", 0), ("microphone", 1), ("microphone", 2)}


async def test_a_page_is_subscribed_to_at_once_and_turned_by_naming_another() -> None:
    async with live_world() as world:
        viewer, people = await cast(world)
        await viewer.request("set_view", mode="page", peer_ids=[people[0].peer_id])
        assert watched(world, people) == {*VOICES, ("camera", 0)}
        await viewer.request("set_view", mode="page", peer_ids=[people[1].peer_id, people[2].peer_id])
        assert watched(world, people) == {*VOICES, ("camera", 1), ("camera", 2)}


async def test_what_is_published_later_comes_by_itself() -> None:
    async with live_world() as world:
        viewer, people = await cast(world)
        await viewer.request("set_view", mode="page", peer_ids=[people[0].peer_id])
        await people[1].publish("screen", "video", mid="2")
        await until(
            lambda: watched(world, people) == {*VOICES, ("camera", 0), ("screen", 1)}, "the screen in view"
        )


async def test_the_last_speakers_are_followed() -> None:
    async with live_world() as world:
        viewer, people = await cast(world)
        await viewer.request("set_view", mode="speakers", count=1)
        assert watched(world, people) == {*VOICES, ("camera", 0)}
        for number in (2, 1):
            speak(world, people[number])
            await until(
                lambda number=number: watched(world, people) == {*VOICES, ("camera", number)},  # type: ignore[misc]
                f"the camera of speaker {number}",
            )


def speak(world: LiveWorld, person: WsClient) -> None:
    transports = {one.id: one.label for one in world.node.transports.values()}
    microphone = next(
        one
        for one in world.node.producers.values()
        if one.spec.source == "microphone" and transports[one.transport_id] == person.peer_id
    )
    (router,) = world.node.routers
    speaker = node.Speaker(producer_id=microphone.id, level=20)
    world.node.emit(node.SpeakersChanged(router_id=router, speakers=(speaker,), dominant=microphone.id))


async def test_a_view_has_no_more_videos_than_the_preset_allows_on_the_device() -> None:
    async with live_world() as world:
        limits = {"max_video_streams": {"mobile": 1, "desktop": 2}}
        await world.change_preset("group_call_host", {"config": limits})
        _, people = await cast(world)
        everybody = [person.peer_id for person in people]
        for device, most in (("mobile", 1), ("desktop", 2)):
            viewer = await world.join("group_call_host", device=device)
            for view in ({"mode": "page", "peer_ids": everybody}, {"mode": "speakers", "count": 3}):
                await viewer.request("set_view", **view)
                seen = watched(world, people)
                assert seen >= VOICES
                assert len([one for one in seen if one[0] == "camera"]) == most, (device, view)
            await viewer.request("leave")


async def test_manual_leaves_the_subscriptions_to_the_client() -> None:
    async with live_world() as world:
        viewer, people = await cast(world)
        await viewer.request("set_view", mode="page", peer_ids=[people[0].peer_id])
        await viewer.request("set_view", mode="manual")
        assert watched(world, people) == {*VOICES, ("camera", 0)}
        await people[1].publish("screen", "video", mid="2")
        await viewer.request("ping")
        assert watched(world, people) == {*VOICES, ("camera", 0)}


async def test_a_view_follows_a_preset_that_allows_more_or_fewer() -> None:
    async with live_world() as world:
        viewer, people = await cast(world)
        await viewer.request("set_view", mode="page", peer_ids=[one.peer_id for one in reversed(people)])
        for most, shown in ((1, {2}), (0, set()), (2, {1, 2})):
            limits = {"max_video_streams": {"mobile": most, "desktop": most}}
            await world.change_preset("group_call_host", {"config": limits})
            wanted = VOICES | {("camera", number) for number in shown}
            await until(lambda wanted=wanted: watched(world, people) == wanted, f"{most} videos")  # type: ignore[misc]


async def test_a_page_is_turned_under_the_limit() -> None:
    async with live_world() as world:
        limits = {"max_video_streams": {"mobile": 1, "desktop": 1}}
        await world.change_preset("group_call_host", {"config": limits})
        viewer, people = await cast(world)
        for number in (0, 2, 1):
            await viewer.request("set_view", mode="page", peer_ids=[people[number].peer_id])
            assert watched(world, people) == {*VOICES, ("camera", number)}


async def test_a_view_leaves_out_what_the_client_cannot_open() -> None:
    async with live_world() as world:
        viewer, people = await cast(world, 2)
        people.append(await world.join("group_call_participant"))
        await people[2].publish("camera", "video", mid="1", encrypted=True)
        page = [one.peer_id for one in people]
        everything = {("camera", number) for number in range(3)} | {("microphone", 0), ("microphone", 1)}
        await viewer.request("set_view", mode="page", peer_ids=page)
        assert watched(world, people) == everything
        await viewer.request("set_view", mode="page", peer_ids=page, encrypted=True)
        assert watched(world, people) == {("camera", 2)}
        await viewer.request("set_view", mode="page", peer_ids=page, encrypted=False)
        assert watched(world, people) == everything - {("camera", 2)}
