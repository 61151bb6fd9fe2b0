"""What somebody may, and is called, changed while they are in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, Refused, WsClient, live_world


async def change_participant(world: LiveWorld, client: WsClient, **fields: Any) -> None:
    async with world.store() as uow:
        found = await uow.participants.get(ORGANIZATION, MEETING, client.joined["me"]["participant_id"])
        assert found is not None
        changed = replace(found, **fields)
        await uow.participants.save(changed)
        await uow.commit()
    await world.live.participant_changed(changed)


async def test_what_others_may_can_be_changed_while_they_are_in() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await other.publish("camera", "video")
        voice = await other.publish("microphone", "audio", mid="1")
        patch = {"media": {"video": {"can_produce": "NOT_ALLOWED"}}, "kick_participant": True}
        await host.request("update_permissions", peer_ids=[other.peer_id, "gone"], permissions=patch)

        assert [one.spec.source for one in world.node.producers.values()] == ["microphone"]
        told = await other.hears("permissions_updated")
        assert told["preset_name"] == "group_call_participant"
        assert told["permissions"]["media"]["video"]["can_produce"] == "NOT_ALLOWED"
        assert told["permissions"]["media"]["audio"]["can_produce"] == "ALLOWED"
        with pytest.raises(Refused) as refused:
            await other.publish("camera", "video", mid="2")
        assert refused.value.code == 2001
        assert not host.heard("publication_removed", publication_id=voice)
        await other.request("kick", peer_ids=[host.peer_id])
        assert await host.closed() == 4001


async def test_who_changes_what_others_may_needs_the_permission_and_gives_no_more_than_they_have() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        third = await world.join("group_call_participant")

        async def refusal(client: WsClient, permissions: dict[str, Any]) -> int:
            with pytest.raises(Refused) as refused:
                await client.request(
                    "update_permissions", peer_ids=[third.peer_id, other.peer_id], permissions=permissions
                )
            return refused.value.code

        assert await refusal(other, {"can_record": False}) == 2001
        await world.change_preset("group_call_host", {"permissions": {"can_record": False}})
        assert await refusal(host, {"kick_participant": True, "can_record": True}) == 2001
        for key, value in (("hidden_participant", True), ("is_recorder", True), ("no_such_thing", True)):
            assert await refusal(host, {key: value}) == 9422
        assert await refusal(host, {"media": {"audio": {"can_produce": "SOMETIMES"}}}) == 9422
        assert not other.heard("permissions_updated") + third.heard("permissions_updated")


async def test_what_was_changed_for_one_outlives_a_change_of_their_name() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        patch = {"media": {"audio": {"can_produce": "NOT_ALLOWED"}}}
        await host.request("update_permissions", peer_ids=[other.peer_id], permissions=patch)
        await change_participant(world, other, name="Ada")
        assert (await host.hears("peer_updated"))["peer"]["name"] == "Ada"
        with pytest.raises(Refused):
            await other.publish("microphone", "audio")
        await change_participant(world, other, preset_name="group_call_host")
        await other.publish("microphone", "audio")


async def test_what_was_changed_for_one_holds_in_tabs_that_they_open_later() -> None:
    async with live_world() as world:
        host, person = await world.join(), await world.participant("group_call_participant")
        first = await (await world.socket()).join(world.tokens.issue(person))
        patch = {"media": {"video": {"can_produce": "NOT_ALLOWED"}}}
        await host.request("update_permissions", peer_ids=[first.peer_id], permissions=patch)
        second = await (await world.socket()).join(world.tokens.issue(person))
        assert second.joined["permissions"]["media"]["video"]["can_produce"] == "NOT_ALLOWED"
        with pytest.raises(Refused):
            await second.publish("camera", "video")
        await first.request("leave")
        third = await (await world.socket()).join(world.tokens.issue(person))
        with pytest.raises(Refused):
            await third.publish("camera", "video")
        other = await world.join("group_call_participant")
        await other.publish("camera", "video")
        await second.request("leave")
        await third.request("leave")
        again = await (await world.socket()).join(world.tokens.issue(person))
        await again.publish("camera", "video")


async def test_who_came_under_a_name_of_their_own_keeps_it_until_they_are_given_another_one() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant", name="Nick")
        await change_participant(world, other, picture="https://example.org/nick.png")
        shown = (await host.hears("peer_updated"))["peer"]
        assert (shown["name"], shown["picture"]) == ("Nick", "https://example.org/nick.png")
        await change_participant(world, other, name="Nicholas")
        await host.hears("peer_updated", peer=shown | {"name": "Nicholas"})


async def test_a_change_of_the_preset_takes_back_what_was_changed_for_one() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        patch = {"media": {"audio": {"can_produce": "NOT_ALLOWED"}}}
        await host.request("update_permissions", peer_ids=[other.peer_id], permissions=patch)
        with pytest.raises(Refused):
            await other.publish("microphone", "audio")
        await world.change_preset("group_call_participant", {"permissions": {"pin_participant": True}})
        await other.publish("microphone", "audio")
