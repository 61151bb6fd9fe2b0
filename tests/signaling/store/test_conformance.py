"""What a store must do. Both databases have to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from signaling.domain.attendance import PeerEvent, PeerEventKind
from signaling.domain.configuration import Configuration, ConfigurationRecord
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.idempotency import MadeBefore
from signaling.domain.join_policy import Policy
from signaling.domain.listing import MeetingFilter, Page
from signaling.domain.media_devices import MediaDevice
from signaling.domain.meeting import MeetingStatus, Region
from signaling.domain.meeting_config import AiConfig, RecordingConfig, RtmpOut
from signaling.domain.organization import Organization
from signaling.domain.peer_report import PeerReport, StoredReport
from signaling.domain.preset import merged
from signaling.domain.preset_use import PresetUse
from signaling.domain.quality_series import Point
from signaling.domain.session_status import SessionEndReason, SessionStatus
from signaling.domain.time_range import TimeRange
from signaling.errors import ConflictError
from signaling.services.ports import UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed
from tests.signaling import values


async def organization(units: UnitOfWorkFactory, name: str = "Acme") -> Organization:
    made = values.organization(name)
    async with units() as uow:
        await uow.organizations.add(made)
        await uow.commit()
    return made


async def test_what_was_committed_is_found_as_it_was(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    meeting = replace(
        values.meeting(acme),
        preferred_region=Region.EU_CENTRAL_1,
        status=MeetingStatus.INACTIVE,
        unique_name="ward-7",
        webhook_event_url="https://example.test/in",
        webhook_timeout_secs=7,
        configuration=Configuration(
            record_on_start=True,
            join_policy=Policy.ORGUNIT,
            allow_join_units=("one", "two"),
            recording_config=RecordingConfig(max_seconds=90, rtmp_out_config=RtmpOut(rtmp_url="rtmp://x/y")),
            ai_config=AiConfig(),
            loudest_audio=3,
        ),
    )
    participant, preset, key = values.participant(meeting), values.preset(acme), values.api_key(acme)
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.participants.add(participant)
        await uow.presets.add(preset)
        await uow.organizations.add_key(key)
        await uow.commit()
    async with units() as uow:
        assert await uow.organizations.get(acme.id) == acme
        assert await uow.organizations.first() == acme
        assert list(await uow.organizations.keys(acme.id)) == [key]
        assert await uow.meetings.get(acme.id, meeting.id) == meeting
        assert await uow.participants.get(acme.id, meeting.id, participant.id) == participant
        assert await uow.presets.get(acme.id, preset.id) == preset
        assert await uow.presets.by_name(acme.id, preset.name) == preset
        found = await uow.participants.with_its_own(acme.id, meeting.id, participant.id)
        assert found == (participant, meeting, preset)


async def test_a_participant_is_found_with_its_own_also_when_its_preset_is_gone(
    units: UnitOfWorkFactory,
) -> None:
    acme = await organization(units)
    meeting, preset = values.meeting(acme), values.preset(acme)
    participant = values.participant(meeting, preset_name=preset.name)
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.participants.add(participant)
        assert not await uow.presets.has(acme.id, preset.name)
        found = await uow.participants.with_its_own(acme.id, meeting.id, participant.id)
        assert found == (participant, meeting, None)
        await uow.presets.add(preset)
        assert await uow.presets.has(acme.id, preset.name)
        found = await uow.participants.with_its_own(acme.id, meeting.id, participant.id)
        assert found == (participant, meeting, preset)
        await uow.participants.remove(participant)
        assert await uow.participants.with_its_own(acme.id, meeting.id, participant.id) is None


@pytest.mark.parametrize("who", ["organization", "unit", "parent"])
async def test_a_participant_is_found_with_its_meeting_and_whether_somebody_above_says_anything(
    units: UnitOfWorkFactory, who: str
) -> None:
    parent, rival = await organization(units), await organization(units, "Rival")
    app = replace(values.organization("App"), parent_id=parent.id)
    meeting = values.meeting(app)
    participant = values.participant(meeting)
    owner_id = {"organization": app.id, "unit": "a-unit", "parent": parent.id}[who]
    said = ConfigurationRecord(
        parent.id if who == "parent" else app.id,
        owner_id,
        Configuration(join_policy=Policy.RESTRICT),
        (),
        meeting.created_at,
        meeting.created_at,
    )
    theirs = values.meeting(rival)
    async with units() as uow:
        await uow.organizations.add(app)
        for place in (theirs, meeting):
            await uow.meetings.add(place)
        for one in (values.participant(theirs), participant):
            await uow.participants.add(one)
        await uow.configurations.add(replace(said, organization_id=rival.id, owner_id=rival.id))
        found = await uow.participants.with_meeting(app.id, meeting.id, participant.id)
        assert found == (participant, meeting, False)
        await uow.configurations.add(said)
        found = await uow.participants.with_meeting(app.id, meeting.id, participant.id)
        assert found == (participant, meeting, True)
        assert await uow.participants.with_meeting(rival.id, meeting.id, participant.id) is None
        assert await uow.participants.with_meeting(app.id, "another", participant.id) is None


@pytest.mark.parametrize("who", ["organization", "unit", "parent"])
async def test_what_is_asked_before_a_participant_is_added_is_of_its_organization(
    units: UnitOfWorkFactory, who: str
) -> None:
    parent, rival = await organization(units), await organization(units, "Rival")
    app = replace(values.organization("App"), parent_id=parent.id)
    meeting, deleted = values.meeting(app), replace(values.meeting(app), deleted_at=values.NOON)
    preset, another = values.preset(app), values.preset(rival, DEFAULT_PRESETS[1])
    owner_id = {"organization": app.id, "unit": "a-unit", "parent": parent.id}[who]
    owner = parent.id if who == "parent" else app.id
    said = ConfigurationRecord(owner, owner_id, Configuration(), (), values.NOON, values.NOON)
    async with units() as uow:
        await uow.organizations.add(app)
        for place in (meeting, deleted):
            await uow.meetings.add(place)
        for one in (preset, another):
            await uow.presets.add(one)
        await uow.configurations.add(replace(said, organization_id=rival.id, owner_id=rival.id))
        to_add = uow.participants.to_add
        assert await to_add(app.id, meeting.id, preset.name) == (meeting, True, False)
        assert await to_add(app.id, meeting.id, another.name) == (meeting, False, False)
        await uow.configurations.add(said)
        assert await to_add(app.id, meeting.id, preset.name) == (meeting, True, True)
        assert await to_add(rival.id, meeting.id, preset.name) is None
        assert await to_add(app.id, deleted.id, preset.name) is None


async def test_what_was_not_committed_is_gone(units: UnitOfWorkFactory) -> None:
    acme = values.organization()
    async with units() as uow:
        await uow.organizations.add(acme)
    async with units() as uow:
        assert await uow.organizations.first() is None


async def test_an_error_inside_rolls_back(units: UnitOfWorkFactory) -> None:
    with pytest.raises(RuntimeError):
        async with units() as uow:
            await uow.organizations.add(values.organization())
            raise RuntimeError
    async with units() as uow:
        assert await uow.organizations.first() is None


async def test_one_organization_finds_and_changes_nothing_of_another(units: UnitOfWorkFactory) -> None:
    acme, rival = await organization(units), await organization(units, "Rival")
    meeting, preset = values.meeting(acme), values.preset(acme)
    participant = values.participant(meeting)
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.participants.add(participant)
        await uow.presets.add(preset)
        await uow.commit()
    async with units() as uow:
        assert await uow.meetings.get(rival.id, meeting.id) is None
        assert await uow.participants.get(rival.id, meeting.id, participant.id) is None
        assert await uow.participants.with_its_own(rival.id, meeting.id, participant.id) is None
        assert not await uow.presets.has(rival.id, preset.name)
        assert await uow.presets.get(rival.id, preset.id) is None
        assert await uow.presets.by_name(rival.id, preset.name) is None
        assert await uow.meetings.list(rival.id) == ([], 0)
        assert await uow.participants.list(rival.id, meeting.id) == ([], 0)
        assert await uow.participants.known_as(rival.id, meeting.id, "ada-1") == []
        assert await uow.presets.list(rival.id) == ([], 0)
        assert await uow.presets.use_of(rival.id, participant.preset_name) == PresetUse()
        await uow.meetings.save(replace(meeting, organization_id=rival.id, title="stolen"))
        await uow.participants.remove(replace(participant, organization_id=rival.id))
        await uow.presets.remove(replace(preset, organization_id=rival.id))
        await uow.commit()
    async with units() as uow:
        assert await uow.meetings.get(acme.id, meeting.id) == meeting
        assert await uow.participants.get(acme.id, meeting.id, participant.id) == participant
        assert await uow.presets.get(acme.id, preset.id) == preset


async def test_a_participant_is_only_found_in_its_meeting(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    meeting, other = values.meeting(acme), values.meeting(acme)
    participant = values.participant(meeting)
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.meetings.add(other)
        await uow.participants.add(participant)
        assert await uow.participants.get(acme.id, other.id, participant.id) is None
        assert await uow.participants.with_its_own(acme.id, other.id, participant.id) is None
        assert await uow.participants.list(acme.id, other.id) == ([], 0)
        assert await uow.participants.known_as(acme.id, other.id, "ada-1") == []
        assert await uow.participants.known_as(acme.id, meeting.id, "ada-1") == [participant]


async def test_preset_names_are_unique_in_an_organization_only(units: UnitOfWorkFactory) -> None:
    acme, rival = await organization(units), await organization(units, "Rival")
    first = values.preset(acme)
    second = replace(values.preset(acme), preset=merged(first.preset, {"name": "other"}))
    async with units() as uow:
        await uow.presets.add(first)
        await uow.presets.add(second)
        await uow.presets.add(values.preset(rival))
        await uow.commit()
    async with units() as uow:
        with pytest.raises(ConflictError):
            await uow.presets.add(values.preset(acme))
    async with units() as uow:
        with pytest.raises(ConflictError):
            await uow.presets.save(replace(second, preset=first.preset))


async def test_changes_and_removals_stay(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    meeting, preset = values.meeting(acme), values.preset(acme)
    participant = values.participant(meeting)
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.participants.add(participant)
        await uow.presets.add(preset)
        await uow.commit()
    renamed = replace(preset, preset=merged(preset.preset, {"name": "chief"}))
    async with units() as uow:
        await uow.meetings.save(replace(meeting, title=None))
        await uow.participants.save(replace(participant, name="Bea"))
        await uow.presets.save(renamed)
        await uow.commit()
    async with units() as uow:
        changed = await uow.meetings.get(acme.id, meeting.id)
        assert changed is not None and changed.title is None
        person = await uow.participants.get(acme.id, meeting.id, participant.id)
        assert person is not None and person.name == "Bea"
        assert await uow.presets.by_name(acme.id, "chief") == renamed
        await uow.participants.remove(participant)
        await uow.presets.remove(renamed)
        await uow.commit()
    async with units() as uow:
        assert await uow.participants.get(acme.id, meeting.id, participant.id) is None
        assert await uow.presets.get(acme.id, preset.id) is None


async def test_lists_come_newest_first_in_pages_with_the_total(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    meetings = [values.meeting(acme, f"Meeting {n}", seconds=n) for n in range(5)]
    async with units() as uow:
        for meeting in meetings:
            await uow.meetings.add(meeting)
        await uow.commit()
    async with units() as uow:
        page, total = await uow.meetings.list(acme.id, page=Page(1, 2))
        assert (list(page), total) == ([meetings[3], meetings[2]], 5)
        page, total = await uow.meetings.list(acme.id, page=Page(4, 2))
        assert (list(page), total) == ([meetings[0]], 5)
        assert await uow.meetings.list(acme.id, page=Page(9)) == ([], 5)


async def test_meetings_are_found_by_title_id_and_time(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    percent, plain = values.meeting(acme, "100% Fun"), values.meeting(acme, "1000 Fun", seconds=60)
    async with units() as uow:
        await uow.meetings.add(percent)
        await uow.meetings.add(plain)
        await uow.meetings.add(values.meeting(acme, None, seconds=120))
        for which, found in (
            (MeetingFilter(search="0% fun"), percent),
            (MeetingFilter(search=plain.id), plain),
            (MeetingFilter(end_time=values.at(30)), percent),
            (MeetingFilter(start_time=values.at(30), end_time=values.at(90)), plain),
        ):
            assert await uow.meetings.list(acme.id, which) == ([found], 1), which


async def test_meetings_are_found_by_unique_name_and_in_spans_of_time(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    early = replace(values.meeting(acme), unique_name="early", updated_at=values.at(200))
    late = replace(values.meeting(acme, seconds=60), unique_name="late")
    async with units() as uow:
        await uow.meetings.add(early)
        await uow.meetings.add(late)
        await uow.commit()
    async with units() as uow:
        assert await uow.meetings.list(acme.id, MeetingFilter(unique_name="lat")) == ([], 0)
        for which, found in (
            (MeetingFilter(unique_name="late"), late),
            # The first moment of a span is in it, its end is not.
            (MeetingFilter(created=TimeRange(values.at(60))), late),
            (MeetingFilter(created=TimeRange(None, values.at(60))), early),
            (MeetingFilter(updated=TimeRange(values.at(100))), early),
        ):
            assert await uow.meetings.list(acme.id, which) == ([found], 1), which


async def test_a_meeting_has_one_session_that_has_not_ended(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    meeting = values.meeting(acme)
    first, second = values.session(meeting), values.session(meeting, seconds=10)
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.sessions.add(first)
        await uow.commit()
    async with units() as uow:
        with pytest.raises(ConflictError):
            await uow.sessions.add(second)
    ended = replace(
        first,
        status=SessionStatus.FINISHED,
        ended_at=values.at(5),
        end_reason=SessionEndReason.ALL_PARTICIPANTS_LEFT,
    )
    async with units() as uow:
        assert await uow.sessions.active_for(meeting.id) == first
        assert list(await uow.sessions.unfinished()) == [first]
        await uow.sessions.save(ended)
        await uow.sessions.add(second)
        await uow.commit()
    async with units() as uow:
        assert await uow.sessions.get(first.id) == ended
        assert await uow.sessions.active_for(meeting.id) == second


async def test_attendances_outlive_their_participant(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    meeting = values.meeting(acme)
    participant, session = values.participant(meeting), values.session(meeting)
    here = values.attendance(session, "peer_1", participant.id)
    here = replace(here, socket_id="sock_1", opened_at=values.at(0), cores=8, memory=0.25)
    came_back = PeerEvent(PeerEventKind.RESUMED, values.at(7), "sock_2")
    gone = here.noted(PeerEvent(PeerEventKind.DETACHED, values.at(5))).noted(came_back)
    gone = replace(gone, left_at=values.at(9), leave_reason="left")
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.participants.add(participant)
        await uow.sessions.add(session)
        await uow.sessions.add_attendance(here)
        await uow.participants.remove(participant)
        assert list(await uow.sessions.attendances(session.id)) == [here]
        await uow.sessions.save_attendance(gone)
        await uow.commit()
    async with units() as uow:
        assert list(await uow.sessions.attendances(session.id)) == [gone]


async def test_units_that_read_and_write_do_not_lose_each_others_changes(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    meeting = values.meeting(acme, title="")
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.commit()

    async def append(letter: str, uow: UnitOfWork) -> None:
        found = await uow.meetings.get(acme.id, meeting.id)
        assert found is not None
        await uow.meetings.save(replace(found, title=f"{found.title}{letter}"))

    await asyncio.gather(*(committed(units, partial(append, letter)) for letter in "abcdefgh"))
    async with units() as uow:
        found = await uow.meetings.get(acme.id, meeting.id)
    assert found is not None and sorted(found.title or "") == list("abcdefgh")


async def test_who_only_reads_sees_what_was_committed(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    async with units(reading=True) as uow:
        assert await uow.organizations.get(acme.id) == acme
        assert await uow.meetings.list(acme.id) == ([], 0)


async def test_a_name_cannot_be_taken_by_two_at_once(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)

    async def take(uow: UnitOfWork) -> None:
        await uow.presets.add(values.preset(acme))

    done = await asyncio.gather(*(committed(units, take) for _ in range(6)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["ConflictError"] * 5 + ["NoneType"]
    async with units() as uow:
        assert (await uow.presets.list(acme.id))[1] == 1


async def test_first_joins_at_the_same_time_make_one_session(units: UnitOfWorkFactory) -> None:
    acme = await organization(units)
    meeting = values.meeting(acme)
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.commit()

    async def begin(uow: UnitOfWork) -> None:
        if await uow.sessions.active_for(meeting.id) is None:
            await uow.sessions.add(values.session(meeting))

    done = await asyncio.gather(*(committed(units, begin) for _ in range(30)), return_exceptions=True)
    assert {type(one).__name__ for one in done} <= {"NoneType", "ConflictError"}
    async with units() as uow:
        assert len(await uow.sessions.unfinished()) == 1


async def test_the_key_of_a_request_is_there_once_until_it_is_forgotten(units: UnitOfWorkFactory) -> None:
    acme, rival = await organization(units), await organization(units, "Rival")
    made = [MadeBefore(acme.id, f"key {n}", "digest", '{"id": 1}', values.at(n)) for n in range(5)]
    async with units() as uow:
        for one in made:
            await uow.idempotency.add(one)
        await uow.idempotency.add(replace(made[0], organization_id=rival.id))
        await uow.commit()
    async with units() as uow:
        assert await uow.idempotency.get(acme.id, "key 1") == made[1]
        assert await uow.idempotency.get(rival.id, "key 1") is None
        with pytest.raises(ConflictError):
            await uow.idempotency.add(made[1])
    async with units() as uow:
        await uow.idempotency.remove(rival.id, "key 0")
        await uow.idempotency.forget(before=values.at(1), keep=3)
        await uow.commit()
    async with units(reading=True) as uow:
        left = [await uow.idempotency.get(acme.id, one.key) for one in made]
        assert left == [None, None, *made[2:]]
        assert await uow.idempotency.get(rival.id, "key 0") is None


async def test_a_report_is_replaced_by_the_next_and_its_organizations_alone(units: UnitOfWorkFactory) -> None:
    acme, rival = await organization(units), await organization(units, "Rival")
    meeting = values.meeting(acme)
    session = values.session(meeting)
    peer = values.attendance(session)
    first, second = PeerReport(), PeerReport()
    second.series.add(Point(5.0, {}))
    second.devices.handle_told([MediaDevice("a-1", "audioinput", "Mikrofon 🎤")], [], 5.0)
    async with units() as uow:
        await uow.meetings.add(meeting)
        await uow.sessions.add(session)
        await uow.sessions.add_attendance(peer)
        await uow.commit()
    for number, report in enumerate((first, second)):
        async with units() as uow:
            known = StoredReport(peer.peer_id, values.at(number), report)
            await uow.peer_reports.save(acme.id, [known, StoredReport("peer_nobody", values.at(0), report)])
            await uow.commit()
    async with units() as uow:
        (found,) = await uow.peer_reports.of(acme.id, [peer.peer_id, "peer_nobody"])
        assert (found.updated_at, list(found.report.series.points())) == (values.at(1), [Point(5.0, {})])
        assert found.report.devices.to_values() == second.devices.to_values()
        assert await uow.peer_reports.of(rival.id, [peer.peer_id]) == []
