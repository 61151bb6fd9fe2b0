"""Profiles and skins: what they make of everybody's preset in a session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from signaling.domain.configuration import parse_configuration
from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, Refused, live_world

LECTURE = {
    "profiles": {"lecture": ["audio", "data"], "all": ["audio", "video"]},
    "skins": {"night": {"theme": "darkest", "colors": {"brand": {"500": "#102030"}}}},
    "profile": "lecture",
    "skin": "night",
}


async def say(world: LiveWorld, **said: Any) -> None:
    """By the meeting, for brevity: what a level says is merged as of any other."""
    async with world.store() as uow:
        meeting = await uow.meetings.get(ORGANIZATION, MEETING)
        assert meeting is not None
        meeting = replace(meeting, configuration=parse_configuration(said))
        await uow.meetings.save(meeting)
        await uow.commit()
    await world.live.meeting_changed(meeting)


@asynccontextmanager
async def lecture() -> AsyncIterator[LiveWorld]:
    async with live_world() as world:
        await say(world, **LECTURE)
        yield world


async def test_what_the_profile_leaves_out_nobody_has() -> None:
    async with lecture() as world:
        host = await world.join()
        permissions = host.joined["permissions"]
        assert permissions["media"]["audio"]["can_produce"] == "ALLOWED"
        assert permissions["media"]["video"]["can_produce"] == "NOT_ALLOWED"
        assert (permissions["can_record"], permissions["chat"]["public"]["can_send"]) == (False, False)
        assert (permissions["can_send_data"], permissions["kick_participant"]) == (True, True)
        await host.publish("microphone", "audio")
        for source, mid in (("camera", "1"), ("screen", "2")):
            with pytest.raises(Refused) as refused:
                await host.publish(source, "video", mid=mid)
            assert refused.value.name == "PermissionDenied"


async def test_no_change_of_preset_or_permissions_brings_it_back() -> None:
    async with lecture() as world:
        host, other = await world.join("webinar_presenter"), await world.join("group_call_participant")
        video = {"media": {"video": {"can_produce": "CAN_REQUEST"}}}
        patch = {"stage_enabled": True, "stage_access": "CAN_REQUEST", **video}
        await host.request("update_permissions", peer_ids=[other.peer_id], permissions=patch)
        told = await other.hears("permissions_updated")
        assert told["permissions"]["media"]["video"]["can_produce"] == "NOT_ALLOWED"
        await world.change_preset("group_call_participant", {"permissions": {"can_record": True}})
        with pytest.raises(Refused):
            await other.publish("camera", "video")
        assert not [one for one in other.heard("permissions_updated") if one["permissions"]["can_record"]]


async def test_a_skin_is_laid_over_the_design_tokens_of_the_preset() -> None:
    async with lecture() as world:
        tokens = (await world.join()).joined["ui"]["design_tokens"]
        assert (tokens["theme"], tokens["colors"]["brand"]["500"]) == ("darkest", "#102030")
        assert (tokens["border_radius"], tokens["colors"]["brand"]["400"]) == ("rounded", "#9d5b22")


async def test_another_profile_is_for_the_next_session() -> None:
    async with lecture() as world:
        host = await world.join()
        await say(world, **LECTURE | {"profile": "all"})
        with pytest.raises(Refused):
            await host.publish("camera", "video")
        await host.request("kick_all")
        assert (await (await world.join()).publish("camera", "video")).startswith("pub_")


async def test_a_profile_that_is_not_there_any_more_takes_nothing_away() -> None:
    async with lecture() as world:
        await say(world, profile="gone")
        await (await world.join()).publish("camera", "video")
