"""`telnyx`: rooms, their sessions, and who is in them. One module, as the package takes seconds to import."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jwt
import pytest

from sfu.bot import Bot, BotError, Organization
from tests.compat.conftest import Rooms, joined
from tests.compat.methods import methods
from tests.support.sdks import OPERATIONS
from tests.support.wait import wait_until_async

if TYPE_CHECKING:
    from telnyx.types import Room

shows = partial(pytest.mark.shows, "telnyx")

NOBODY = "00000000-0000-4000-8000-000000000000"
HOOK = "https://hooks.example.org/rooms"


def test_every_method_of_the_sdk_is_in_the_list() -> None:
    from telnyx.resources.room_participants import AsyncRoomParticipantsResource
    from telnyx.resources.rooms import AsyncRoomsResource

    found = [
        *methods(AsyncRoomsResource, "rooms"),
        *methods(AsyncRoomParticipantsResource, "room_participants"),
    ]
    assert sorted(found) == sorted(one.name for one in OPERATIONS["telnyx"])


async def room_of(rooms: Rooms, name: str = "") -> Room:
    made = await rooms.api.rooms.create(unique_name=name or str(uuid4()), max_participants=5)
    assert made.data
    return made.data


async def token_for(rooms: Rooms, room: Room) -> str:
    """Of a participant who was added to the meeting that the room is."""
    assert room.id
    async with Organization(rooms.server.credentials) as organization:
        return await organization.create_participant(room.id, str(uuid4()), "group_call_participant")


@asynccontextmanager
async def session_in(rooms: Rooms, room: Room, peers: int = 1) -> AsyncIterator[tuple[str, list[Bot]]]:
    """The id of the room's session, and who is in it."""
    async with (
        joined(rooms.server, await token_for(rooms, room)) as first,
        joined(rooms.server, await token_for(rooms, room)) if peers > 1 else joined_nowhere() as second,
    ):
        assert room.id
        found = (await rooms.api.rooms.retrieve(room.id)).data
        assert found and found.active_session_id
        yield found.active_session_id, [first] if second is None else [first, second]


@asynccontextmanager
async def joined_nowhere() -> AsyncIterator[None]:
    yield None


def is_censored(peer_id: str, wanted: bool, event: dict[str, Any]) -> bool:
    """Whether an event says that this peer may, or may not, be heard."""
    about = event.get("peer", {})
    return (
        event["type"] == "peer_updated" and about["peer_id"] == peer_id and bool(about["censored"]) == wanted
    )


async def wait_ended(rooms: Rooms, session_id: str) -> None:
    async def ended() -> bool:
        one = (await rooms.api.rooms.sessions.retrieve(session_id)).data
        return one is not None and one.active is False

    await wait_until_async(ended, lambda: f"the session did not end: {rooms.wire.body}")


# --- rooms ---------------------------------------------------------------------------------------------


@shows("rooms.create")
async def test_a_room_keeps_all_that_it_is_created_with(rooms: Rooms) -> None:
    name = str(uuid4())
    answer = rooms.wire.filled(
        await rooms.api.rooms.create(
            unique_name=name,
            max_participants=12,
            enable_recording=True,
            webhook_event_url=HOOK,
            webhook_event_failover_url=HOOK + "/other",
            webhook_timeout_secs=5,
        )
    )
    assert rooms.wire.status == 201
    one = answer.data
    assert one and one.record_type == "room"
    assert (one.unique_name, one.max_participants, one.enable_recording) == (name, 12, True)
    assert (one.webhook_event_url, one.webhook_event_failover_url) == (HOOK, HOOK + "/other")
    assert (one.webhook_timeout_secs, one.active_session_id, one.sessions) == (5, None, None)
    with pytest.raises(rooms.telnyx.UnprocessableEntityError) as refused:
        await rooms.api.rooms.create(unique_name=name)
    (error,) = refused.value.response.json()["errors"]
    assert error["source"] == {"pointer": "/unique_name"}
    assert error["code"] and error["title"] and error["detail"]
    assert error["meta"]["url"] == f"{rooms.server.base_url}/reference/"


