from __future__ import annotations

import itertools
import re
import time
from uuid import UUID

import pytest

from signaling import ids
from signaling.ids import new_id, new_uuid

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def test_ids_carry_their_kind_and_never_repeat() -> None:
    made = [new_id("peer") for _ in range(1000)]
    assert all(re.fullmatch(r"peer_[0-9a-hjkmnp-tv-z]{26}", one) for one in made)
    assert len(set(made)) == 1000


def test_ids_sort_by_age_also_those_of_one_millisecond_and_where_the_clock_is_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.time_ns()
    times = [*[now] * 1000, now + 1_000_000, now - 3_600_000_000_000, now + 2_000_000]
    monkeypatch.setattr(ids.time, "time_ns", lambda: times.pop(0))
    made = [new_id("tp") for _ in list(times)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_the_next_of_one_millisecond_is_not_guessed_from_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.time_ns()
    monkeypatch.setattr(ids.time, "time_ns", lambda: now)
    made = [new_id("tp").removeprefix("tp_") for _ in range(100)]
    numbers = [
        sum(ALPHABET.index(one) << 5 * place for place, one in enumerate(reversed(each))) for each in made
    ]
    steps = [later - earlier for earlier, later in itertools.pairwise(numbers)]
    assert len(set(steps)) == len(steps)
    assert sorted(steps)[len(steps) // 2] > 2**64


def test_what_rest_shows_are_uuids() -> None:
    assert UUID(new_uuid()).version == 4
