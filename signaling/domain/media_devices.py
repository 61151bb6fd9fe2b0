"""What a client told of its microphones, cameras and speakers: which came and went, and which it used.

It tells of all that there are, again and again; what differs from the time before is kept. The first time all
have come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

DeviceKind = Literal["audioinput", "videoinput", "audiooutput"]
KINDS: Final[tuple[DeviceKind, ...]] = get_args(DeviceKind)
MAX_TOLD: Final = 200
"""Of one peer, counting a device each time that it came, went or was used. A time that would lead beyond it
is not kept, nor is anything after it but what has room: who plugs so much is known by then."""


@dataclass(frozen=True, slots=True)
class MediaDevice:
    """The id tells it from others of the same client, and means nothing elsewhere."""

    id: str
    kind: DeviceKind
    label: str


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """All of one kind. `at` is in seconds since 1970."""

    at: float
    kind: DeviceKind
    added: tuple[MediaDevice, ...]
    removed: tuple[MediaDevice, ...]


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """It is used from then on, instead of another of its kind."""

    at: float
    device: MediaDevice


class MediaDevices:
    """Of one peer, in the order of time."""

    def __init__(self, changes: Iterable[DeviceChange] = (), uses: Iterable[DeviceUse] = ()) -> None:
        self._changes = list(changes)
        self._uses = list(uses)
        self._present: set[MediaDevice] = set()
        for change in self._changes:
            self._present = self._present.difference(change.removed).union(change.added)

    @property
    def changes(self) -> Sequence[DeviceChange]:
        return self._changes

    @property
    def uses(self) -> Sequence[DeviceUse]:
        return self._uses

    def __len__(self) -> int:
        """As `MAX_TOLD` counts."""
        return sum(len(one.added) + len(one.removed) for one in self._changes) + len(self._uses)

    def handle_told(self, present: Sequence[MediaDevice], used: Sequence[MediaDevice], now: float) -> bool:
        """Whether there is anything new in it that is kept. Of a kind of which none is used, the one that was
        used last stays."""
        changes = [one for kind in KINDS if (one := self._change(kind, present, now)) is not None]
        last = {one.device.kind: one.device for one in self._uses}
        uses = [DeviceUse(now, device) for device in used if last.get(device.kind) != device]
        new = MediaDevices(changes, uses)
        if not len(new) or len(self) + len(new) > MAX_TOLD:
            return False
        self._changes += changes
        self._uses += uses
        self._present = set(present)
        return True

    def _change(self, kind: DeviceKind, present: Sequence[MediaDevice], now: float) -> DeviceChange | None:
        added = tuple(one for one in present if one.kind == kind and one not in self._present)
        gone = self._present.difference(present)
        removed = tuple(sorted((one for one in gone if one.kind == kind), key=lambda one: one.id))
        return DeviceChange(now, kind, added, removed) if added or removed else None

    def to_values(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "changes": [
                [one.at, one.kind, _without_kind(one.added), _without_kind(one.removed)]
                for one in self._changes
            ],
            "uses": [[one.at, one.device.kind, one.device.id, one.device.label] for one in self._uses],
        }

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> MediaDevices:
        """Raises `KeyError`, `TypeError` and `ValueError` for what `to_values` did not give."""
        return cls(
            [
                DeviceChange(at, kind, _of_kind(kind, added), _of_kind(kind, removed))
                for at, kind, added, removed in values["changes"]
            ],
            [
                DeviceUse(at, MediaDevice(device_id, kind, label))
                for at, kind, device_id, label in values["uses"]
            ],
        )


def _without_kind(devices: Iterable[MediaDevice]) -> list[list[str]]:
    return [[one.id, one.label] for one in devices]


def _of_kind(kind: DeviceKind, devices: Iterable[Sequence[str]]) -> tuple[MediaDevice, ...]:
    return tuple(MediaDevice(device_id, kind, label) for device_id, label in devices)