@shows("rooms.list")
async def test_rooms_are_listed_by_name_and_date_page_by_page(rooms: Rooms) -> None:
    prefix = str(uuid4())
    made = [await room_of(rooms, f"{prefix} {number}") for number in range(3)]
    named = rooms.wire.filled(
        await rooms.api.rooms.list(filter={"unique_name": f"{prefix} 1"}, include_sessions=True)
    )
    assert [one.id for one in named.data] == [made[1].id]
    assert named.meta and named.meta.to_dict() == {
        **{"page_number": 1, "page_size": 20, "total_pages": 1, "total_results": 1},
    }
    today = datetime.now(UTC).date()
    # The SDK asks for page after page by itself.
    everything = [
        one.id
        async for one in rooms.api.rooms.list(
            filter={"date_created_at": {"gte": today - timedelta(days=1), "lte": today + timedelta(days=1)}},
            page_size=2,
        )
    ]
    assert len(everything) == len(set(everything))
    assert {one.id for one in made} <= set(everything)
    # Other tests may have made theirs before midnight.
    before = await rooms.api.rooms.list(filter={"date_created_at": {"lte": today - timedelta(days=2)}})
    assert before.data == []


@shows("rooms.retrieve")
async def test_a_room_is_found_with_its_sessions(rooms: Rooms) -> None:
    room = await room_of(rooms)
    assert room.id
    async with session_in(rooms, room) as (session_id, _):
        answer = rooms.wire.filled(await rooms.api.rooms.retrieve(room.id, include_sessions=True))
        assert answer.data and answer.data.active_session_id == session_id
        assert answer.data.sessions
        assert [(one.id, one.room_id, one.active) for one in answer.data.sessions] == [
            (session_id, room.id, True)
        ]
    with pytest.raises(rooms.telnyx.NotFoundError) as refused:
        await rooms.api.rooms.retrieve(NOBODY)
    (error,) = refused.value.response.json()["errors"]
    assert error["code"] and error["title"] and error["detail"]
    assert error["meta"]["url"] == f"{rooms.server.base_url}/reference/"


@shows("rooms.update")
async def test_what_an_update_leaves_out_stays_as_it_is(rooms: Rooms) -> None:
    room = await room_of(rooms)
    assert room.id
    answer = rooms.wire.filled(
        await rooms.api.rooms.update(room.id, max_participants=7, webhook_timeout_secs=9)
    )
    assert answer.data
    assert (answer.data.max_participants, answer.data.webhook_timeout_secs) == (7, 9)
    assert (answer.data.unique_name, answer.data.enable_recording) == (room.unique_name, False)
    with pytest.raises(rooms.telnyx.NotFoundError):
        await rooms.api.rooms.update(NOBODY, max_participants=7)


@shows("rooms.delete")
async def test_who_is_in_a_room_that_is_deleted_is_kicked_and_joins_no_more(rooms: Rooms) -> None:
    room = await room_of(rooms)
    assert room.id
    token = await token_for(rooms, room)
    async with session_in(rooms, room) as (_, (bot,)):
        rooms.wire.emptied(await rooms.api.rooms.delete(room.id))
        await bot.wait_for(lambda event: event["type"] == "session_left", "the end")
    with pytest.raises(rooms.telnyx.NotFoundError):
        await rooms.api.rooms.retrieve(room.id)
    with pytest.raises(BotError):
        async with joined(rooms.server, token):
            pass


# --- tokens --------------------------------------------------------------------------------------------


@shows("rooms.actions.generate_join_client_token")
async def test_a_client_token_lets_one_join_for_as_long_as_it_says(rooms: Rooms) -> None:
    room = await room_of(rooms)
    assert room.id
    begun = datetime.now(UTC)
    answer = rooms.wire.filled(
        await rooms.api.rooms.actions.generate_join_client_token(
            room.id, token_ttl_secs=60, refresh_token_ttl_secs=120
        )
    )
    assert rooms.wire.status == 201
    one = answer.data
    assert one and one.token and one.token_expires_at and one.refresh_token_expires_at
    assert timedelta(seconds=59) <= one.token_expires_at - begun <= timedelta(seconds=180)
    assert one.refresh_token_expires_at - one.token_expires_at == timedelta(seconds=60)
    claims = jwt.decode(one.token, options={"verify_signature": False})
    assert claims["exp"] == one.token_expires_at.timestamp()
    async with joined(rooms.server, one.token):
        pass
    with pytest.raises(rooms.telnyx.UnprocessableEntityError) as refused:
        await rooms.api.rooms.actions.generate_join_client_token(room.id, token_ttl_secs=5)
    (error,) = refused.value.response.json()["errors"]
    assert error["source"] == {"pointer": "/token_ttl_secs"}


