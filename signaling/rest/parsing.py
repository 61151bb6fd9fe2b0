"""From a request to a value that can be trusted: bodies and queries through pydantic, ids from the path."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from typing import Any, Final, Self, TypeVar, cast

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signaling.domain.preset import invalid_input
from signaling.errors import InvalidInputError

log = structlog.get_logger("signaling.rest.parsing")

M = TypeVar("M", bound=BaseModel)


class Body(BaseModel):
    """What every request body has in common: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def given(self) -> dict[str, Any]:
        """The fields that were sent, with their parsed values."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def shown(example: Any) -> ConfigDict:
    """A model's configuration with an example of it, for /openapi.json (`model_config = shown({...})`)."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class Answer(BaseModel):
    """What answers have in common."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def reading(cls, thing: object, **besides: Any) -> Self:
        """The fields from the attributes of the same names, but for those given `besides`."""
        values = {name: getattr(thing, name) for name in _shared(cls, thing) if name not in besides}
        return cast("Self", cls.model_construct(**values, **besides))


_of_dataclasses: Final[dict[tuple[type[BaseModel], type], tuple[str, ...]]] = {}


def _shared(answer: type[BaseModel], thing: object) -> tuple[str, ...]:
    """The fields of the answer that the thing has as attributes. All of a dataclass have the same."""
    key = answer, type(thing)
    names = _of_dataclasses.get(key)
    if names is None:
        names = tuple(name for name in answer.model_fields if hasattr(thing, name))
        if is_dataclass(thing):
            _of_dataclasses[key] = names
    return names


def _is_none(value: object) -> bool:
    return value is None


ABSENT_IF_NONE: Final = Field(exclude_if=_is_none)
"""`Annotated[X | None, ABSENT_IF_NONE] = None`: not in the answer where there is none."""


async def parse_body(request: web.Request, model: type[M]) -> M:
    """An empty body is an empty object. Raises `InvalidInputError` (400) for what is not a JSON object and
    `ValidationFailedError` (422) for a wrong field."""
    try:
        return model.model_validate(await parse_object(request))
    except ValidationError as error:
        raise invalid_input(error) from None


async def read_body(request: web.Request) -> bytes:
    """Raises `InvalidInputError` where the client went before all was there: nobody reads the answer."""
    try:
        return await request.read()
    except ConnectionResetError:
        log.info("client_gone", method=request.method, path=request.path)
        raise InvalidInputError("The request ended before its body did.") from None


async def parse_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object. Raises `InvalidInputError`."""
    raw = await read_body(request)
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidInputError("The body is not JSON. Send a JSON object in UTF-8.") from None
    if not isinstance(value, dict):
        raise InvalidInputError("The body must be a JSON object.")
    if b"\\u0000" in raw and "\\u0000" in json.dumps(value).replace("\\\\", ""):
        raise InvalidInputError("A text in the body has the character NUL in it, which text may not have.")
    return value


def parse_query(request: web.Request, model: type[M]) -> M:
    """Raises `ValidationFailedError`. Of a parameter sent twice the first counts."""
    values = {name: request.query[name] for name in request.query}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_input(error) from None
