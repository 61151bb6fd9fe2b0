from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.clock import SystemClock
from signaling.testing import MemoryStore
from tests.signaling.conftest import opened
from tests.signaling.rest.world import World, rest_world


@pytest.fixture
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite in memory, but for modules that are marked with `ON_BOTH`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        async with rest_world(tmp_path, MemoryStore()) as made:
            yield made
        return
    async for database in opened(request, tmp_path):
        async with rest_world(tmp_path, database) as made:
            yield made


@pytest.fixture
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """For limits of how often: however slow the machine is, none of it comes back meanwhile."""
    now = SystemClock().monotonic()
    monkeypatch.setattr(SystemClock, "monotonic", lambda _clock: now)