@shows("rooms.actions.refresh_client_token")
async def test_a_refresh_token_gives_another_token(rooms: Rooms) -> None:
    room = await room_of(rooms)
    assert room.id
    made = (await rooms.api.rooms.actions.generate_join_client_token(room.id)).data
    assert made and made.refresh_token
    answer = rooms.wire.filled(
        await rooms.api.rooms.actions.refresh_client_token(
            room.id, refresh_token=made.refresh_token, token_ttl_secs=30
        )
    )
    assert rooms.wire.status == 201
    assert answer.data and answer.data.token
    async with joined(rooms.server, answer.data.token):
        pass


# --- sessions ------------------------------------------------------------------------------------------


@shows("rooms.sessions.list_0")
async def test_sessions_are_listed_over_all_rooms(rooms: Rooms) -> None:
    one, other = await room_of(rooms), await room_of(rooms)
    assert one.id
    async with session_in(rooms, one) as (first, _), session_in(rooms, other) as (second, _):
        both = [each async for each in rooms.api.rooms.sessions.list_0(filter={"active": True}, page_size=50)]
        assert {first, second} <= {each.id for each in both}
        answer = rooms.wire.filled(
            await rooms.api.rooms.sessions.list_0(filter={"room_id": one.id}, include_participants=True)
        )
        (found,) = answer.data
        assert (found.id, found.active, found.ended_at, found.record_type) == (
            *(first, True, None, "room_session"),
        )
        assert found.participants and len(found.participants) == 1
        ended = await rooms.api.rooms.sessions.list_0(filter={"room_id": one.id, "active": False})
        assert ended.data == []


@shows("rooms.sessions.list_1")
async def test_sessions_of_a_room_are_listed_without_those_of_another(rooms: Rooms) -> None:
    one, other = await room_of(rooms), await room_of(rooms)
    assert one.id and other.id
    today = datetime.now(UTC).date()
    async with session_in(rooms, one) as (session_id, _):
        answer = rooms.wire.filled(
            await rooms.api.rooms.sessions.list_1(
                one.id,
                filter={"active": True, "date_created_at": {"gte": today - timedelta(days=1)}},
                include_participants=True,
            )
        )
        assert [each.id for each in answer.data] == [session_id]
        assert (await rooms.api.rooms.sessions.list_1(other.id)).data == []
        with pytest.raises(rooms.telnyx.NotFoundError):
            await rooms.api.rooms.sessions.list_1(NOBODY)


@shows("rooms.sessions.retrieve")
async def test_a_session_is_found_with_who_is_in_it(rooms: Rooms) -> None:
    room = await room_of(rooms)
    async with session_in(rooms, room, peers=2) as (session_id, _):
        answer = rooms.wire.filled(
            await rooms.api.rooms.sessions.retrieve(session_id, include_participants=True)
        )
        assert answer.data and answer.data.participants
        assert (answer.data.room_id, answer.data.active) == (room.id, True)
        assert {one.left_at for one in answer.data.participants} == {None}
        assert len(answer.data.participants) == 2
    with pytest.raises(rooms.telnyx.NotFoundError):
        await rooms.api.rooms.sessions.retrieve(NOBODY)


@shows("rooms.sessions.retrieve_participants")
async def test_who_was_in_a_session_is_listed(rooms: Rooms) -> None:
    room = await room_of(rooms)
    context = json.dumps({"seat": str(uuid4())})
    token = await token_for(rooms, room)
    async with session_in(rooms, room) as (session_id, _), joined(rooms.server, token, context=context):
        answer = rooms.wire.filled(
            await rooms.api.rooms.sessions.retrieve_participants(session_id, filter={"context": context})
        )
        (one,) = answer.data
        assert (one.context, one.session_id, one.left_at) == (context, session_id, None)
        assert one.record_type == "room_participant"
        everybody = await rooms.api.rooms.sessions.retrieve_participants(session_id)
        assert len(everybody.data) == 2
        longest = await rooms.api.rooms.sessions.retrieve_participants(
            session_id, filter={"context": "\U0001f600" * 4096}
        )
        assert longest.data == []


