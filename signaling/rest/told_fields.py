"""What the docstrings below the fields of a model say, for the descriptions that are made of models.

They are read from the source when a description is made: pydantic would read them whenever a process starts.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel

from signaling.rest.described_as import DescribedAs


def told_of(model: type[BaseModel]) -> dict[str, str]:
    """By the name that a field has outside; the model's own word before that of those it comes from."""
    told: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            told |= _docstrings(one)
    fields = model.model_fields
    return {fields[name].alias or name: text for name, text in told.items() if name in fields}


def models_within(models: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    """These, and what their fields have in them, each once."""
    found: dict[type[BaseModel], None] = {}

    def look(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if annotation not in found:
                found[annotation] = None
                for field in annotation.model_fields.values():
                    look(field.annotation)
                    for about in field.metadata:
                        look(about)
            return
        if isinstance(annotation, DescribedAs):
            look(annotation.model)
            return
        for inner in get_args(annotation):
            look(inner)

    for model in models:
        look(model)
    return list(found)


def _docstrings(model: type[BaseModel]) -> Mapping[str, str]:
    return _in_module(model.__module__).get(model.__qualname__, {})


@cache
def _in_module(name: str) -> Mapping[str, Mapping[str, str]]:
    """By class: read once for all classes of a module, since that is what takes the time."""
    try:
        source = inspect.getsource(sys.modules[name])
    except OSError:  # installed without sources
        return {}
    classes = (one for one in ast.parse(source).body if isinstance(one, ast.ClassDef))
    return {one.name: dict(_below(one.body)) for one in classes}


def _below(statements: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(statements):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                yield name, " ".join(inspect.cleandoc(said).split())
