"""`/openapi.json`: what there is, in OpenAPI 3.1, from the table of operations and the models they name.

Nothing in it is written by hand: a field, a limit or an error that the code has is in it, and what the code
does not have cannot be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from signaling.domain.caller import Scope
from signaling.errors import (
    ContendedError,
    ForbiddenError,
    InvalidInputError,
    InvalidTokenError,
    LimitExceededError,
    MissingScopeError,
    NotFoundError,
    OutcomeUnknownError,
    PreconditionFailedError,
    RateLimitedError,
    ServerUnreachableError,
    SignalingError,
    StoreUnavailableError,
    UnauthorizedError,
    ValidationFailedError,
)
from signaling.rest.described_webhooks import described_webhooks
from signaling.rest.field_texts import describe
from signaling.rest.operation import JSON, Access, Many, Operation
from signaling.rest.parameters import TEXTS, described
from signaling.rest.partial import Partials
from signaling.rest.tags import EVENTS, described_tags
from signaling.rest.told_fields import models_within, told_of

_Mode = Literal["validation", "serialization"]
_Schemas = Mapping[tuple[Any, _Mode], dict[str, Any]]
"""By model and by whether it is taken or given."""
_ACTIVE: Final = "/active-"
"""In the paths of what is asked of sessions that run."""
_TELLS_SESSIONS: Final = frozenset(
    {
        Scope.ORGANIZATIONS_WRITE,
        Scope.MEETINGS_WRITE,
        Scope.PARTICIPANTS_WRITE,
        Scope.PRESETS_WRITE,
        Scope.SESSIONS_WRITE,
    }
)
"""Another server may have the session that a change is about."""
_STATUS_TEXT: Final = {200: "Done", 201: "Made", 202: "Begun", 204: "Done; there is nothing to say"}
_SECURITY: Final[Mapping[str, Any]] = {
    "organization": {
        "type": "http",
        "scheme": "basic",
        "description": "The organization's (or app's) id as user name, an API key as password.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key alone, or the access token of a user.",
    },
    "participant": {"type": "http", "scheme": "bearer", "description": "The token of a participant."},
}


def openapi(operations: Iterable[Operation], *, version: str) -> dict[str, Any]:
    """The document, as JSON."""
    public = [one for one in operations if not one.hidden]
    schemas, components = _schemas(public)
    webhooks, told = described_webhooks()
    envelopes = {name: one for operation in public for name, one in operation.rendering.components().items()}
    describe(envelopes)
    names = [*components, *told, *envelopes]
    assert len(set(names)) == len(names), "two models of one name"
    partials = Partials(components)
    paths: dict[str, dict[str, Any]] = {}
    for operation in public:
        described = _described(operation, schemas, partials)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rostrum",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Meetings, the people in them and what they may do: see docs/rest.md.",
        },
        "paths": paths,
        "webhooks": webhooks,
        "tags": described_tags([*(one.tag for one in public), EVENTS]),
        "components": {"schemas": components | told | envelopes, "securitySchemes": dict(_SECURITY)},
    }


def errors_of(operation: Operation) -> list[type[SignalingError]]:
    """All that it may be refused with: what its entry names, and what follows from it."""
    errors: list[type[SignalingError]] = [*operation.errors]
    if operation.access is Access.PARTICIPANT:
        errors.append(InvalidTokenError)
    elif operation.access is not Access.ANYBODY:
        errors += [UnauthorizedError, InvalidTokenError, ForbiddenError]
    if isinstance(operation.access, Scope):
        errors.append(MissingScopeError)
    if operation.parameters:
        errors += [InvalidInputError, NotFoundError]
    if operation.body is not None:
        errors += [InvalidInputError, ValidationFailedError, LimitExceededError]
    if operation.query is not None:
        errors.append(ValidationFailedError)
    if operation.conditional:
        errors += [InvalidInputError, PreconditionFailedError]
    if operation.once:
        errors += [InvalidInputError, ValidationFailedError]
    if operation.access is not Access.ANYBODY:
        errors += [RateLimitedError, StoreUnavailableError]
        if operation.changes:
            errors += [ContendedError, OutcomeUnknownError]
    if operation.access in _TELLS_SESSIONS or _ACTIVE in operation.path:
        errors.append(ServerUnreachableError)
    return list(dict.fromkeys(errors))


# --- one operation -------------------------------------------------------------------------------------


def _described(operation: Operation, schemas: _Schemas, partials: Partials) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": _responses(operation, schemas),
        "security": _security(operation.access),
    }
    told = [operation.description] if operation.description else []
    if isinstance(operation.access, Scope):
        told.append(f"Needs the scope `{operation.access}`.")
    if told:
        described["description"] = "\n\n".join(told)
    if operation.body is not None:
        body = schemas[operation.body, "validation"]
        content: dict[str, Any] = {"schema": partials.body(body) if operation.method == "PATCH" else body}
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {operation.takes: content | _example(example_of(operation.body))},
        }
    elif operation.takes != JSON:
        described["requestBody"] = {
            "required": True,
            "content": {operation.takes: _text(operation.takes)},
        }
    return described


def _security(access: Scope | Access) -> list[dict[str, list[str]]]:
    match access:
        case Access.ANYBODY:
            return []
        case Access.PARTICIPANT:
            return [{"participant": []}]
        case _:
            return [{"organization": []}, {"key": []}]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    text = {"type": "string", "minLength": 1}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text} | _told(name)
        for name in operation.parameters
    ]
    if operation.query is not None:
        schema = operation.query.model_json_schema(by_alias=True)
        definitions, told = schema.get("$defs", {}), told_of(operation.query)
        for name, value in schema.get("properties", {}).items():
            parameters.append(
                {
                    "name": name,
                    "in": "query",
                    "required": name in schema.get("required", ()),
                    "schema": _sent_as_text(_inlined(value, definitions)),
                }
                | _told(name, told.get(name))
            )
    if operation.conditional:
        parameters.append(_header("If-Match", 'The `ETag` of what is to be changed: `"3"`, or `*`.'))
    if operation.once:
        parameters.append(
            _header("Idempotency-Key", "The same key makes nothing a second time within 24 hours.")
        )
    return parameters


def _told(name: str, description: str | None = None) -> dict[str, Any]:
    known, example = described(name)
    return {"description": description or known} | _example(example)


def _header(name: str, description: str) -> dict[str, Any]:
    pattern = r'^(\*|"[0-9]{1,9}")$' if name == "If-Match" else "^[!-~]{1,255}$"
    schema = {"type": "string", "pattern": pattern}
    example = '"3"' if name == "If-Match" else "5f0c1d52-7a3e-4a53-9a53-3c6e9cf0b2a1"
    told = {"description": description, "schema": schema, "example": example}
    return {"name": name, "in": "header", "required": False} | told


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, dict[str, Any]]:
    done: dict[str, Any] = {"description": _STATUS_TEXT.get(operation.status, "Done")}
    if operation.answer is not None:
        done["content"] = {operation.gives: _answered(operation, schemas[operation.answer, "serialization"])}
    elif operation.gives not in (JSON, ""):
        done["content"] = {operation.gives: _text(operation.gives)}
    if operation.tagged:
        done["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "For `If-Match`."}}
    responses = {str(operation.status): done}
    by_status: dict[int, list[type[SignalingError]]] = defaultdict(list)
    for error in errors_of(operation):
        by_status[error.http_status].append(error)
    for status, errors in sorted(by_status.items()):
        examples = {one.name: {"value": operation.rendering.error_example(_sample(one))} for one in errors}
        responses[str(status)] = {
            "description": " / ".join(dict.fromkeys(one.name for one in errors)),
            "content": {JSON: {"schema": operation.rendering.error_schema(), "examples": examples}},
        }
    return responses


def _sample(error: type[SignalingError]) -> SignalingError:
    """As an example: with the message that it has by itself."""
    required = signature(error).parameters
    return error(**({"reason": "..."} if "reason" in required else {}))


def _answered(operation: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    assert operation.answer is not None
    rendering, example = operation.rendering, example_of(operation.answer)
    if operation.many is Many.PAGE:
        page = None if example is None else rendering.page_example(example)
        return {"schema": rendering.page_schema(schema)} | _example(page)
    one = None if example is None else rendering.one_example(example)
    return {"schema": rendering.one_schema(schema)} | _example(one)


def _text(media_type: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}} | _example(TEXTS.get(media_type))


def _example(value: Any) -> dict[str, Any]:
    return {} if value is None else {"example": value}


# --- models --------------------------------------------------------------------------------------------


def example_of(model: type[BaseModel]) -> Any:
    """The first example in the model's configuration; None without one."""
    extra = model.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    return examples[0] if isinstance(examples, list) and examples else None


