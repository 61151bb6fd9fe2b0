"""JSON that is read or made as a model elsewhere: `Annotated[dict[str, JsonValue], DescribedAs(Model)]`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class DescribedAs:
    """In answers too the model is described as it is taken: it says how it is dumped by itself."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(_without_serializer(self.model.__pydantic_core_schema__))


def _without_serializer(schema: Any) -> Any:
    """The model's own, which stands below its definitions."""
    if schema["type"] == "definitions":
        return {**schema, "schema": _without_serializer(schema["schema"])}
    return {keyword: value for keyword, value in schema.items() if keyword != "serialization"}
