"""What the repositories say their statements on, and what a unit of work is one transaction of.

Source            a database: `signaling.store.sqlite` or `signaling.store.postgres`
  begin() ──▶ Transaction ──▶ commit(), or nothing ──▶ close()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, ScalarResult
from sqlalchemy.engine import Dialect

from signaling.store.prepared import Prepared

T = TypeVar("T")


class Statements(Protocol):
    """As SQLAlchemy's `AsyncConnection` takes them, and those that are prepared."""

    @property
    def dialect(self) -> Dialect: ...

    async def rows(self, statement: Prepared, values: Mapping[str, Any]) -> list[list[Any]]:
        """The values of each row by position. Raises what `execute` raises."""
        ...

    async def execute(
        self, statement: Executable, parameters: Any = None
    ) -> CursorResult[*tuple[Any, ...]]: ...

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any: ...

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]: ...


class Transaction(Statements, Protocol):
    @property
    def invalidated(self) -> bool:
        """Whether the connection is gone: nobody knows then what became of a commit."""
        ...

    async def commit(self) -> None: ...

    async def close(self) -> None:
        """What was not committed is undone. May raise what a commit raises: that what this saw of others is
        undone as well."""
        ...


class Source(Protocol):
    @property
    def dialect(self) -> Dialect: ...

    async def begin(self, *, reading: bool = False, apart: bool = False, alone: bool = False) -> Transaction:
        """One that is only `reading` keeps nobody waiting. `apart`, for reading: each statement is by itself,
        none begins a transaction, and a later one may see a later state. `alone`: it is committed with
        nobody else's changes."""
        ...

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Work on the schema, in one transaction, after everybody else's."""
        ...

    async def close(self) -> None: ...
