"""Statements that are made once and asked often: their text, and how their values go in and come out, is
found out once for each kind of database, and what runs then is the driver alone.

SQLAlchemy remembers the text, too, but around it makes a cursor, a context, a result and rows anew for each
time: seven tenths of what a small unit of work costs on PostgreSQL, and more than half on SQLite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Printed:
    """A statement as the driver takes it."""

    text: str
    binds: Sequence[tuple[str, Processor | None]]
    """The values that it takes, in order."""
    constants: Mapping[str, Any]
    """Those of them that are part of the statement, as the driver takes them."""
    processors: Sequence[tuple[int, Processor]]
    """Of the columns that do not come as they are."""

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        return [
            self.constants[name]
            if name in self.constants
            else values[name]
            if process is None
            else process(values[name])
            for name, process in self.binds
        ]

    def read(self, rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
        found = [list(row) for row in rows]
        for row in found:
            for index, process in self.processors:
                row[index] = process(row[index])
        return found


class Prepared:
    """`bindparam`s are what it is given values for. It takes no lists ("expanding"), and gives no columns of
    type `Float`, which SQLAlchemy reads by what PostgreSQL says that they are."""

    def __init__(self, statement: Select[Any] | UpdateBase) -> None:
        self._statement = statement
        self._printed: dict[str, Printed] = {}
        """By the name of the dialect: each has one driver."""

    def on(self, dialect: Dialect) -> Printed:
        printed = self._printed.get(dialect.name)
        if printed is None:
            printed = self._printed[dialect.name] = _print(self._statement, dialect)
        return printed


def _print(statement: Select[Any] | UpdateBase, dialect: Dialect) -> Printed:
    compiled: Any = statement.compile(dialect=dialect)
    assert not compiled.post_compile_params, "the text of a prepared statement depends on no value"
    binds = [(name, _into(compiled.binds[name].type, dialect)) for name in compiled.positiontup or ()]
    constants = {
        name: compiled.binds[name].value if process is None else process(compiled.binds[name].value)
        for name, process in binds
        if not compiled.binds[name].required
    }
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    processors = ((index, _out_of(column.type, dialect)) for index, column in enumerate(columns))
    return Printed(
        str(compiled), binds, constants, [(index, one) for index, one in processors if one is not None]
    )


def _into(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
