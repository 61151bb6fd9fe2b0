"""`cloudflare`: what runs in a meeting of RealtimeKit, and what has run."""

from __future__ import annotations

from functools import partial

import pytest

from sfu.bot import Bot
from tests.compat.conftest import Kit, joined
from tests.support.wait import wait_until_async

shows = partial(pytest.mark.shows, "cloudflare")

HOST, PARTICIPANT = "group_call_host", "group_call_participant"


async def meeting_in(kit: Kit, title: str = "sessions") -> str:
    """Its sessions end when the last one leaves."""
    made = await kit.api.meetings.create(**kit.app, title=title, session_keep_alive_time_in_secs=0)
    assert made.data
    return made.data.id


async def token_for(kit: Kit, meeting_id: str, who: str, preset: str = PARTICIPANT) -> tuple[str, str]:
    """The participant's id and token."""
    made = await kit.api.meetings.add_participant(
        meeting_id, **kit.app, custom_participant_id=who, preset_name=preset, name=who
    )
    assert made.data
    return made.data.id, made.data.token


async def ended_session(kit: Kit, title: str = "sessions", who: str = "ada") -> tuple[str, str]:
    """The meeting's id and that of a session which one participant joined and left."""
    meeting_id = await meeting_in(kit, title)
    _, token = await token_for(kit, meeting_id, who)
    async with joined(kit.server, token):
        live = await kit.api.active_session.get_active_session(meeting_id, **kit.app)
    assert live.data
    session_id = live.data.id

    async def ended() -> bool:
        answer = await kit.api.sessions.get_session_details(session_id, **kit.app)
        return answer.data is not None and answer.data.status == "ENDED"

    await wait_until_async(ended, lambda: f"the session did not end: {kit.wire.body}")
    return meeting_id, session_id


async def wait_kicked(bot: Bot) -> None:
    await bot.wait_for(lambda event: event["type"] == "session_left", "a word to who is kicked")


@shows("active_session.get_active_session")
async def test_a_meeting_has_a_session_while_somebody_is_inside(kit: Kit) -> None:
    meeting_id = await meeting_in(kit, "live")
    with pytest.raises(kit.cloudflare.NotFoundError):
        await kit.api.active_session.get_active_session(meeting_id, **kit.app)
    _, token = await token_for(kit, meeting_id, "ada")
    async with joined(kit.server, token):
        answer = kit.wire.filled(await kit.api.active_session.get_active_session(meeting_id, **kit.app))
        one = answer.data
        assert one
        assert (one.associated_id, one.meeting_display_name, one.status) == (meeting_id, "live", "LIVE")
        assert (one.live_participants, one.max_concurrent_participants, one.ended_at) == (1, 1, None)
        assert one.organization_id == kit.app["app_id"]


