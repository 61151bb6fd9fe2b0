from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.services.ports import UnitOfWorkFactory
from signaling.store.database import Database, sqlite_url
from signaling.testing import FakeStore


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(sqlite_url(tmp_path / "rostrum.db"))
    yield opened
    await opened.close()


@pytest.fixture(params=["sqlite", "fake"])
async def units(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UnitOfWorkFactory]:
    """Every test with this runs against the real store and against its fake."""
    if request.param == "fake":
        yield FakeStore()
        return
    opened = await Database.open(sqlite_url(tmp_path / "rostrum.db"))
    yield opened
    await opened.close()
