"""`/v2/sessions`, with sessions as the store has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from signaling.domain.attendance import PeerEvent, PeerEventKind
from signaling.domain.session_status import SessionStatus
from signaling.services.ports import LiveSessionView
from tests.signaling.rest.past import attended, begun, measured, over
from tests.signaling.rest.world import World
from tests.signaling.values import at


async def sessions(world: World, query: str) -> list[str]:
    answer = await world.call("GET", f"/v2/sessions{query}")
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.data["sessions"]]


async def people(world: World, session_id: str, query: str = "") -> list[dict[str, Any]]:
    answer = await world.call("GET", f"/v2/sessions/{session_id}/participants{query}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.data["participants"]
    return found


async def test_sessions_are_listed_filtered_and_sorted(world: World) -> None:
    weekly, daily = (await world.meeting())["id"], (await world.meeting())["id"]
    long = await begun(world, weekly)
    await attended(world, long, until=600, custom_participant_id="ada-1")
    await over(world, long, 600)
    short = await begun(world, weekly, 700)
    await attended(world, short, 700, 760, participant_id="pt-bob", custom_participant_id="bob-1")
    await over(world, short, 760)
    live = await begun(world, daily, 800, meeting_title="Daily")

    assert await sessions(world, "") == [live.id, short.id, long.id]
    assert await sessions(world, "?sort_order=ASC&per_page=1&page_no=2") == [short.id]
    assert await sessions(world, "?sort_by=minutesConsumed") == [long.id, short.id, live.id]
    assert await sessions(world, "?status=LIVE") == [live.id]
    assert await sessions(world, "?status=ENDED&participants=nobody,bob-1") == [short.id]
    assert await sessions(world, "?lifecycle_status=FINISHED") == [short.id, long.id]
    assert await sessions(world, "?lifecycle_status=FINISHED&status=LIVE") == []
    assert await sessions(world, "?lifecycle_status=LIVE&sort_by=minutesConsumed") == [live.id]
    assert await sessions(world, f"?associated_id={weekly}&end_time=2026-03-01T12:00:00.123456Z") == [long.id]
    assert await sessions(world, "?start_time=2026-03-01T12:01:00Z&search=eek") == [short.id]
    page = await world.call("GET", "/v2/sessions?per_page=2")
    assert page.body["paging"] == {"total_count": 3, "start_offset": 1, "end_offset": 2}
    for wrong in (
        "status=OVER",
        "lifecycle_status=ENDED",
        "sort_by=title",
        "sort_order=UP",
        "start_time=yesterday",
        "per_page=0",
    ):
        refused = await world.call("GET", f"/v2/sessions?{wrong}")
        assert (refused.status, refused.error["field"]) == (422, wrong.partition("=")[0])


async def test_a_session_that_ended_shows_what_it_consumed(world: World) -> None:
    session = await begun(world, (await world.meeting())["id"], max_concurrent_participants=2)
    await attended(world, session, 0, 90)
    await attended(world, session, 30, 60)
    await attended(world, session, 0, 90, counted=False)
    await over(world, session, 100)
    shown = (await world.call("GET", f"/v2/sessions/{session.id}")).data
    assert (shown["status"], shown["minutes_consumed"], shown["live_participants"]) == ("ENDED", 2.0, 0)
    assert shown["max_concurrent_participants"] == 2
    assert shown["meeting_display_name"] == "Weekly"
    assert shown["ended_at"] == "2026-03-01T12:01:40.123Z"
    assert shown["end_reason"] == "HOST_ENDED_MEETING"


async def test_an_archived_session_is_ended_and_shown_as_before(world: World) -> None:
    session = await begun(world, (await world.meeting())["id"])
    await attended(world, session, 0, 90)
    await over(world, session, 100)
    before = (await world.call("GET", f"/v2/sessions/{session.id}")).data
    assert (before["lifecycle_status"], before["archived_at"]) == ("FINISHED", None)
    async with world.database() as uow:
        assert await uow.sessions.archive([session.id], at(200)) == 1
        await uow.commit()
    after = (await world.call("GET", f"/v2/sessions/{session.id}")).data
    now = "2026-03-01T12:03:20.123Z"
    assert after == before | {"lifecycle_status": "ARCHIVED", "archived_at": now, "updated_at": now}
    assert await sessions(world, "?status=ENDED&lifecycle_status=ARCHIVED") == [session.id]


async def test_a_live_session_is_shown_by_who_runs_it_and_otherwise_by_the_store(world: World) -> None:
    meeting_id = (await world.meeting())["id"]
    session = await begun(world, meeting_id)
    await attended(world, session)
    await attended(world, session, counted=False)
    by_store = (await world.call("GET", f"/v2/sessions/{session.id}")).data
    assert (by_store["status"], by_store["live_participants"]) == ("LIVE", 1)
    assert by_store["minutes_consumed"] > 0
    world.live.views[meeting_id] = LiveSessionView(
        id=session.id,
        meeting_id=meeting_id,
        organization_id=world.organization_id,
        meeting_title="Weekly",
        live_participants=7,
        max_concurrent_participants=8,
        minutes_consumed=9.5,
        status=SessionStatus.LIVE,
        started_at=at(0),
        created_at=at(0),
        updated_at=at(0),
    )
    by_process = (await world.call("GET", f"/v2/sessions/{session.id}")).data
    figures = ("live_participants", "max_concurrent_participants", "minutes_consumed")
    assert [by_process[one] for one in figures] == [7, 8, 9.5]
    world.live.views[meeting_id] = replace(world.live.views[meeting_id], id="another")
    assert (await world.call("GET", f"/v2/sessions/{session.id}")).data["live_participants"] == 1


async def test_who_was_in_a_session_is_listed_each_time_or_once(world: World) -> None:
    session = await begun(world, (await world.meeting())["id"])
    first = await attended(world, session, 0, 60, name="Ada")
    again = await attended(world, session, 200, 230, name="Ada")
    bob = await attended(world, session, 100, 190, name="Bob", participant_id="pt-bob")

    assert [one["id"] for one in await people(world, session.id)] == [
        first.peer_id,
        bob.peer_id,
        again.peer_id,
    ]
    longest = await people(world, session.id, "?sort_by=duration&sort_order=DESC")
    assert [(one["id"], one["duration"]) for one in longest] == [
        (bob.peer_id, 1.5),
        (first.peer_id, 1.0),
        (again.peer_id, 0.5),
    ]
    assert [one["id"] for one in await people(world, session.id, "?search=bO")] == [bob.peer_id]
    once = await people(world, session.id, "?view=consolidated&sort_by=duration")
    assert sorted(one["user_id"] for one in once) == ["pt-ada", "pt-bob"]
    (ada,) = [one for one in once if one["user_id"] == "pt-ada"]
    assert (ada["id"], ada["duration"]) == (again.peer_id, 1.5)
    assert (ada["joined_at"], ada["left_at"]) == ("2026-03-01T12:00:00.123Z", "2026-03-01T12:03:50.123Z")
    page = await world.call(
        "GET", f"/v2/sessions/{session.id}/participants?view=consolidated&per_page=1&page_no=2"
    )
    assert page.body["paging"] == {"total_count": 2, "start_offset": 2, "end_offset": 2}


async def test_who_is_listed_once_left_as_the_last_of_their_peers_did(world: World) -> None:
    session = await begun(world, (await world.meeting())["id"])
    first = await attended(world, session, 0)
    await attended(world, session, 10, 60)
    async with world.database() as uow:
        await uow.sessions.save_attendance(first.left("kicked", at(90)))
        await uow.commit()
    (ada,) = await people(world, session.id, "?view=consolidated")
    assert (ada["leave_reason"], ada["left_at"], ada["duration"]) == (
        "kicked",
        "2026-03-01T12:01:30.123Z",
        2.333,
    )
    assert ada["updated_at"] == ada["left_at"]


async def test_one_is_found_by_peer_and_by_participant(world: World) -> None:
    session = await begun(world, (await world.meeting())["id"])
    await attended(world, session, 0, 60)
    latest = await attended(world, session, 70, 80)
    other = await begun(world, (await world.meeting())["id"])
    path = f"/v2/sessions/{session.id}/participants"
    assert (await world.call("GET", f"{path}/pt-ada")).data["participant"]["id"] == latest.peer_id
    found = (await world.call("GET", f"{path}/{latest.peer_id}?include_peer_events=true")).data["participant"]
    assert [one["event_name"] for one in found["peer_events"]] == [
        "PEER_CREATED",
        "PEER_JOINING",
        "PEER_LEAVING",
    ]
    assert found["peer_events"][-1]["minutes_consumed"] == 0.167
    assert {one["socket_session_id"] for one in found["peer_events"]} == {None}, "nothing is known of it"
    elsewhere = await world.call("GET", f"/v2/sessions/{other.id}/participants/{latest.peer_id}")
    assert elsewhere.status == 404


async def test_the_events_of_a_peer_say_when_its_socket_was_opened_and_over_which_it_spoke(
    world: World,
) -> None:
    session = await begun(world, (await world.meeting())["id"])
    resumed = PeerEvent(PeerEventKind.RESUMED, at(90), "sock_2")
    peer = await attended(world, session, 60, 120, socket_id="sock_1", opened_at=at(20), events=(resumed,))
    path = f"/v2/sessions/{session.id}/participants?include_peer_events=true"
    for asked in (path, f"{path}&view=consolidated"):
        (found,) = (await world.call("GET", asked)).data["participants"]
        assert found["created_at"] == "2026-03-01T12:00:20.123Z"
        assert [(one["created_at"], one["socket_session_id"]) for one in found["peer_events"]] == [
            ("2026-03-01T12:00:20.123Z", "sock_1"),
            ("2026-03-01T12:01:00.123Z", "sock_1"),
            ("2026-03-01T12:02:00.123Z", "sock_2"),
        ]
    report = (await world.call("GET", f"/v2/sessions/peer-report/{peer.peer_id}")).data["participant"]
    events = report["peer_report"]["metadata"]["events"]
    assert [(one["name"], one["metadata"]) for one in events] == [
        ("joined", {"socket_session_id": "sock_1"}),
        ("resumed", {"socket_session_id": "sock_2"}),
        ("left", {"reason": "left"}),
    ]


async def test_a_report_says_what_is_known_of_a_peer_and_only_the_part_that_is_asked_for(
    world: World,
) -> None:
    session = await begun(world, (await world.meeting())["id"])
    peer = await attended(
        world,
        session,
        0,
        60,
        device="mobile",
        sdk="rostrum-web/0.1.0",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
        address="198.51.100.7",
        context='{"seat": 4}',
        events=(PeerEvent(PeerEventKind.DETACHED, at(5)),),
    )
    path = f"/v2/sessions/peer-report/{peer.peer_id}"
    found = (await world.call("GET", path)).data["participant"]
    assert found["context"] == '{"seat": 4}'
    metadata = found["peer_report"]["metadata"]
    assert (metadata["sdk_name"], metadata["sdk_version"]) == ("rostrum-web", "0.1.0")
    assert metadata["ip_information"]["ipv4"] == "198.51.100.7"
    assert metadata["browser_metadata"]["user_agent"].endswith("Firefox/125.0")
    browser, device = metadata["browser_metadata"], metadata["device_info"]
    assert (browser["browser"], browser["engine"], device["os"]) == ("Firefox", "Gecko", "Linux")
    assert metadata["device_info"]["is_mobile"] is True
    assert [one["name"] for one in metadata["events"]] == ["joined", "detached", "left"]
    assert metadata["events"][-1]["metadata"] == {"reason": "left"}
    part = (await world.call("GET", f"{path}?filters=device_info")).data["participant"]["peer_stats"]
    assert set(part) == {"device_info", "precall_network_information"}
    assert (await world.call("GET", f"{path}?filters=everything")).status == 422


async def test_a_report_has_the_machine_and_the_devices_that_the_client_told_of(world: World) -> None:
    session = await begun(world, (await world.meeting())["id"])
    silent = await attended(world, session, 0, 60)
    path = f"/v2/sessions/peer-report/{silent.peer_id}"
    metadata = (await world.call("GET", path)).data["participant"]["peer_report"]["metadata"]
    assert (metadata["device_info"]["cpus"], metadata["device_info"]["memory"]) == (None, None)
    assert metadata["audio_devices_updates"] == metadata["selected_device_updates"] == []

    peer = await attended(world, session, 0, 60, cores=8, memory=0.5)
    await measured(world, peer)
    found = (await world.call("GET", f"/v2/sessions/peer-report/{peer.peer_id}")).data["participant"]
    metadata = found["peer_report"]["metadata"]
    for info in (metadata["device_info"], found["peer_stats"]["device_info"]):
        assert (info["cpus"], info["memory"]) == (8, 0.5)
    headset = {"device_id": "audioinput-1", "kind": "audioinput", "label": "Headset"}
    camera = {"device_id": "videoinput-1", "kind": "videoinput", "label": "Camera"}
    came, went = "2026-03-01T12:00:02.123Z", "2026-03-01T12:00:09.123Z"
    assert metadata["audio_devices_updates"] == [
        {"added": [headset], "removed": [], "timestamp": came},
        {"added": [], "removed": [headset], "timestamp": went},
    ]
    assert metadata["video_devices_updates"] == [{"added": [camera], "removed": [], "timestamp": came}]
    assert metadata["speaker_devices_updates"] == []
    assert metadata["selected_device_updates"] == [
        {"device": headset, "timestamp": came},
        {"device": camera, "timestamp": came},
    ]


async def test_a_report_has_the_course_of_the_quality_and_the_addresses(world: World) -> None:
    session = await begun(world, (await world.meeting())["id"])
    peer = await attended(world, session, 0, 60)
    path = f"/v2/sessions/peer-report/{peer.peer_id}"
    nothing = (await world.call("GET", path)).data["participant"]
    assert nothing["quality_stats"] == []
    assert nothing["peer_report"]["metadata"]["candidate_pairs"] is None
    assert nothing["peer_report"]["quality"]["audio_producer"] == []

    await measured(world, peer)
    found = (await world.call("GET", path)).data["participant"]
    quality = found["peer_report"]["quality"]
    assert quality["video_producer"] == quality["audio_consumer"] == []
    assert [one["timestamp"] for one in quality["video_consumer"]] == [
        "2026-03-01T12:00:10.123Z",
        "2026-03-01T12:00:20.123Z",
    ]
    good, bad = quality["video_consumer"]
    assert (good["mos_quality"], bad["mos_quality"], bad["worst_mos_quality"]) == (5.0, 2.0, 1.4)
    assert (bad["packets_received"], bad["packets_lost"], bad["bytes_received"]) == (300, 100, 300_000)
    assert (bad["bitrate"], bad["frames_per_second"], bad["rtt"]) == (240_000, 25.0, 0.25)
    assert "frames_per_second" not in quality["audio_producer"][0]
    whole = quality["video_consumer_cumulative"]
    assert whole["packet_loss"] == {
        "avg": 12.5,
        "5_or_greater_event_fraction": 0.5,
        "10_or_greater_event_fraction": 0.5,
        "25_or_greater_event_fraction": 0.5,
        "50_or_greater_event_fraction": 0.0,
    }
    assert whole["rtt"]["avg"] == 250.0
    assert whole["quality_mos"]["avg"] == 3.5
    assert whole["issues"] == {"no_video_fraction": 0.1}
    assert "issues" not in quality["audio_producer_cumulative"]

    (pair,) = found["peer_report"]["metadata"]["candidate_pairs"]["consuming_transport"]
    assert (pair["remote_candidate_address"], pair["remote_candidate_port"]) == ("198.51.100.7", 50000)
    assert (pair["remote_candidate_type"], pair["remote_candidate_protocol"]) == ("relay", "udp")
    assert (pair["packets_sent"], pair["available_outgoing_bitrate"]) == (700, 2_000_000)
    assert "packets_received" not in pair

    sent, received = found["quality_stats"]
    assert (sent["direction"], sent["video_bandwidth"], len(sent["audio_stats"])) == ("sent", None, 1)
    assert (received["direction"], received["video_packet_loss"]) == ("received", 12.5)
    one = (await world.call("GET", f"/v2/sessions/{session.id}/participants/{peer.peer_id}")).data[
        "participant"
    ]
    assert one["quality_stats"] == found["quality_stats"]
    other = (await world.call("GET", f"{path}?filters=device_info")).data["participant"]
    assert other["quality_stats"] == []
