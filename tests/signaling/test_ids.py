from __future__ import annotations

import re
from uuid import UUID

from signaling.ids import new_id, new_uuid


def test_ids_carry_their_kind_and_never_repeat() -> None:
    made = [new_id("peer") for _ in range(1000)]
    assert all(re.fullmatch(r"peer_[0-9a-hjkmnp-tv-z]{26}", one) for one in made)
    assert len(set(made)) == 1000


def test_ids_of_different_milliseconds_sort_by_age() -> None:
    made = [new_id("pub")]
    while made[-1][:14] == made[0][:14]:
        made.append(new_id("pub"))
    assert made[-1] > made[0]


def test_what_rest_shows_are_uuids() -> None:
    assert UUID(new_uuid()).version == 4
