"""Sessions that were, for a world without live ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from signaling.domain.attendance import Attendance
from signaling.domain.candidate_pair import CandidatePair
from signaling.domain.media_devices import MediaDevice
from signaling.domain.peer_quality import Reading, Track
from signaling.domain.peer_report import PeerReport, StoredReport
from signaling.domain.quality_series import Point
from signaling.domain.session_status import SessionEndReason, SessionRecord, SessionStatus
from signaling.ids import new_id, new_uuid
from tests.signaling import values
from tests.signaling.rest.world import World
from tests.signaling.values import at


async def a_session(world: World, session_id: str | None = None) -> tuple[str, str]:
    """The ids of one that runs (this one, or a new one) and of a peer that is in it."""
    if session_id is None:
        session = await begun(world, (await world.meeting(title="Weekly"))["id"])
    else:
        async with world.database(reading=True) as uow:
            found = await uow.history.session(world.organization_id, session_id)
        assert found is not None
        session = found
    return session.id, (await attended(world, session)).peer_id


async def begun(world: World, meeting_id: str, seconds: float = 0, **fields: Any) -> SessionRecord:
    session = SessionRecord(
        id=new_uuid(),
        meeting_id=meeting_id,
        organization_id=world.organization_id,
        status=SessionStatus.LIVE,
        created_at=at(seconds),
        updated_at=at(seconds),
        started_at=at(seconds),
        meeting_title="Weekly",
    )
    session = replace(session, **fields)
    async with world.database() as uow:
        await uow.sessions.add(session)
        await uow.commit()
    return session


async def attended(
    world: World, session: SessionRecord, seconds: float = 0, until: float | None = None, **fields: Any
) -> Attendance:
    """Since that many seconds after noon, until that many, or still."""
    one = replace(values.attendance(session, new_id("peer"), "pt-ada", seconds), **fields)
    async with world.database() as uow:
        await uow.sessions.add_attendance(one)
        if until is not None:
            await uow.sessions.save_attendance(one.left("left", at(until)))
        await uow.commit()
    return one


async def over(world: World, session: SessionRecord, seconds: float) -> None:
    ended = replace(
        session,
        status=SessionStatus.FINISHED,
        ended_at=at(seconds),
        updated_at=at(seconds),
        end_reason=SessionEndReason.HOST_ENDED_MEETING,
    )
    async with world.database() as uow:
        await uow.sessions.save(ended)
        await uow.commit()


async def measured(world: World, peer: Attendance) -> None:
    """A microphone that it sent, and video that it received: well for ten seconds, then badly."""
    good = Reading(10.0, 1.0, 400.0, 400_000.0, 0.0, 0.001, 0.25, 25.0, 0.0, 10.0, 10.0)
    bad = replace(good, packets=300.0, octets=300_000.0, lost=100.0, score=2.5, worst=1.0, frozen=2.0)
    voice = replace(good, frame_rate=None, rtt=None)
    report = PeerReport()
    report.series.add(
        Point(at(10).timestamp(), {Track("received", "video"): good, Track("sent", "audio"): voice})
    )
    report.series.add(Point(at(20).timestamp(), {Track("received", "video"): bad}))
    headset = MediaDevice("audioinput-1", "audioinput", "Headset")
    devices = [headset, MediaDevice("videoinput-1", "videoinput", "Camera")]
    report.devices.handle_told(devices, devices, at(2).timestamp())
    report.devices.handle_told(devices[1:], devices[1:], at(9).timestamp())
    since, until = at(0).timestamp(), at(20).timestamp()
    report.pairs.add(
        CandidatePair(
            heading="received",
            protocol="udp",
            local_address="192.0.2.1",
            local_port=40000,
            remote_address="198.51.100.7",
            remote_port=50000,
            remote_type="relay",
            since=since,
            until=until,
            rtt=0.25,
            estimate=2e6,
            packets=700,
            octets=700_000,
        )
    )
    async with world.database() as uow:
        await uow.peer_reports.save(world.organization_id, [StoredReport(peer.peer_id, at(20), report)])
        await uow.commit()