@shows("active_session.kick_participants")
async def test_those_named_are_kicked_by_id_and_by_custom_id(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    ids = {who: await token_for(kit, meeting_id, who) for who in ("ada", "grace", "joan")}
    async with (
        joined(kit.server, ids["ada"][1]) as ada,
        joined(kit.server, ids["grace"][1]) as grace,
        joined(kit.server, ids["joan"][1]),
    ):
        answer = kit.wire.filled(
            await kit.api.active_session.kick_participants(
                meeting_id, **kit.app, participant_ids=[ids["ada"][0]], custom_participant_ids=["grace"]
            )
        )
        assert answer.data and answer.data.participants
        assert {one.id for one in answer.data.participants} == {ids["ada"][0], ids["grace"][0]}
        await wait_kicked(ada)
        await wait_kicked(grace)
        left = await kit.api.active_session.get_active_session(meeting_id, **kit.app)
        assert left.data and left.data.live_participants == 1


@shows("active_session.kick_all_participants")
async def test_kicking_everybody_says_how_many(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    tokens = [(await token_for(kit, meeting_id, who))[1] for who in ("ada", "grace")]
    async with joined(kit.server, tokens[0]) as ada, joined(kit.server, tokens[1]) as grace:
        answer = kit.wire.filled(await kit.api.active_session.kick_all_participants(meeting_id, **kit.app))
        assert answer.data and answer.data.kicked_participants_count == 2
        await wait_kicked(ada)
        await wait_kicked(grace)


@shows("sessions.get_sessions")
async def test_sessions_are_listed_by_meeting_status_and_title(kit: Kit) -> None:
    meeting_id, session_id = await ended_session(kit, "searched for")
    answer = kit.wire.filled(
        await kit.api.sessions.get_sessions(
            **kit.app,
            associated_id=meeting_id,
            status="ENDED",
            search="searched",
            sort_by="createdAt",
            sort_order="DESC",
            page_no=1,
            per_page=10,
        )
    )
    assert answer.data and answer.data.sessions and answer.paging
    (one,) = answer.data.sessions
    assert (one.id, one.associated_id, one.status) == (session_id, meeting_id, "ENDED")
    assert one.ended_at is not None and one.ended_at >= one.started_at
    assert (one.live_participants, one.max_concurrent_participants) == (0, 1)
    assert answer.paging.total_count == 1
    live = await kit.api.sessions.get_sessions(**kit.app, associated_id=meeting_id, status="LIVE")
    assert live.data and live.data.sessions == []
    before = await kit.api.sessions.get_sessions(
        **kit.app, associated_id=meeting_id, end_time="2020-01-01T00:00:00Z"
    )
    assert before.data and before.data.sessions == []


@shows("sessions.get_session_details")
async def test_a_session_is_found_while_it_lives_and_after(kit: Kit) -> None:
    meeting_id = await meeting_in(kit, "details")
    _, token = await token_for(kit, meeting_id, "ada")
    async with joined(kit.server, token):
        live = await kit.api.active_session.get_active_session(meeting_id, **kit.app)
        assert live.data
        answer = kit.wire.filled(
            await kit.api.sessions.get_session_details(live.data.id, **kit.app, include_breakout_rooms=True)
        )
        assert answer.data
        assert (answer.data.id, answer.data.status, answer.data.live_participants) == (
            live.data.id,
            "LIVE",
            1,
        )
    with pytest.raises(kit.cloudflare.NotFoundError):
        await kit.api.sessions.get_session_details("00000000-0000-4000-8000-000000000000", **kit.app)


@shows("sessions.get_session_participants")
async def test_who_was_in_a_session_is_listed_with_when(kit: Kit) -> None:
    _, session_id = await ended_session(kit, who="ada")
    answer = kit.wire.filled(
        await kit.api.sessions.get_session_participants(
            session_id,
            **kit.app,
            include_peer_events=True,
            search="ada",
            sort_by="joinedAt",
            sort_order="ASC",
            view="raw",
            page_no=1,
            per_page=10,
        )
    )
    assert answer.data and answer.data.participants
    (one,) = answer.data.participants
    assert (one.custom_participant_id, one.display_name, one.preset_name) == ("ada", "ada", PARTICIPANT)
    assert one.joined_at and one.left_at and one.left_at >= one.joined_at
    assert one.duration is not None and one.duration >= 0
    assert one.peer_events and {each.peer_id for each in one.peer_events} == {one.id}
    names = [each.event_name for each in one.peer_events]
    assert names == ["PEER_CREATED", "PEER_JOINING", "PEER_LEAVING"]
    times = [each.created_at for each in one.peer_events]
    assert all(times) and times == sorted(filter(None, times))
    sockets = {each.socket_session_id for each in one.peer_events}
    assert len(sockets) == 1 and all(sockets)
    nobody = await kit.api.sessions.get_session_participants(session_id, **kit.app, search="somebody else")
    assert nobody.data and nobody.data.participants == []


@shows("sessions.get_session_participant_details")
async def test_one_who_was_in_a_session_is_found(kit: Kit) -> None:
    _, session_id = await ended_session(kit, who="grace")
    everybody = await kit.api.sessions.get_session_participants(session_id, **kit.app)
    assert everybody.data and everybody.data.participants
    (listed,) = everybody.data.participants
    assert listed.id
    answer = kit.wire.filled(
        await kit.api.sessions.get_session_participant_details(
            listed.id, **kit.app, session_id=session_id, include_peer_events=True
        )
    )
    assert answer.data and answer.data.participant
    assert answer.data.participant.custom_participant_id == "grace"
    assert answer.data.participant.user_id == listed.user_id


@shows("sessions.get_participant_data_from_peer_id")
async def test_a_peer_has_a_report(kit: Kit) -> None:
    meeting_id = await meeting_in(kit)
    participant_id, token = await token_for(kit, meeting_id, "ada")
    headset = {"id": "a-1", "kind": "audioinput", "label": "Headset"}
    camera = {"id": "v-1", "kind": "videoinput", "label": "Camera"}
    speaker = {"id": "o-1", "kind": "audiooutput", "label": "Speaker"}
    async with joined(kit.server, token, hardware={"cores": 8, "memory": 16}) as bot:
        peer_id, tell = bot.peer_id, partial(bot.signalling.request, "report_devices")
        await tell(devices=[headset, camera, speaker], used=["a-1"])
        await tell(devices=[camera, speaker], used=["v-1"])
    answer = kit.wire.filled(
        await kit.api.sessions.get_participant_data_from_peer_id(peer_id, **kit.app, include_peer_events=True)
    )
    assert answer.data and answer.data.participant
    one = answer.data.participant
    assert (one.id, one.user_id) == (peer_id, participant_id)
    assert one.created_at and one.joined_at and one.created_at <= one.joined_at
    assert one.peer_events and all(each.socket_session_id for each in one.peer_events)
    assert one.peer_report and one.peer_report.metadata
    metadata = one.peer_report.metadata
    assert metadata.device_info and metadata.device_info.cpus == 8
    assert kit.wire.body["data"]["participant"]["peer_report"]["metadata"]["device_info"]["memory"] == 16
    for kind in ("audio", "video", "speaker"):
        came, *_ = getattr(metadata, f"{kind}_devices_updates")
        assert came.timestamp and [(each.device_id, each.label) for each in came.added] == [
            {"audio": ("a-1", "Headset"), "video": ("v-1", "Camera"), "speaker": ("o-1", "Speaker")}[kind]
        ]
    assert metadata.audio_devices_updates
    went = metadata.audio_devices_updates[-1].removed
    assert went and [each.device_id for each in went] == ["a-1"]
    assert metadata.selected_device_updates
    used = [each.device.label for each in metadata.selected_device_updates if each.device]
    assert used == ["Headset", "Camera"]
