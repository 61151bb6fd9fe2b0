"""What of an attendance no column has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from signaling.domain.attendance import Attendance, PeerEvent, PeerEventKind
from signaling.store.attendances import attendance_values, read_attendance
from signaling.store.tables import attendances
from tests.signaling import values

BEFORE = values.attendance(values.session(values.meeting(values.organization())))


@pytest.mark.parametrize(
    ("stored", "events"),
    [
        (None, ()),
        (
            [["detached", "2026-03-01T12:00:05+00:00"], ["resumed", "2026-03-01T12:00:07+00:00"]],
            (PeerEventKind.DETACHED, PeerEventKind.RESUMED),
        ),
    ],
)
def test_what_was_written_before_there_was_anything_to_say_of_sockets_is_read(
    stored: Any, events: tuple[PeerEventKind, ...]
) -> None:
    one = read_attendance(attendance_values(BEFORE) | {"events": stored})
    assert tuple(event.kind for event in one.events) == events
    assert (one.socket_id, one.last_socket_id, one.opened_at, one.created_at) == (
        *(None, None, None),
        one.joined_at,
    )


@pytest.mark.parametrize(
    "one",
    [
        BEFORE,
        replace(BEFORE, events=(PeerEvent(PeerEventKind.DETACHED, values.at(5)),)),
        replace(BEFORE, socket_id="sock_1", opened_at=values.at(0)),
        replace(BEFORE, cores=8, memory=0.5),
        replace(BEFORE, opened_at=values.at(0), memory=32.0),
    ],
)
def test_what_is_written_has_a_column_and_is_read_as_it_was(one: Attendance) -> None:
    row = attendance_values(one)
    assert set(row) == set(attendances.c.keys())
    assert read_attendance(row) == one
