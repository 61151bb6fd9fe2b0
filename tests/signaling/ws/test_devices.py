"""What clients tell of their machines and devices: it is kept for the report, if it can be true."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.domain.attendance import Attendance
from signaling.domain.peer_report import PeerReport
from signaling.services.live.surroundings import SAMPLE_EVERY
from tests.support.live_world import ORGANIZATION, LiveWorld, Refused, WsClient, live_world

MICROPHONE = {"id": "a-1", "kind": "audioinput", "label": "Ménage à trois 🎤"}
CAMERA = {"id": "v-1", "kind": "videoinput", "label": "Camera"}


async def tell(client: WsClient, *devices: dict[str, Any], used: tuple[str, ...] = ()) -> None:
    await client.request("report_devices", devices=list(devices), used=list(used))


async def attendance(world: LiveWorld, peer_id: str) -> Attendance:
    async with world.store(reading=True) as uow:
        found = await uow.history.attendance(ORGANIZATION, peer_id)
    assert found is not None
    return found


async def stored(world: LiveWorld, peer_id: str) -> PeerReport | None:
    async with world.store(reading=True) as uow:
        found = await uow.peer_reports.of(ORGANIZATION, [peer_id])
    return found[0].report if found else None


async def test_the_machine_is_kept_with_the_attendance_as_far_as_it_is_told() -> None:
    async with live_world() as world:
        told = [
            ({"cores": 8, "memory": 0.25}, (8, 0.25)),
            ({"cores": 2}, (2, None)),
            ({"cores": None, "memory": 32}, (None, 32.0)),
            ({}, (None, None)),
            (None, (None, None)),
        ]
        for hardware, kept in told:
            one = await attendance(world, (await world.join(hardware=hardware)).peer_id)
            assert (one.cores, one.memory) == kept
        silent = await attendance(world, (await world.join()).peer_id)
        assert (silent.cores, silent.memory) == (None, None)


@pytest.mark.parametrize(
    ("hardware", "field"),
    [
        ({"cores": 0}, "hardware.cores"),
        ({"cores": 4097}, "hardware.cores"),
        ({"cores": 1.5}, "hardware.cores"),
        ({"cores": 10**400}, "hardware.cores"),
        ({"cores": [8]}, "hardware.cores"),
        ({"memory": 0}, "hardware.memory"),
        ({"memory": -1}, "hardware.memory"),
        ({"memory": float("nan")}, "hardware.memory"),
        ({"memory": float("inf")}, "hardware.memory"),
        ({"memory": 65537}, "hardware.memory"),
        ({"serial_number": "x"}, "hardware.serial_number"),
        ("much", "hardware"),
    ],
)
async def test_a_machine_that_cannot_be_is_refused_by_the_field_and_another_join_is_taken(
    hardware: Any, field: str
) -> None:
    async with live_world() as world:
        token = world.tokens.issue(await world.participant("group_call_host"))
        client = await world.socket()
        with pytest.raises(Refused) as refused:
            await client.join(token, hardware=hardware)
        assert (refused.value.name, refused.value.field) == ("MalformedMessage", field)
        await client.join(token)


async def test_devices_are_in_the_report_from_then_on_and_written_when_the_peer_has_left() -> None:
    async with live_world() as world:
        host = await world.join()
        await tell(host, MICROPHONE, CAMERA, used=("a-1",))
        world.clock.advance(5)
        await tell(host, CAMERA, used=("v-1",))
        current = world.live.reports.current(host.peer_id)
        assert current is not None and len(current.devices.changes) == 3
        await host.request("leave")
        await world.live.reports.poll()
        report = await stored(world, host.peer_id)
        assert report is not None, "though nothing was sampled yet"
        first, camera, last = report.devices.changes
        assert [one.label for one in (*first.added, *camera.added, *last.removed)] == [
            *(MICROPHONE["label"], CAMERA["label"], MICROPHONE["label"])
        ]
        assert last.at - first.at == 5
        assert [one.device.id for one in report.devices.uses] == ["a-1", "v-1"]


async def test_the_next_process_goes_on_with_the_devices_that_were_written() -> None:
    async with live_world() as first:
        host = await first.join(hardware={"cores": 4})
        await tell(host, MICROPHONE)
        await first.live.reports.save()
        await first.die()
        async with live_world(after=first) as second:
            again = await second.resume(host, snapshot=True)
            await tell(again, MICROPHONE)
            await tell(again, MICROPHONE, CAMERA)
            report = second.live.reports.current(host.peer_id)
            assert report is not None
            assert [[one.id for one in change.added] for change in report.devices.changes] == [
                ["a-1"],
                ["v-1"],
            ]
            await again.request("leave")
            assert (await attendance(second, host.peer_id)).cores == 4


async def test_what_is_measured_is_of_the_same_report() -> None:
    async with live_world() as world:
        host = await world.join()
        await tell(host, CAMERA)
        await host.publish("camera", "video")
        world.clock.advance(SAMPLE_EVERY)
        await world.live.reports.poll()
        report = world.live.reports.current(host.peer_id)
        assert report is not None
        ((_, (reading, *_)),) = [(track, list(report.series.of(track))) for track in report.series.tracks]
        assert reading[1].seconds == SAMPLE_EVERY, "since it joined"
        assert len(report.devices.changes) == 1


@pytest.mark.parametrize(
    ("fields", "name", "field"),
    [
        ({}, "MalformedMessage", "devices"),
        ({"devices": [CAMERA] * 65}, "MalformedMessage", "devices"),
        ({"devices": [CAMERA | {"label": "x" * 129}]}, "MalformedMessage", "devices.0.label"),
        ({"devices": [CAMERA | {"label": ""}]}, "MalformedMessage", "devices.0.label"),
        ({"devices": [CAMERA | {"label": "a\x00b"}]}, "MalformedMessage", "devices.0.label"),
        ({"devices": [CAMERA | {"label": "a\nb"}]}, "MalformedMessage", "devices.0.label"),
        ({"devices": [CAMERA | {"label": "a\n"}]}, "MalformedMessage", "devices.0.label"),
        ({"devices": [CAMERA | {"label": "a\x9fb"}]}, "MalformedMessage", "devices.0.label"),
        ({"devices": [CAMERA | {"label": 7}]}, "MalformedMessage", "devices.0.label"),
        ({"devices": [CAMERA | {"id": "x" * 65}]}, "MalformedMessage", "devices.0.id"),
        ({"devices": [CAMERA, CAMERA | {"kind": "keyboard"}]}, "MalformedMessage", "devices.1.kind"),
        ({"devices": [CAMERA | {"group_id": "g"}]}, "MalformedMessage", "devices.0.group_id"),
        ({"devices": [CAMERA], "used": ["v-1"] * 4}, "MalformedMessage", "used"),
        ({"devices": [CAMERA, MICROPHONE | {"id": "v-1"}]}, "InvalidInput", "devices"),
        ({"devices": [CAMERA], "used": ["v-2"]}, "InvalidInput", "used"),
        ({"devices": [CAMERA, CAMERA | {"id": "v-2"}], "used": ["v-1", "v-2"]}, "InvalidInput", "used"),
    ],
)
async def test_devices_that_cannot_be_are_refused_by_the_field_and_nothing_of_them_is_kept(
    fields: dict[str, Any], name: str, field: str
) -> None:
    async with live_world() as world:
        host = await world.join()
        with pytest.raises(Refused) as refused:
            await host.request("report_devices", **fields)
        assert (refused.value.name, refused.value.field) == (name, field)
        assert world.live.reports.current(host.peer_id) is None
        await tell(host, CAMERA, used=("v-1",))
        assert world.live.reports.current(host.peer_id) is not None


async def test_who_is_not_in_has_no_report_to_tell_for() -> None:
    async with live_world() as world:
        client = await world.socket()
        with pytest.raises(Refused) as refused:
            await tell(client, CAMERA)
        assert refused.value.name == "NotJoined"
