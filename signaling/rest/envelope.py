"""How every answer of `/v2` looks.

success   {"success": true, "data": ...}
list      {"success": true, "data": [...],
           "paging": {"total_count": 41, "start_offset": 21, "end_offset": 40}}
error     {"success": false, "error": {"code": 404, "name": "NotFound", "message": "..."}}

An error's `code` is the HTTP status and its `name` is stable; `field` is there where one field is to blame,
and `reason` where there are several. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import PlainSerializer, WithJsonSchema

from signaling.rest.paging import Page
from signaling.rest.rendering import json_response


def success(data: Any, *, status: int = 200) -> web.Response:
    """`data`: a model, a list of models, or JSON."""
    return json_response({"success": True, "data": data}, status)


def listing(items: Sequence[Any], page: Page, total: int, *, named: str | None = None) -> web.Response:
    """`start_offset` and `end_offset` count from 1; both are 0 for an empty page. `named`: the list is under
    this name in `data` (`signaling.rest.rendering.Named`)."""
    paging = {
        "total_count": total,
        "start_offset": page.offset + 1 if items else 0,
        "end_offset": page.offset + len(items) if items else 0,
    }
    data = items if named is None else {named: items}
    return json_response({"success": True, "data": data, "paging": paging})


def to_text(time: datetime) -> str:
    """`2026-01-31T09:30:00.125Z`"""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(to_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""Of answers."""
