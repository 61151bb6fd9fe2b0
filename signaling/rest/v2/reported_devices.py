"""How the report about a peer shows what its client told of its devices."""

from __future__ import annotations

from datetime import UTC, datetime

from signaling.domain.media_devices import DeviceKind, MediaDevice
from signaling.domain.peer_report import PeerReport
from signaling.rest.envelope import Timestamp
from signaling.rest.parsing import Answer


class ReportedDevice(Answer):
    device_id: str
    """It tells the device from others of the same report. Another report has another one for it."""
    kind: DeviceKind
    label: str
    """As the browser calls it."""

    @classmethod
    def of(cls, one: MediaDevice) -> ReportedDevice:
        return cls(device_id=one.id, kind=one.kind, label=one.label)


class DevicesUpdate(Answer):
    """The first has all that there were when the client was first allowed to know what they are called."""

    added: tuple[ReportedDevice, ...]
    removed: tuple[ReportedDevice, ...]
    timestamp: Timestamp


class SelectedDeviceUpdate(Answer):
    """It is used from then on, instead of another of its kind."""

    device: ReportedDevice
    timestamp: Timestamp


def devices_updates_of(report: PeerReport, kind: DeviceKind) -> tuple[DevicesUpdate, ...]:
    return tuple(
        DevicesUpdate(
            added=tuple(map(ReportedDevice.of, one.added)),
            removed=tuple(map(ReportedDevice.of, one.removed)),
            timestamp=datetime.fromtimestamp(one.at, UTC),
        )
        for one in report.devices.changes
        if one.kind == kind
    )


def selected_device_updates_of(report: PeerReport) -> tuple[SelectedDeviceUpdate, ...]:
    return tuple(
        SelectedDeviceUpdate(
            device=ReportedDevice.of(one.device), timestamp=datetime.fromtimestamp(one.at, UTC)
        )
        for one in report.devices.uses
    )
