"""The course of one peer's quality, in a bounded number of points however long it stays.

Each sample makes a point, until there are `MAX_POINTS`. Then pairs of points become one, and from then on so
do pairs of samples; and so on: points are of equally many samples, but for the last one, which fills up. With
a sample every 10 seconds:

    10 s a point up to 30 minutes, 20 s up to an hour, ... 640 s in a day: 135 points

Kept as numbers of 32 bits, one column of them for each track: a server has a series of everybody who is in.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from math import isnan, nan
from typing import Any, Final

from signaling.domain.peer_quality import Reading, Track, together

MAX_POINTS: Final = 180
"""Even, so that pairs come out."""
_WIDTH: Final = len(fields(Reading))
_ABSENT: Final = (nan,) * _WIDTH


@dataclass(frozen=True, slots=True)
class Point:
    """`at` is when it ended, in seconds since 1970. Of tracks without a reading nothing passed."""

    at: float
    readings: Mapping[Track, Reading]

    def followed_by(self, later: Point) -> Point:
        tracks = dict.fromkeys((*self.readings, *later.readings))
        both = {one: together(self.readings.get(one), later.readings.get(one)) for one in tracks}
        return Point(later.at, {track: one for track, one in both.items() if one is not None})


class QualitySeries:
    def __init__(self) -> None:
        self._at = array("d")
        self._columns: dict[Track, array[float]] = {}
        self._resolution = 1
        self._filled = 0
        """Samples in the last point."""

    def __len__(self) -> int:
        return len(self._at)

    @property
    def until(self) -> float | None:
        """When the last point ended."""
        return self._at[-1] if self._at else None

    @property
    def resolution(self) -> int:
        """Samples in a point."""
        return self._resolution

    @property
    def tracks(self) -> Sequence[Track]:
        return tuple(self._columns)

    def add(self, sample: Point) -> None:
        if len(self) and self._filled < self._resolution:
            sample = self._pop().followed_by(sample)
            self._filled += 1
        else:
            if len(self) == MAX_POINTS:
                self._halve()
            self._filled = 1
        self._append(sample)

    def points(self) -> Iterator[Point]:
        for index, at in enumerate(self._at):
            yield Point(at, dict(self._readings(index)))

    def of(self, track: Track) -> Iterator[tuple[float, Reading]]:
        """When each of its readings ended, and the reading."""
        column = self._columns.get(track)
        if column is not None:
            for index, at in enumerate(self._at):
                reading = _read(column, index)
                if reading is not None:
                    yield at, reading

    # --- kept -----------------------------------------------------------------------------------------

    def header(self) -> dict[str, object]:
        """What `from_bytes` needs to know, for JSON."""
        return {
            "points": len(self),
            "resolution": self._resolution,
            "filled": self._filled,
            "tracks": [list(track) for track in self._columns],
        }

    def to_bytes(self) -> bytes:
        """Little-endian: when the points ended as 64 bits each, then the columns in the header's order."""
        return b"".join(_little(column).tobytes() for column in (self._at, *self._columns.values()))

    @classmethod
    def from_bytes(cls, header: Mapping[str, object], data: bytes) -> QualitySeries:
        """Raises `ValueError` for what is no series."""
        points, resolution, filled = (_count(header, name) for name in ("points", "resolution", "filled"))
        tracks = header.get("tracks")
        if not isinstance(tracks, list) or points > MAX_POINTS or not 0 <= filled <= resolution:
            raise ValueError("this is no series")
        size, column = 8 * points, 4 * _WIDTH * points
        if len(data) != size + column * len(tracks):
            raise ValueError("a series is as long as its header says")
        series = cls()
        series._resolution, series._filled = max(1, resolution), filled
        series._at = _little(array("d", data[:size]))
        for number, track in enumerate(tracks):
            begin = size + number * column
            series._columns[Track(*track)] = _little(array("f", data[begin : begin + column]))
        return series

    # --- inside ---------------------------------------------------------------------------------------

    def _readings(self, index: int) -> Iterator[tuple[Track, Reading]]:
        for track, column in self._columns.items():
            reading = _read(column, index)
            if reading is not None:
                yield track, reading

    def _append(self, point: Point) -> None:
        for track in point.readings:
            if track not in self._columns:
                self._columns[track] = array("f", _ABSENT * len(self))
        self._at.append(point.at)
        for track, column in self._columns.items():
            column.extend(_row(point.readings.get(track)))

    def _pop(self) -> Point:
        last = len(self) - 1
        point = Point(self._at[last], dict(self._readings(last)))
        del self._at[last:]
        for column in self._columns.values():
            del column[last * _WIDTH :]
        return point

    def _halve(self) -> None:
        points = list(self.points())
        self._at, self._columns = array("d"), {}
        self._resolution *= 2
        for first, later in zip(points[::2], points[1::2], strict=True):
            self._append(first.followed_by(later))


def _row(reading: Reading | None) -> Sequence[float]:
    if reading is None:
        return _ABSENT
    return [nan if value is None else value for value in astuple(reading)]


def _read(column: array[float], index: int) -> Reading | None:
    row = column[index * _WIDTH : (index + 1) * _WIDTH]
    if isnan(row[0]):
        return None
    values: list[Any] = [None if isnan(value) else value for value in row]
    return Reading(*values)


def _little(column: array[float]) -> array[float]:
    if sys.byteorder == "little":
        return column
    swapped = array(column.typecode, column)
    swapped.byteswap()
    return swapped


def _count(header: Mapping[str, object], name: str) -> int:
    value = header.get(name)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"a series says its {name}")
    return value
