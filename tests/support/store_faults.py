"""Stores that cannot be written to, or of which nobody knows whether they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from signaling.errors import OutcomeUnknownError
from signaling.store.unit_of_work import SqlUnitOfWork


class StoreIsAway(Exception):  # noqa: N818 - a state of the world
    pass


@contextmanager
def store_away() -> Iterator[None]:
    """Nothing is committed meanwhile."""

    async def commit(_uow: SqlUnitOfWork) -> None:
        raise StoreIsAway

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlUnitOfWork, "commit", commit)
        yield


@contextmanager
def breaks_after_commit() -> Iterator[None]:
    """What is committed meanwhile is not confirmed."""
    original = SqlUnitOfWork.commit

    async def commit(uow: SqlUnitOfWork) -> None:
        await original(uow)
        raise OutcomeUnknownError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlUnitOfWork, "commit", commit)
        yield
