"""From a request to a value that can be trusted: bodies and queries through pydantic, ids from the path."""

from __future__ import annotations

import json
import math
from dataclasses import is_dataclass
from typing import Any, Final, Self, TypeVar, cast

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signaling.domain.invalid_input import from_json, invalid_input
from signaling.errors import InvalidInputError, ValidationFailedError

log = structlog.get_logger("signaling.rest.parsing")

MAX_DEPTH: Final = 64
"""Of objects and lists in one another, in a body."""

_EXACT: Final = 2**53
"""Up to here a float is every integer."""

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
        return from_json(model, await parse_object(request))
    except ValidationError as error:
        raise invalid_input(error) from None


async def read_body(request: web.Request) -> bytes:
    """Raises `InvalidInputError` for a body that is not encoded as its headers say, and where the client went
    before all was there: nobody reads that answer."""
    try:
        return await request.read()
    except ConnectionResetError:
        log.info("client_gone", method=request.method, path=request.path)
        raise InvalidInputError("The request ended before its body did.") from None
    except web.RequestPayloadError:
        raise InvalidInputError(
            "The body is not encoded as Content-Encoding or Transfer-Encoding say."
        ) from None


async def parse_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object. JSON has numbers only: one without a fraction (3.0, 1e3) is an integer.
    Raises `InvalidInputError`."""
    raw = await read_body(request)
    if not raw.strip():
        return {}
    try:
        # Decoded here: `json` takes UTF-16 as well, and halves of surrogate pairs that UTF-8 has no form for.
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError):
        raise InvalidInputError("The body is not JSON. Send a JSON object in UTF-8.") from None
    if not isinstance(value, dict):
        raise InvalidInputError("The body must be a JSON object.")
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise InvalidInputError(f"The body has objects or lists more than {MAX_DEPTH} deep.")
    if b"\\u" in raw:
        _check_text(json.dumps(value, ensure_ascii=False))
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not in JSON")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("too large a number")
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def _depth(value: Any) -> int:
    """How deep objects and lists are in one another, layer by layer; what is no object and no list has 0."""
    depth, layer = 0, [value]
    while layer := [one for one in layer if isinstance(one, dict | list)]:
        depth += 1
        layer = [inner for one in layer for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _check_text(printed: str) -> None:
    """Of JSON printed with its characters as they are, but for NUL. Raises `InvalidInputError`."""
    if "\\u0000" in printed.replace("\\\\", ""):
        raise InvalidInputError("A text in the body has the character NUL in it, which text may not have.")
    try:
        printed.encode()
    except UnicodeEncodeError:
        raise InvalidInputError("A text in the body has half of a surrogate pair in it.") from None


def parse_query(request: web.Request, model: type[M]) -> M:
    """Raises `ValidationFailedError`. Of a parameter sent twice the first counts."""
    values = {name: request.query[name] for name in request.query}
    for name, text in values.items():
        if "\0" in text:
            raise ValidationFailedError(f"{name}: has the character NUL in it", field=name)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_input(error) from None
