"""What of the devices that a client tells of is kept."""

from __future__ import annotations

import json

import pytest

from signaling.domain.media_devices import MAX_TOLD, DeviceKind, MediaDevice, MediaDevices
from signaling.domain.peer_report import PeerReport

BUILT_IN = MediaDevice("a-1", "audioinput", "Built-in")
HEADSET = MediaDevice("a-2", "audioinput", "Headset")
CAMERA = MediaDevice("v-1", "videoinput", "Camera")


def told(devices: MediaDevices) -> list[tuple[float, DeviceKind, list[str], list[str]]]:
    return [
        (one.at, one.kind, [each.id for each in one.added], [each.id for each in one.removed])
        for one in devices.changes
    ]


def test_what_differs_from_the_time_before_is_kept() -> None:
    devices = MediaDevices()
    assert devices.handle_told([BUILT_IN, CAMERA], [BUILT_IN], 1.0)
    assert not devices.handle_told([CAMERA, BUILT_IN], [BUILT_IN], 2.0), "the same"
    assert devices.handle_told([HEADSET, CAMERA], [HEADSET, CAMERA], 3.0)
    assert told(devices) == [
        (1.0, "audioinput", ["a-1"], []),
        (1.0, "videoinput", ["v-1"], []),
        (3.0, "audioinput", ["a-2"], ["a-1"]),
    ]
    assert [(one.at, one.device) for one in devices.uses] == [(1.0, BUILT_IN), (3.0, HEADSET), (3.0, CAMERA)]


def test_what_is_off_for_a_while_is_not_used_anew() -> None:
    devices = MediaDevices()
    devices.handle_told([CAMERA], [CAMERA], 1.0)
    assert not devices.handle_told([CAMERA], [], 2.0)
    assert not devices.handle_told([CAMERA], [CAMERA], 3.0)
    assert len(devices.uses) == 1


def test_a_device_of_another_name_is_another_one() -> None:
    devices = MediaDevices()
    devices.handle_told([CAMERA], [], 1.0)
    devices.handle_told([MediaDevice("v-1", "videoinput", "The same camera")], [], 2.0)
    assert told(devices)[1:] == [(2.0, "videoinput", ["v-1"], ["v-1"])]


def test_whoever_plugs_without_end_fills_nothing() -> None:
    devices = MediaDevices()
    for number in range(10 * MAX_TOLD):
        one = MediaDevice(f"a-{number}", "audioinput", "Another one")
        devices.handle_told([one], [one], float(number))
    assert MAX_TOLD - 3 < len(devices) <= MAX_TOLD
    last = devices.changes[-1].added
    assert not devices.handle_told(last, last, 1e9), "it goes on from what is kept"


def test_a_report_is_read_with_its_devices_and_without_as_older_versions_wrote_it() -> None:
    report = PeerReport()
    assert b"devices" not in report.pack()
    assert len(PeerReport.unpack(report.pack()).devices) == 0
    report.devices.handle_told([BUILT_IN, CAMERA], [CAMERA], 1.5)
    report.devices.handle_told([CAMERA], [CAMERA], 2.5)
    assert not report.empty
    again = PeerReport.unpack(report.pack()).devices
    assert again.to_values() == report.devices.to_values()
    assert not again.handle_told([CAMERA], [CAMERA], 3.5), "it goes on from there"


@pytest.mark.parametrize(
    "devices",
    [
        7,
        {},
        {"changes": [[1.0, "audioinput", [["a-1"]], []]], "uses": []},
        {"changes": [], "uses": [[1.0, "audioinput"]]},
    ],
)
def test_devices_that_we_did_not_write_make_no_report(devices: object) -> None:
    line, newline, numbers = PeerReport().pack().partition(b"\n")
    header = json.dumps(json.loads(line) | {"devices": devices}).encode()
    with pytest.raises(ValueError, match="report"):
        PeerReport.unpack(header + newline + numbers)
