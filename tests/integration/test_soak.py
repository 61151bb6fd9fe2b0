"""Joins and leaves in a loop, shortly: the server holds no more afterwards than before.

The long form is `make soak`. A second of it is one or two joins on a busy machine, so the bound is one that
noise does not reach and a leaked transport per join does: with its DTLS connection, it is 100 KB.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.soak import SERVER_FLAGS, soak
from tests.support.server import running_server

WARM_UP = 10.0
SECONDS = 20.0
MAX_BYTES_PER_JOIN = 50_000
SPARE_BYTES = 3_000_000
"""What arenas and caches may grow by, however few the joins."""
SPARE_DESCRIPTORS = 4


@pytest.mark.slow
async def test_nothing_stays_of_people_who_came_and_went(tmp_path: Path) -> None:
    async with running_server(tmp_path, workers=2, arguments=SERVER_FLAGS) as server:
        soaked = await soak(server, seconds=SECONDS, warm_up=WARM_UP)
    before, after = soaked.before, soaked.after
    assert soaked.joins > 0
    assert not soaked.failures
    growth = after.memory - before.memory
    assert growth < SPARE_BYTES + MAX_BYTES_PER_JOIN * soaked.joins, f"{soaked.joins} joins: {before} {after}"
    assert after.descriptors <= before.descriptors + SPARE_DESCRIPTORS, f"{before} {after}"
    assert after.tasks <= before.tasks, f"{before} {after}"
