from __future__ import annotations

import pytest

from signaling.services.ports import UnitOfWorkFactory
from signaling.store.database import Database


@pytest.fixture
def units(either: Database) -> UnitOfWorkFactory:
    """The store, on both databases."""
    return either
