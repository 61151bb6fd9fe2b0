"""Organizations and keys as rows, for every repository that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table

from signaling.domain.organization import ApiKey, Organization
from signaling.domain.plan import PlanName
from signaling.domain.region import Region


def read_organization(values: Mapping[str, Any] | RowMapping) -> Organization:
    region = values["preferred_region"]
    return Organization(
        **{name: value for name, value in values.items() if name != "emptied_at"}
        | {
            "preferred_region": Region(region) if region else None,
            "plan": PlanName(values["plan"]),
            "feature_flags": tuple(values["feature_flags"]),
        }
    )


def read_key(values: Mapping[str, Any] | RowMapping) -> ApiKey:
    scopes = values["scopes"]
    return ApiKey(**{**values} | {"scopes": None if scopes is None else frozenset(scopes)})


def labelled(table: Table, prefix: str) -> list[ColumnElement[Any]]:
    """The columns of one of several tables in a query, for `unlabelled` to find again."""
    return [column.label(prefix + column.name) for column in table.c]


def unlabelled(values: Mapping[str, Any] | RowMapping, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
