"""Joins and leaves in a loop, shortly: the server holds no more afterwards than before.

The long form is `make soak`. It counts rounds, not seconds, so that a slow machine sees as many joins as
a fast one: 85 after the warm-up. They left 10 KB each (the last of what caches and arenas grow by), and 62 KB
where every transport was kept on purpose; after a warm-up of 8 rounds instead of 20, still 35 KB. How soon
memory is as large as it gets differs (once 32 KB were left), so more rounds have to show that growth goes on:
what stays of every join, stays of theirs too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.soak import SERVER_FLAGS, Soaked, soak_rounds
from tests.support.server import running_server

WARM_UP = 20
ROUNDS = 20
MAX_BYTES_PER_JOIN = 30_000
SPARE_DESCRIPTORS = 4
LOOKS = 3


@pytest.mark.slow
async def test_nothing_stays_of_people_who_came_and_went(tmp_path: Path) -> None:
    looks: list[Soaked] = []
    async with running_server(tmp_path, workers=2, arguments=SERVER_FLAGS) as server:
        while len(looks) < LOOKS and not (looks and is_flat(looks[-1])):
            warm_up = 0 if looks else WARM_UP
            looks.append(await soak_rounds(server, warm_up=warm_up, rounds=ROUNDS))
    for soaked in looks:
        assert not soaked.failures
        assert soaked.joins >= 4 * ROUNDS
    told = [
        f"{one.joins} joins, {one.bytes_per_join:.0f} bytes each: {one.before} {one.after}" for one in looks
    ]
    assert is_flat(looks[-1]), "\n".join(told)


def is_flat(soaked: Soaked) -> bool:
    before, after = soaked.before, soaked.after
    return (
        soaked.bytes_per_join < MAX_BYTES_PER_JOIN
        and after.descriptors <= before.descriptors + SPARE_DESCRIPTORS
        and after.tasks <= before.tasks
    )
