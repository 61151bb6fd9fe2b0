"""Joins and leaves in a loop, shortly: the server holds no more afterwards than before.

The long form is `make soak`. It counts rounds, not seconds, so that a slow machine sees as many joins as
a fast one: 85 after the warm-up. They left 10 KB each (the last of what caches and arenas grow by), and 62 KB
where every transport was kept on purpose; after a warm-up of 8 rounds instead of 20, still 35 KB.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.soak import SERVER_FLAGS, soak_rounds
from tests.support.server import running_server

WARM_UP = 20
ROUNDS = 20
MAX_BYTES_PER_JOIN = 30_000
SPARE_DESCRIPTORS = 4


@pytest.mark.slow
async def test_nothing_stays_of_people_who_came_and_went(tmp_path: Path) -> None:
    async with running_server(tmp_path, workers=2, arguments=SERVER_FLAGS) as server:
        soaked = await soak_rounds(server, warm_up=WARM_UP, rounds=ROUNDS)
    before, after = soaked.before, soaked.after
    assert not soaked.failures
    assert soaked.joins >= 4 * ROUNDS
    assert soaked.bytes_per_join < MAX_BYTES_PER_JOIN, f"{soaked.joins} joins: {before} {after}"
    assert after.descriptors <= before.descriptors + SPARE_DESCRIPTORS, f"{before} {after}"
    assert after.tasks <= before.tasks, f"{before} {after}"
