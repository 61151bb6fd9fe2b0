"""What a client tells of its devices, as the report about its peer keeps it."""

from __future__ import annotations

from signaling.domain.media_devices import MediaDevice
from signaling.errors import InvalidInputError
from signaling.protocol import messages


def told_by(request: messages.ReportDevices) -> tuple[list[MediaDevice], list[MediaDevice]]:
    """All that there are, and those of them that are used. Raises `InvalidInputError`."""
    present = {one.id: MediaDevice(one.id, one.kind, one.label) for one in request.devices}
    if len(present) < len(request.devices):
        raise InvalidInputError("Two devices have the same id. Give each one of its own.", field="devices")
    used: dict[str, MediaDevice] = {}
    for device_id in request.used:
        device = present.get(device_id)
        if device is None:
            raise InvalidInputError("What is used is not among the devices. Name it there.", field="used")
        if device.kind in used:
            raise InvalidInputError("Two of one kind are used. Name one of each kind.", field="used")
        used[device.kind] = device
    return list(present.values()), list(used.values())
