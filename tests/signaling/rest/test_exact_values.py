"""Numbers and booleans of bodies are what JSON calls so, in every field that `/openapi.json` has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.signaling.rest.test_operations import path_of
from tests.signaling.rest.world import World

WRONG: Final[dict[str, tuple[Any, ...]]] = {
    "integer": (True, False, "7", "7.0", 7.5, [7]),
    "number": (True, False, "7", [7]),
    "boolean": (0, 1, "true", "yes", 1.5, [True]),
}
PATTERNS: Final = {"https": "https://hooks.example/a", "rtmp": "rtmp://live.example/a"}


@dataclass(frozen=True)
class Field:
    """`path`: keys of objects, and 0 for what is in a list. `body`: with a place for it, and nothing else."""

    path: tuple[str | int, ...]
    schema: dict[str, Any]

    @property
    def name(self) -> str:
        """As errors have it: what is said of configuration has its keys."""
        return ".".join(str(one) for one in self.path).removeprefix("configuration.")


class Bodies:
    def __init__(self, document: Any) -> None:
        self._components = document["components"]["schemas"]

    def fields(self, schema: Any, path: tuple[str | int, ...] = ()) -> Iterator[Field]:
        """Every number and boolean in it."""
        schema = self._found(schema)
        if schema.get("type") in WRONG:
            yield Field(path, schema)
        for name, inner in schema.get("properties", {}).items():
            yield from self.fields(inner, (*path, name))
        for inner in schema.get("anyOf", ()):
            yield from self.fields(inner, path)
        if "items" in schema:
            yield from self.fields(schema["items"], (*path, 0))
        if isinstance(schema.get("additionalProperties"), dict) and "title" not in schema:
            yield from self.fields(schema["additionalProperties"], (*path, "some"))

    def body(self, schema: Any, path: tuple[str | int, ...], value: Any) -> Any:
        """What the schema needs, with the value in its place."""
        schema = self._found(schema)
        if not path:
            return value
        first, *rest = path
        if isinstance(first, int):
            inner = self._holding(schema, "items")["items"]
            return [self.body(inner, tuple(rest), value)]
        holder = self._holding(schema, "properties", first)
        # Of what a PATCH has a part of, all is needed where there is nothing yet.
        whole = self._components.get(holder.get("title", "").removeprefix("Partial"), holder)
        needed = {name: self._any(holder["properties"][name]) for name in whole.get("required", ())}
        return needed | {first: self.body(holder["properties"][first], tuple(rest), value)}

    def _holding(self, schema: Any, keyword: str, name: str | None = None) -> Any:
        options = [self._found(one) for one in (schema, *schema.get("anyOf", ()))]
        return next(one for one in options if keyword in one and (name is None or name in one[keyword]))

    def _any(self, schema: Any) -> Any:
        """Something that is right."""
        schema = self._found(schema)
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "object":
                return {name: self._any(schema["properties"][name]) for name in schema.get("required", ())}
            case "integer":
                return schema.get("minimum", 1)
            case "array":
                return [self._any(schema["items"])]
        pattern = schema.get("pattern", "")
        return next((one for start, one in PATTERNS.items() if start[:4] in pattern), "any@example.org")

    def _found(self, schema: Any) -> Any:
        while "$ref" in schema:
            schema = self._components[schema["$ref"].rpartition("/")[2]]
        return schema


async def test_numbers_and_booleans_are_nothing_else_in_any_body(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    bodies, tried = Bodies(document), 0
    for operation in world.operations:
        told = document["paths"].get(operation.path, {}).get(operation.method.lower(), {})
        content = told.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None or operation.path.startswith("/accounts/"):
            continue
        fields = list(bodies.fields(content["schema"]))
        path = await path_of(world, operation) if fields else ""
        for field in fields:
            for wrong in WRONG[field.schema["type"]]:
                body = bodies.body(content["schema"], field.path, wrong)
                answer = await world.call(operation.method, path, body)
                where = f"{operation.name} {field.name}: {wrong!r}"
                assert answer.status == 422, (where, answer.body)
                assert field.name in str(answer.body), (where, answer.body)
                tried += 1
    assert tried > 400


async def test_a_number_without_a_fraction_is_an_integer_however_it_is_written(world: World) -> None:
    """JSON has one kind of numbers, and not every client can say which it means."""
    for text in ("50", "50.0", "5e1", "5.0E+1"):
        body, headers = f'{{"max_participants": {text}}}', {"Content-Type": "application/json"}
        made = await world.call("POST", "/v2/meetings", data=body, headers=headers)
        assert made.data["max_participants"] == 50, text
    for text in ("50.5", "1e300", "-0.5", "true", '"50"'):
        body = f'{{"max_participants": {text}}}'
        made = await world.call("POST", "/v2/meetings", data=body, headers=headers)
        assert (made.status, made.error["field"]) == (422, "max_participants"), text


async def test_a_number_is_no_time(world: World) -> None:
    made = await world.call("POST", "/v2/api-keys", {"name": "CI", "expires_at": 4102444800})
    assert (made.status, made.error["field"]) == (422, "expires_at")