# --- actions -------------------------------------------------------------------------------------------


@shows("rooms.sessions.actions.end")
async def test_the_end_of_a_session_is_the_end_for_everybody(rooms: Rooms) -> None:
    room = await room_of(rooms)
    async with session_in(rooms, room) as (session_id, (bot,)):
        answer = rooms.wire.filled(await rooms.api.rooms.sessions.actions.end(session_id))
        assert answer.data and answer.data.result
        await bot.wait_for(lambda event: event["type"] == "session_left", "the end")
        await wait_ended(rooms, session_id)
    with pytest.raises(rooms.telnyx.UnprocessableEntityError):
        await rooms.api.rooms.sessions.actions.end(session_id)


@shows("rooms.sessions.actions.kick")
async def test_all_are_kicked_but_those_who_are_excepted(rooms: Rooms) -> None:
    room = await room_of(rooms)
    async with session_in(rooms, room, peers=2) as (session_id, (first, second)):
        keep = second.peer_id
        answer = rooms.wire.filled(
            await rooms.api.rooms.sessions.actions.kick(session_id, participants="all", exclude=[keep])
        )
        assert answer.data and answer.data.result
        await first.wait_for(lambda event: event["type"] == "session_left", "the kick")
        left = await rooms.api.rooms.sessions.retrieve(session_id, include_participants=True)
        assert left.data and left.data.participants
        inside = [one.id for one in left.data.participants if one.left_at is None]
        assert inside == [keep]


@shows("rooms.sessions.actions.mute")
async def test_one_who_is_named_is_muted(rooms: Rooms) -> None:
    room = await room_of(rooms)
    async with session_in(rooms, room, peers=2) as (session_id, (first, second)):
        named = first.peer_id
        answer = rooms.wire.filled(
            await rooms.api.rooms.sessions.actions.mute(session_id, participants=[named])
        )
        assert answer.data and answer.data.result
        await first.wait_for(partial(is_censored, first.peer_id, True), "that it is muted")
        assert not any(is_censored(second.peer_id, True, event) for event in second.events)


@shows("rooms.sessions.actions.unmute")
async def test_one_who_was_muted_is_unmuted(rooms: Rooms) -> None:
    room = await room_of(rooms)
    async with session_in(rooms, room) as (session_id, (bot,)):
        await rooms.api.rooms.sessions.actions.mute(session_id, participants="all")
        answer = rooms.wire.filled(
            await rooms.api.rooms.sessions.actions.unmute(session_id, participants="all")
        )
        assert answer.data and answer.data.result
        await bot.wait_for(partial(is_censored, bot.peer_id, True), "that it is muted")
        await bot.wait_for(partial(is_censored, bot.peer_id, False), "that it is unmuted")


# --- participants --------------------------------------------------------------------------------------


@shows("room_participants.list")
async def test_participants_are_listed_by_session(rooms: Rooms) -> None:
    one, other = await room_of(rooms), await room_of(rooms)
    today = datetime.now(UTC).date()
    async with session_in(rooms, one, peers=2) as (session_id, _), session_in(rooms, other):
        answer = rooms.wire.filled(
            await rooms.api.room_participants.list(
                filter={"session_id": session_id, "date_joined_at": {"gte": today - timedelta(days=1)}}
            )
        )
        assert {each.session_id for each in answer.data} == {session_id}
        assert len(answer.data) == 2
        early = await rooms.api.room_participants.list(
            filter={"session_id": session_id, "date_joined_at": {"lte": today - timedelta(days=1)}}
        )
        assert early.data == []


@shows("room_participants.retrieve")
async def test_a_participant_is_found_and_says_when_it_left(rooms: Rooms) -> None:
    room = await room_of(rooms)
    async with session_in(rooms, room) as (session_id, (bot,)):
        found = bot.peer_id

    async def left() -> bool:
        answer = rooms.wire.filled(await rooms.api.room_participants.retrieve(found))
        assert answer.data and answer.data.joined_at
        assert (answer.data.id, answer.data.session_id) == (found, session_id)
        return answer.data.left_at is not None and answer.data.left_at >= answer.data.joined_at

    await wait_until_async(left, lambda: f"the participant has not left: {rooms.wire.body}")
    with pytest.raises(rooms.telnyx.NotFoundError):
        await rooms.api.room_participants.retrieve(NOBODY)
