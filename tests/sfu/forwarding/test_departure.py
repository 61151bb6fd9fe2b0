"""When things leave that are sent in one turn."""

from __future__ import annotations

from sfu.forwarding.departure import Departure


def test_what_is_sent_late_in_a_turn_leaves_late_and_the_next_turn_begins_anew() -> None:
    clock = [64_000.0]
    departure = Departure(lambda: clock[0])
    assert departure.at(10.0) == 10.0
    clock[0] += 0.25
    assert departure.at(10.0) == 10.25
    clock[0] += 0.5
    assert departure.at(10.75) == 10.75
    clock[0] += 0.125
    assert departure.at(10.75) == 10.875