def _schemas(
    operations: Iterable[Operation],
) -> tuple[_Schemas, dict[str, Any]]:
    wanted: dict[tuple[Any, _Mode], None] = {}
    for operation in operations:
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
        if operation.answer is not None:
            wanted[operation.answer, "serialization"] = None
    schemas, definitions = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    components = definitions.get("$defs", {})
    for model in models_within(one for one, _ in wanted):
        told = told_of(model)
        for name in (model.__name__, f"{model.__name__}-Input", f"{model.__name__}-Output"):
            properties = components.get(name, {}).get("properties", {})
            for field, text in told.items():
                if field in properties:
                    properties[field].setdefault("description", text)
    describe(components)
    return schemas, components


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Parameters stand alone: what they refer to is put in its place."""
    match schema:
        case {"$ref": str(reference)}:
            return _inlined(definitions[reference.rpartition("/")[2]], definitions)
        case dict():
            return {name: _inlined(value, definitions) for name, value in schema.items()}
        case list():
            return [_inlined(value, definitions) for value in schema]
    return schema


def _sent_as_text(schema: Any) -> Any:
    """A query has no null: what may be None may be left out."""
    options = schema.get("anyOf") if isinstance(schema, dict) else None
    if options is None:
        return schema
    given = [one for one in options if one != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return given[0] | rest if len(given) == 1 else {"anyOf": given} | rest
