"""`cloudflare`: the participants of a meeting of RealtimeKit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from sfu.bot import BotError
from tests.compat.conftest import Kit, joined

if TYPE_CHECKING:
    from cloudflare.types.realtime_kit.meeting_add_participant_response import Data as Added

shows = partial(pytest.mark.shows, "cloudflare")

PICTURE = "https://example.org/ada.png"


async def meeting_in(kit: Kit) -> str:
    made = await kit.api.meetings.create(**kit.app, title="participants")
    assert made.data
    return made.data.id


async def added(kit: Kit, meeting_id: str, who: str = "ada") -> Added:
    made = await kit.api.meetings.add_participant(
        meeting_id,
        **kit.app,
        custom_participant_id=who,
        preset_name="group_call_participant",
        name=who.capitalize(),
        picture=PICTURE,
    )
    assert made.data
    return made.data


@shows("meetings.add_participant")
async def test_a_participant_is_added_and_can_join(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    answer = kit.wire.filled(
        await kit.api.meetings.add_participant(
            meeting_id,
            **kit.app,
            custom_participant_id="ada",
            preset_name="group_call_host",
            name="Ada",
            picture=PICTURE,
        )
    )
    one = answer.data
    assert one
    assert (one.name, one.picture, one.custom_participant_id, one.preset_name) == (
        *("Ada", PICTURE, "ada", "group_call_host"),
    )
    async with joined(kit.server, one.token) as bot:
        assert bot.state["me"]["participant_id"] == one.id


@shows("meetings.get_meeting_participants")
async def test_participants_are_listed_page_by_page(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    everybody = {(await added(kit, meeting_id, who)).id for who in ("ada", "grace", "joan")}
    first = kit.wire.filled(
        await kit.api.meetings.get_meeting_participants(meeting_id, **kit.app, per_page=2)
    )
    assert (first.paging.total_count, first.paging.start_offset, first.paging.end_offset) == (3, 1, 2)
    second = await kit.api.meetings.get_meeting_participants(meeting_id, **kit.app, per_page=2, page_no=2)
    assert {one.id for one in [*first.data, *second.data]} == everybody


@shows("meetings.get_meeting_participant")
async def test_a_participant_is_found_by_its_id(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    one = await added(kit, meeting_id)
    answer = kit.wire.filled(
        await kit.api.meetings.get_meeting_participant(one.id, **kit.app, meeting_id=meeting_id)
    )
    assert answer.data.to_dict() == {key: value for key, value in one.to_dict().items() if key != "token"}


@shows("meetings.edit_participant")
async def test_a_participant_is_edited(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    one = await added(kit, meeting_id)
    answer = kit.wire.filled(
        await kit.api.meetings.edit_participant(
            one.id, **kit.app, meeting_id=meeting_id, name="Countess", preset_name="group_call_host"
        )
    )
    assert answer.data
    assert (answer.data.name, answer.data.preset_name, answer.data.picture) == (
        *("Countess", "group_call_host", PICTURE),
    )


@shows("meetings.refresh_participant_token")
async def test_a_new_token_is_as_good_as_the_first(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    one = await added(kit, meeting_id)
    answer = kit.wire.filled(
        await kit.api.meetings.refresh_participant_token(one.id, **kit.app, meeting_id=meeting_id)
    )
    async with joined(kit.server, answer.data.token) as bot:
        assert bot.state["me"]["participant_id"] == one.id


@shows("meetings.delete_meeting_participant")
async def test_a_participant_who_is_deleted_is_nowhere_and_joins_no_more(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    one = await added(kit, meeting_id)
    answer = kit.wire.filled(
        await kit.api.meetings.delete_meeting_participant(one.id, **kit.app, meeting_id=meeting_id)
    )
    assert answer.data and answer.data.custom_participant_id == "ada"
    presets = await kit.api.presets.get(**kit.app, per_page=100)
    assert {each.id: each.name for each in presets.data}[answer.data.preset_id] == "group_call_participant"
    with pytest.raises(kit.cloudflare.NotFoundError):
        await kit.api.meetings.get_meeting_participant(one.id, **kit.app, meeting_id=meeting_id)
    with pytest.raises(BotError):
        async with joined(kit.server, one.token):
            pass
