"""Whom a running meeting takes, how long it lasts, and what it is run with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from signaling.domain.configuration import (
    SYSTEM,
    Configuration,
    ConfigurationRecord,
    LevelKind,
    parse_configuration,
)
from signaling.domain.join_policy import Standing, password_mark
from signaling.domain.meeting import Meeting, MeetingStatus
from signaling.domain.plan import PLANS, PlanName
from signaling.domain.session_status import SessionEndReason, SessionStatus
from signaling.domain.targets import Targets
from signaling.domain.unit import Unit
from signaling.errors import ConflictError, NoActiveSessionError
from signaling.protocol.closing import CloseCode
from tests.signaling import values
from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, Refused, live_world


async def changed(world: LiveWorld, *, told: bool = True, **fields: Any) -> Meeting:
    """The meeting as it is kept from now on; `configuration` is what it says."""
    said = {name: value for name, value in fields.items() if name in Configuration.model_fields}
    own = {name: value for name, value in fields.items() if name not in said}
    async with world.store() as uow:
        meeting = await uow.meetings.get(ORGANIZATION, MEETING)
        assert meeting is not None
        meeting = replace(meeting, **own, configuration=parse_configuration(said))
        await uow.meetings.save(meeting)
        await uow.commit()
    if told:
        await world.live.meeting_changed(meeting)
    return meeting


async def refused(world: LiveWorld, preset: str = "group_call_host", **fields: Any) -> Refused:
    token = world.tokens.issue(await world.participant(preset, **fields))
    with pytest.raises(Refused) as error:
        await (await world.socket()).join(token)
    return error.value


async def enter(world: LiveWorld, **fields: Any) -> None:
    token = world.tokens.issue(await world.participant("group_call_host", **fields))
    await (await world.socket()).join(token)


async def member(world: LiveWorld) -> dict[str, Any]:
    """What says of a participant that it is somebody with an account in the organization."""
    user = values.user()
    async with world.store() as uow:
        organization = await uow.organizations.get(ORGANIZATION)
        await uow.users.add(user)
        await uow.users.add_membership(values.membership(user, organization, "member"))
        await uow.commit()
    return {"standing": Standing.MEMBER, "custom_participant_id": user.id}


# --- room -------------------------------------------------------------------------------------------------


async def test_a_full_meeting_takes_nobody_until_somebody_leaves() -> None:
    async with live_world() as world:
        await changed(world, max_participants=2)
        one, _ = await world.join(), await world.join()
        error = await refused(world)
        assert (error.code, error.name) == (9471, "MeetingFull")
        assert error.retry_after is not None
        await one.request("leave")
        await world.join()


async def test_the_hidden_take_no_room_and_who_resumes_has_theirs() -> None:
    async with live_world() as world:
        await changed(world, max_participants=1)
        await world.change_preset("group_call_participant", {"permissions": {"hidden_participant": True}})
        await world.join("group_call_participant")
        client = await world.join()
        await world.join("group_call_participant")
        await client.lose()
        assert (await refused(world)).name == "MeetingFull"
        await world.resume(client)


async def test_who_calls_themselves_a_bot_takes_room_like_everybody() -> None:
    async with live_world() as world:
        await changed(world, max_participants=2)
        await world.join()
        bot = await world.join("group_call_participant", device="bot")
        token = world.tokens.issue(await world.participant("group_call_participant"))
        with pytest.raises(Refused) as error:
            await (await world.socket()).join(token, device="bot")
        assert error.value.name == "MeetingFull"
        world.clock.advance(60)
        view = await world.live.active(MEETING)
        assert view is not None
        assert (view.live_participants, view.minutes_consumed) == (2, 2)
        assert bot.joined["me"]["device"] == "bot"


@pytest.mark.parametrize("permission", [{"is_recorder": True}, {"recorder_type": "LIVESTREAMER"}])
async def test_nobody_is_told_of_a_recorder_and_it_takes_no_room(permission: dict[str, Any]) -> None:
    async with live_world() as world:
        await changed(world, max_participants=1)
        await world.change_preset("group_call_participant", {"permissions": permission})
        host, recorder = await world.join(), await world.join("group_call_participant")
        assert [one["peer_id"] for one in recorder.joined["peers"]] == [host.peer_id]
        with pytest.raises(Refused) as error:
            await recorder.publish("camera", "video")
        assert error.value.name == "PermissionDenied"
        again = await world.resume(host, snapshot=True)
        assert not again.heard("peer_joined") + host.heard("peer_joined")
        view = await world.live.active(MEETING)
        assert view is not None and view.live_participants == 1


async def test_more_room_is_there_at_once_when_the_meeting_is_changed() -> None:
    async with live_world() as world:
        await changed(world, max_participants=1)
        await world.join()
        assert (await refused(world)).name == "MeetingFull"
        await changed(world, max_participants=2)
        await world.join()


# --- time -------------------------------------------------------------------------------------------------


async def test_before_the_longest_time_is_over_everybody_is_warned_and_then_it_ends_with_its_reason() -> None:
    async with live_world() as world:
        await changed(world, max_duration_secs=600)
        client = await world.join()
        ends_at = client.joined["meeting"]["ends_at"]
        await world.wait(299)
        assert not client.heard("session_ending")
        await world.wait(1)
        assert (await client.hears("session_ending"))["seconds_left"] == 300
        await world.wait(240)
        assert await client.hears("session_ending", seconds_left=60)
        await world.wait(1)
        assert [one["seconds_left"] for one in client.heard("session_ending")] == [300, 60]
        assert client.heard("session_ending")[0]["ends_at"] == ends_at
        session_id = client.joined["session_id"]
        await world.wait(59)
        assert await client.hears("session_left", reason="ended")
        assert await client.closed() == CloseCode.ENDED
        async with world.store() as uow:
            record = await uow.sessions.get(session_id)
        assert record is not None
        assert (record.end_reason, record.status) == ("MAX_DURATION_REACHED", SessionStatus.EXPIRED)


async def test_a_change_of_the_longest_time_is_for_the_next_session() -> None:
    async with live_world() as world:
        client = await world.join()
        await changed(world, max_duration_secs=60)
        await world.wait(61)
        assert not client.heard("session_left")
        await client.request("kick_all")
        assert (await world.join()).joined["meeting"]["ends_at"] is not None


# --- whom it takes ----------------------------------------------------------------------------------------


async def test_with_what_is_set_from_the_start_everybody_who_has_a_token_of_the_organization_gets_in() -> (
    None
):
    async with live_world() as world:
        await world.join()
        await enter(world, **await member(world))
        assert (await refused(world, standing=Standing.GUEST)).name == "JoinRefused"


async def test_a_refused_join_says_why_and_begins_no_session() -> None:
    async with live_world() as world:
        await changed(world, join_policy="RESTRICT")
        error = await refused(world, **await member(world))
        assert (error.code, error.name, error.reason) == (9470, "JoinRefused", "not_registered")
        assert await world.live.active(MEETING) is None


async def test_a_policy_that_is_made_stricter_holds_for_a_session_that_runs() -> None:
    async with live_world() as world:
        await changed(world, join_policy="PUBLIC")
        await enter(world, standing=Standing.GUEST)
        await changed(world, join_policy="ORG")
        assert (await refused(world, standing=Standing.GUEST)).reason == "not_in_organization"


async def test_who_came_in_by_a_password_does_not_by_another_one() -> None:
    async with live_world() as world:
        await changed(world, join_policy="PASSWORD", join_password_hash="hash-1")
        mark = password_mark("hash-1")
        assert (await refused(world, standing=Standing.GUEST)).reason == "wrong_password"
        await enter(world, standing=Standing.GUEST, password_mark=mark)
        await changed(world, join_policy="PASSWORD", join_password_hash="hash-2")
        error = await refused(world, standing=Standing.GUEST, password_mark=mark)
        assert error.reason == "wrong_password"
        await enter(world)


async def test_a_meeting_for_units_takes_those_of_an_allowed_one_and_below_it() -> None:
    async with live_world() as world:
        await furnish_units(world)
        await changed(world, join_policy="ORGUNIT", allow_join_units=["ward"])
        await enter(world, unit_id="room")
        assert (await refused(world, unit_id="hospital")).reason == "not_in_unit"
        assert (await refused(world)).reason == "not_in_unit"


async def test_without_a_list_of_units_the_meeting_is_for_its_own() -> None:
    async with live_world() as world:
        await furnish_units(world)
        await changed(world, join_policy="ORGUNIT", unit_id="ward")
        await enter(world, unit_id="ward")
        assert (await refused(world, unit_id="hospital")).reason == "not_in_unit"


async def test_who_may_not_open_a_meeting_waits_for_somebody_who_may() -> None:
    async with live_world() as world:
        await changed(world, join_policy="PUBLIC", open_policy="RESTRICT")
        error = await refused(world, standing=Standing.GUEST)
        assert (error.name, error.reason) == ("MeetingNotOpen", "not_registered")
        assert error.retry_after is not None
        assert await world.live.active(MEETING) is None
        await world.join()
        await enter(world, standing=Standing.GUEST)


async def test_a_member_may_begin_what_is_for_the_organization_to_begin() -> None:
    async with live_world() as world:
        await changed(world, join_policy="PUBLIC", open_policy="ORG")
        assert (await refused(world, standing=Standing.GUEST)).reason == "not_in_organization"
        await enter(world, **await member(world))
        await enter(world, standing=Standing.GUEST)


async def test_who_is_no_member_any_more_does_not_come_back_with_the_token_there_is() -> None:
    async with live_world() as world:
        await changed(world, join_policy="PUBLIC")
        known = await member(world)
        await enter(world, **known)
        async with world.store() as uow:
            membership = await uow.users.membership(ORGANIZATION, known["custom_participant_id"])
            assert membership is not None
            await uow.users.save_membership(replace(membership, disabled=True))
            await uow.commit()
        assert (await refused(world, **known)).reason == "not_in_organization"


async def test_an_opened_meeting_takes_who_could_not_have_opened_it_and_waits_for_them() -> None:
    async with live_world() as world:
        meeting = await changed(world, join_policy="PUBLIC", open_policy="RESTRICT")
        opened = await world.live.open(meeting, parse_configuration({"max_participants": 1}))
        assert (await world.live.open(meeting, Configuration())).id == opened.id
        await world.wait(300)
        await enter(world, standing=Standing.GUEST)
        assert (await refused(world)).name == "MeetingFull", "what was said for this session alone"
        async with world.store() as uow:
            kept = await uow.configurations.snapshot(ORGANIZATION, opened.id)
        assert kept is not None and kept.origins["max_participants"].level == "session"


async def test_to_open_a_meeting_again_is_the_same_session_unless_it_would_be_run_otherwise() -> None:
    async with live_world() as world:
        meeting = await changed(world)
        said = parse_configuration({"max_participants": 4, "recording_config": {"max_seconds": 60}})
        opened = await world.live.open(meeting, said)
        for again in (said, parse_configuration({"max_participants": 4}), Configuration()):
            assert (await world.live.open(meeting, again)).id == opened.id
        for other in ({"max_participants": 5}, {"lobby_enabled": False}, {"skin": "night"}):
            with pytest.raises(ConflictError):
                await world.live.open(meeting, parse_configuration(other))
        await world.live.kick_all(MEETING)
        assert (await world.live.open(meeting, parse_configuration({"max_participants": 5}))).id != opened.id


async def test_an_opened_meeting_that_nobody_joins_closes_after_a_while() -> None:
    async with live_world() as world:
        opened = await world.live.open(await changed(world), Configuration())
        await world.wait(599)
        assert await world.live.active(MEETING) is not None
        await world.wait(2)
        assert await world.live.active(MEETING) is None
        async with world.store() as uow:
            ended = await uow.sessions.get(opened.id)
        assert ended is not None
        assert (ended.status, ended.end_reason) == (SessionStatus.EXPIRED, "NOBODY_CAME")
        assert (ended.started_at, ended.ended_at) == (None, world.clock.now())


async def test_a_deleted_meeting_puts_everybody_out_and_its_tokens_are_void() -> None:
    async with live_world() as world:
        person = await world.participant("group_call_host")
        client = await (await world.socket()).join(world.tokens.issue(person))
        meeting = await changed(world, deleted_at=world.clock.now(), told=False)
        await world.live.meeting_removed(meeting)
        assert await client.closed() == CloseCode.KICKED
        with pytest.raises(NoActiveSessionError):
            await world.live.kick(MEETING, Targets(everybody=True))
        with pytest.raises(Refused) as error:
            await (await world.socket()).join(world.tokens.issue(person))
        assert error.value.code == 9404


async def test_an_inactive_meeting_takes_nobody_and_goes_on() -> None:
    async with live_world() as world:
        client = await world.join()
        await changed(world, status=MeetingStatus.INACTIVE)
        assert (await refused(world)).name == "MeetingInactive"
        assert not client.heard("session_left")


# --- what it is run with ----------------------------------------------------------------------------------


async def test_what_a_session_is_started_with_is_kept_with_the_level_of_every_value() -> None:
    async with live_world() as world:
        await furnish_units(world)
        await say(world, ORGANIZATION, max_participants=7, loudest_audio=3)
        await say(world, "ward", loudest_audio=2, locked=("loudest_audio",))
        await changed(world, unit_id="room", profile="clinic", loudest_audio=9)
        session_id = (await world.join()).joined["session_id"]
        await say(world, "hospital", max_participants=1)
        async with world.store() as uow:
            kept = await uow.configurations.snapshot(ORGANIZATION, session_id)
        assert kept is not None
        values, origins = kept.values, {key: str(one) for key, one in kept.origins.items()}
        assert (values.max_participants, values.loudest_audio, values.profile) == (7, 2, "clinic")
        assert values.join_policy is SYSTEM.join_policy
        assert origins["max_participants"] == f"organization {ORGANIZATION}"
        assert (origins["loudest_audio"], origins["profile"]) == ("unit ward", f"meeting {MEETING}")
        assert origins["join_policy"] == "system"
        assert list(kept.passed_over) == ["loudest_audio"]
        await world.join()


async def test_what_a_change_of_the_meeting_changes_at_once_is_kept_as_well() -> None:
    async with live_world() as world:
        session_id = (await world.join()).joined["session_id"]
        await changed(world, session_keep_alive_time_in_secs=5, profile="for the next one")
        async with world.store() as uow:
            kept = await uow.configurations.snapshot(ORGANIZATION, session_id)
        assert kept is not None
        assert kept.values.session_keep_alive_time_in_secs == 5
        assert kept.values.profile is None


async def furnish_units(world: LiveWorld) -> None:
    """hospital, in it ward, in it room."""
    now, path = world.clock.now(), ("hospital", "ward", "room")
    async with world.store() as uow:
        for depth, name in enumerate(path, start=1):
            await uow.units.add(Unit(name, ORGANIZATION, path[:depth], name, now, now))
        await uow.commit()


async def say(world: LiveWorld, owner_id: str, *, locked: tuple[str, ...] = (), **said: Any) -> None:
    now = world.clock.now()
    record = ConfigurationRecord(ORGANIZATION, owner_id, parse_configuration(said), locked, now, now)
    async with world.store() as uow:
        await uow.configurations.add(record)
        await uow.commit()


# --- the plan ---------------------------------------------------------------------------------------------


async def on_plan(world: LiveWorld, plan: PlanName) -> None:
    async with world.store() as uow:
        organization = await uow.organizations.get(ORGANIZATION)
        assert organization is not None
        await uow.organizations.save(replace(organization, plan=plan))
        await uow.commit()


async def test_no_more_sessions_at_a_time_than_the_plan_has_room_for() -> None:
    async with live_world() as world:
        await on_plan(world, PlanName.STARTER)
        limit = PLANS[PlanName.STARTER].limits.concurrent_sessions
        assert limit is not None
        async with world.store() as uow:
            organization = await uow.organizations.get(ORGANIZATION)
            assert organization is not None
            others = [values.meeting(organization) for _ in range(limit)]
            for one in others:
                await uow.meetings.add(one)
                await uow.sessions.add(values.session(one))
            await uow.commit()
        error = await refused(world)
        assert (error.code, error.name) == (9464, "PlanLimit")
        async with world.store() as uow:
            ended = await uow.sessions.active_for(others[0].id)
            assert ended is not None
            finished = SessionStatus.FINISHED
            await uow.sessions.save(
                replace(
                    ended,
                    status=finished,
                    ended_at=values.at(60),
                    end_reason=SessionEndReason.HOST_ENDED_MEETING,
                )
            )
            await uow.commit()
        await world.join()


@pytest.mark.parametrize(("said", "holds"), [(None, 50), (1000, 50), (7, 7)])
async def test_no_more_are_in_a_session_than_the_plan_has_room_for(said: int | None, holds: int) -> None:
    async with live_world() as world:
        await on_plan(world, PlanName.STARTER)
        await changed(world, max_participants=said, told=False)
        await world.join()
        live = next(iter(world.live._running))
        assert live.configuration.values.max_participants == holds
        origin = live.configuration.origins["max_participants"].level
        assert origin is (LevelKind.MEETING if said == holds else LevelKind.PLAN)
