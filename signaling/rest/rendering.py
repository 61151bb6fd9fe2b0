"""The envelopes: how one domain looks to clients of each of the APIs it is served as.

A rendering says how data, a page of a list and an error stand in an answer, for the answer itself and for its
description. Which one a request gets is told by its operation, and for paths that are none by their prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import pydantic_core
from aiohttp import web
from pydantic import BaseModel

from signaling.errors import InvalidTokenError, MisdirectedError, SignalingError, UnauthorizedError


class Rendering(Protocol):
    """Values are JSON; schemas are JSON Schema."""

    def failure(self, error: SignalingError, base_url: str) -> web.Response:
        """`base_url`: where clients reach this server, without a slash at its end."""
        ...

    def one_schema(self, schema: dict[str, Any]) -> dict[str, Any]: ...
    def page_schema(self, schema: dict[str, Any]) -> dict[str, Any]: ...
    def error_schema(self) -> dict[str, Any]: ...
    def components(self) -> dict[str, Any]:
        """The schemas that the others refer to, by name."""
        ...

    def one_example(self, example: Any) -> Any: ...
    def page_example(self, example: Any) -> Any: ...
    def error_example(self, error: SignalingError) -> Any: ...


def to_json(value: Any) -> Any:
    """A model, or a list of models, as what `json` takes."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(one) for one in value]
    return value


def json_response(body: Any, status: int = 200) -> web.Response:
    """Models in it are written as they are, by their aliases: no values are made of them in between."""
    return web.Response(
        body=pydantic_core.to_json(body), status=status, content_type="application/json", charset="utf-8"
    )


def with_headers(response: web.Response, error: SignalingError) -> web.Response:
    """What an error says in headers, in every rendering."""
    if isinstance(error, UnauthorizedError):
        response.headers["WWW-Authenticate"] = _challenge(error)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


class House:
    """`/v2`, in the manner of Dyte; the RealtimeKit prefix has it too."""

    def failure(self, error: SignalingError, base_url: str) -> web.Response:
        return with_headers(json_response(self.error_example(error), error.http_status), error)

    def one_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _object(success={"type": "boolean", "const": True}, data=schema)

    def page_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _object(
            success={"type": "boolean", "const": True},
            data={"type": "array", "items": schema},
            paging=component("Paging"),
        )

    def error_schema(self) -> dict[str, Any]:
        return component("Failure")

    def components(self) -> dict[str, Any]:
        paging = _object(
            total_count=_count("How many there are on all pages."),
            start_offset=_count("The place of the first of this page, from 1; 0 on an empty one."),
            end_offset=_count("The place of the last."),
        )
        error = _object(
            code={"type": "integer", "description": "The HTTP status."},
            name=_text("Stable; docs/errors.md has all of them."),
            message=_text("What is wrong and what to do, for a human."),
        )
        error["properties"] |= {
            "field": _text("What of the input is wrong, dotted; where one field is."),
            "reason": _text("Which of several reasons it is; stable, where there are several."),
            "url": _text("Of the server to ask, of `Misdirected`."),
        }
        failure = _object(success={"type": "boolean", "const": False}, error=component("FailureError"))
        made = {"Paging": paging, "Failure": failure, "FailureError": error}
        return {name: schema | {"title": name} for name, schema in made.items()}

    def one_example(self, example: Any) -> Any:
        return {"success": True, "data": example}

    def page_example(self, example: Any) -> Any:
        paging = {"total_count": 1, "start_offset": 1, "end_offset": 1}
        return {"success": True, "data": [example], "paging": paging}

    def error_example(self, error: SignalingError) -> Any:
        body: dict[str, Any] = {"code": error.http_status, "name": error.name, "message": error.message}
        if error.field is not None:
            body["field"] = error.field
        if error.reason is not None:
            body["reason"] = error.reason
        if isinstance(error, MisdirectedError):
            body["url"] = error.url
        return {"success": False, "error": body}


class Named(House):
    """Pages of `/v2` whose list is under a name: `{"data": {"sessions": [...]}, "paging": {...}}`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def page_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().page_schema(schema)
        page["properties"]["data"] = _object(**{self._name: page["properties"]["data"]})
        return page

    def page_example(self, example: Any) -> Any:
        page = super().page_example(example)
        return page | {"data": {self._name: page["data"]}}


class Bare(House):
    """Without an envelope around what succeeded."""

    def one_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema

    def page_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "items": schema}

    def one_example(self, example: Any) -> Any:
        return example

    def page_example(self, example: Any) -> Any:
        return [example]


HOUSE: Final = House()
BARE: Final = Bare()


def component(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _count(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": description}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _challenge(error: UnauthorizedError) -> str:
    """RFC 7617; for tokens RFC 6750, at which no browser asks for a password."""
    if isinstance(error, InvalidTokenError):
        return 'Bearer realm="rostrum", error="invalid_token"'
    return 'Basic realm="rostrum", charset="UTF-8"'
