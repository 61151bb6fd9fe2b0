from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.services.ports import UnitOfWorkFactory
from signaling.testing import FakeStore
from tests.signaling.conftest import opened


@pytest.fixture(params=["sqlite", "postgresql", "fake"])
async def units(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UnitOfWorkFactory]:
    """Every test with this runs against the real store, on both databases, and against its fake."""
    if request.param == "fake":
        yield FakeStore()
        return
    async for database in opened(request, tmp_path):
        yield database
