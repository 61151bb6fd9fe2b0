"""What every table is made of: its metadata, and the columns that many of them have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Column, DateTime, Dialect, ForeignKey, Integer, MetaData, String, TypeDecorator

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in, an aware UTC time out, whether the database knows time zones or not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "naive times have no place in the store"
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def identifier(name: str = "id", **options: Any) -> Column[str]:
    return Column(name, String(64), nullable=False, **options)


def reference(name: str, target: str, **options: Any) -> Column[str]:
    return Column(name, String(64), ForeignKey(target, ondelete="CASCADE"), nullable=False, **options)


def optional_reference(name: str, target: str) -> Column[str | None]:
    return Column(name, String(64), ForeignKey(target, ondelete="CASCADE"))


def times() -> tuple[Column[datetime], Column[datetime]]:
    return (
        Column("created_at", UtcDateTime, nullable=False),
        Column("updated_at", UtcDateTime, nullable=False),
    )


def version() -> Column[int]:
    return Column("version", Integer, nullable=False, server_default="1")
