from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.services.ports import UnitOfWorkFactory
from signaling.store.database import Database, sqlite_url
from signaling.testing import FakeStore
from tests.signaling.conftest import opened


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """On SQLite."""
    opened = await Database.open(sqlite_url(tmp_path / "rostrum.db"))
    yield opened
    await opened.close()


@pytest.fixture(params=["sqlite", "postgresql", "fake"])
async def units(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UnitOfWorkFactory]:
    """Every test with this runs against the real store, on both databases, and against its fake."""
    if request.param == "fake":
        yield FakeStore()
        return
    async for database in opened(request, tmp_path):
        yield database
