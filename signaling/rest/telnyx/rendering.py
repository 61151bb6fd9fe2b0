"""The envelope of the rooms API.

    one      {"data": {...}}
    list     {"data": [...], "meta": {"page_number": 1, "page_size": 20, "total_pages": 3,
                                      "total_results": 41}}
    error    {"errors": [{"code": "10005", "title": "NotFound", "detail": "...",
                          "source": {"pointer": "/unique_name"},
                          "meta": {"url": "https://meet.example.org/reference/"}}]}

An error's `code` is the one that clients of that API know for its kind, its `title` our stable name. `source`
is there where one field is to blame: a pointer (RFC 6901) into the body, or the name of a query's parameter.
`meta.url` is where to read on: the reference on this server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from signaling.errors import SignalingError
from signaling.rest.rendering import component, json_response, with_headers
from signaling.rest.telnyx.paging import PARAMETERS, RoomPage

_BAD_REQUEST: Final = "10015"
_CODES: Final = {401: "10009", 403: "10010", 404: "10005", 429: "10011", 500: "10007", 503: "10007"}
"""By HTTP status; every other error is a bad request."""
DOCUMENTATION: Final = "/reference/"
_EXAMPLE: Final = "https://meet.example.org"


def code_of(http_status: int) -> str:
    return _CODES.get(http_status, _BAD_REQUEST)


class Telnyx:
    def failure(self, error: SignalingError, base_url: str) -> web.Response:
        return with_headers(json_response(_errors(error, base_url), error.http_status), error)

    def one_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _object(data=schema)

    def page_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _object(data={"type": "array", "items": schema}, meta=component("RoomPaging"))

    def error_schema(self) -> dict[str, Any]:
        return component("RoomFailure")

    def components(self) -> dict[str, Any]:
        count, text = {"type": "integer", "minimum": 0}, {"type": "string"}
        paging = _object(page_number=count, page_size=count, total_pages=count, total_results=count)
        error = _object(
            code=text | {"enum": sorted({_BAD_REQUEST, *_CODES.values()})},
            title=text | {"description": "Stable; docs/errors.md has all of them."},
            detail=text | {"description": "What is wrong and what to do, for a human."},
            meta=component("RoomErrorMeta"),
        )
        error["properties"]["source"] = component("RoomErrorSource")
        source = {
            "type": "object",
            "description": "Where one field is to blame: of the body, or of the query.",
            "properties": {
                "pointer": text | {"description": "Into the body: RFC 6901."},
                "parameter": text | {"description": "The name of one of the query."},
            },
        }
        made = {
            "RoomPaging": paging,
            "RoomFailure": _object(
                errors={"type": "array", "items": component("RoomError"), "minItems": 1, "maxItems": 1}
            ),
            "RoomError": error,
            "RoomErrorMeta": _object(url=text | {"description": "Where to read on."}),
            "RoomErrorSource": source,
        }
        return {name: schema | {"title": name} for name, schema in made.items()}

    def one_example(self, example: Any) -> Any:
        return {"data": example}

    def page_example(self, example: Any) -> Any:
        return {"data": [example], "meta": _meta(RoomPage(), 1)}

    def error_example(self, error: SignalingError) -> Any:
        return _errors(error, _EXAMPLE)


TELNYX: Final = Telnyx()


def one(data: Any, *, status: int = 200) -> web.Response:
    """`data`: a model."""
    return json_response({"data": data}, status)


def listed(items: Sequence[Any], page: RoomPage, total: int) -> web.Response:
    return json_response({"data": items, "meta": _meta(page, total)})


def _errors(error: SignalingError, base_url: str) -> dict[str, Any]:
    code = code_of(error.http_status)
    told: dict[str, Any] = {"code": code, "title": error.name, "detail": error.message}
    if error.field is not None:
        told["source"] = _source(error.field)
    return {"errors": [told | {"meta": {"url": base_url + DOCUMENTATION}}]}


def _meta(page: RoomPage, total: int) -> dict[str, int]:
    return {
        "page_number": page.page_number,
        "page_size": page.page_size,
        "total_pages": -(-total // page.page_size),
        "total_results": total,
    }


def _source(field: str) -> dict[str, str]:
    if field in PARAMETERS or field.startswith(("page[", "filter[")):
        return {"parameter": field}
    return {"pointer": "/" + field.replace("~", "~0").replace("/", "~1").replace(".", "/")}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
