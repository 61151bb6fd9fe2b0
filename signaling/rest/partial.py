"""Bodies that are laid over what there is, as `/openapi.json` has them.

What a PATCH leaves out stays as it is, at every depth. So nothing in its body is required and nothing has a
default: a client that was generated with one would send it, and change what nobody meant to change. Objects
within are described a second time for that, as `Partial...`; lists are taken whole, and stay what they are.
"""

from __future__ import annotations

from typing import Any, Final

_PREFIX: Final = "#/components/schemas/"


class Partials:
    """Adds to the components what it makes of them."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components
        self._made: dict[str, str] = {}

    def body(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Of a PATCH: the model is its alone, so it keeps its name."""
        name = schema["$ref"].removeprefix(_PREFIX)
        if name not in self._made:
            self._made[name] = name
            self._components[name] = self._loosened(self._components[name])
        return schema

    def _partial(self, schema: Any) -> Any:
        match schema:
            case {"$ref": str(reference)}:
                return {**schema, "$ref": _PREFIX + self._named(reference.removeprefix(_PREFIX))}
            case {"anyOf": list(options)}:
                return {**schema, "anyOf": [self._partial(one) for one in options]}
            case {"additionalProperties": dict(value)}:
                return {**schema, "additionalProperties": self._partial(value)}
        return schema

    def _named(self, name: str) -> str:
        found = self._components[name]
        if "properties" not in found:
            return name
        if name not in self._made:
            self._made[name] = f"Partial{name}"
            self._components[self._made[name]] = self._loosened(found) | {"title": f"Partial{name}"}
        return self._made[name]

    def _loosened(self, schema: dict[str, Any]) -> dict[str, Any]:
        kept = {keyword: value for keyword, value in schema.items() if keyword != "required"}
        properties = {
            name: {keyword: value for keyword, value in self._partial(one).items() if keyword != "default"}
            for name, one in schema.get("properties", {}).items()
        }
        return kept | {"properties": properties}
