from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from signaling.services.ports import UnitOfWorkFactory
from signaling.store.database import Database
from signaling.store.sqlite_writer import Writer


@pytest.fixture
def units(either: Database) -> UnitOfWorkFactory:
    """The store, on both databases."""
    return either


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was done in the thread, in order."""
    done: list[str] = []
    original = Writer.in_thread

    def count(writer: Writer, work: Callable[[], None]) -> asyncio.Future[None]:
        done.append(work.__name__)
        return original(writer, work)

    monkeypatch.setattr(Writer, "in_thread", count)
    return done
