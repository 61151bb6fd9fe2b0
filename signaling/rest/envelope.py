"""How every answer looks.

    success   {"success": true, "data": ...}
    list      {"success": true, "data": [...],
               "paging": {"total_count": 41, "start_offset": 21, "end_offset": 40}}
    error     {"success": false, "error": {"code": 404, "name": "NotFound", "message": "..."}}

An error's `code` is the HTTP status, its `name` is stable; `field` is there where one field is to blame, and
`reason` where there are several.
Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from signaling.errors import (
    InvalidTokenError,
    SignalingError,
    UnauthorizedError,
)
from signaling.rest.paging import Page


def success(data: Any, *, status: int = 200) -> web.Response:
    return _json({"success": True, "data": data}, status)


def listing(items: Sequence[Any], page: Page, total: int) -> web.Response:
    """`start_offset` and `end_offset` count from 1; both are 0 for an empty page."""
    paging = {
        "total_count": total,
        "start_offset": page.offset + 1 if items else 0,
        "end_offset": page.offset + len(items) if items else 0,
    }
    return _json({"success": True, "data": items, "paging": paging}, 200)


def failure(error: SignalingError) -> web.Response:
    response = plain_failure(
        error.http_status, error.name, error.message, field=error.field, reason=error.reason
    )
    if isinstance(error, UnauthorizedError):
        response.headers["WWW-Authenticate"] = _challenge(error)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


def plain_failure(
    status: int, name: str, message: str, *, field: str | None = None, reason: str | None = None
) -> web.Response:
    body: dict[str, Any] = {"code": status, "name": name, "message": message}
    if field is not None:
        body["field"] = field
    if reason is not None:
        body["reason"] = reason
    return _json({"success": False, "error": body}, status)


def to_text(time: datetime) -> str:
    """`2026-01-31T09:30:00.125Z`"""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _challenge(error: UnauthorizedError) -> str:
    """RFC 7617; for tokens RFC 6750, at which no browser asks for a password."""
    if isinstance(error, InvalidTokenError):
        return 'Bearer realm="rostrum", error="invalid_token"'
    return 'Basic realm="rostrum", charset="UTF-8"'


def _json(body: Any, status: int) -> web.Response:
    return web.json_response(body, status=status, dumps=_dumps)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
