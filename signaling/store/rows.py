"""Between rows and the domain's values, for the repositories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import UpdateBase

from signaling.errors import ConflictError
from signaling.store.connection import Statements

T = TypeVar("T")


def values_of(record: Any) -> dict[str, Any]:
    """A dataclass as column values, models as JSON."""
    return {field.name: _column_value(getattr(record, field.name)) for field in fields(record)}


async def insert_unique(
    db: Statements, statement: UpdateBase, complaint: str, values: Mapping[str, Any] | None = None
) -> int:
    """Execute, and say how many rows came; a violated constraint becomes `ConflictError(complaint)`."""
    try:
        return (await db.execute(statement, values)).rowcount
    except IntegrityError:
        raise ConflictError(complaint) from None


def _column_value(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
