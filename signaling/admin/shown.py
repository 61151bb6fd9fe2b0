"""How answers look in a terminal. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_WIDEST: Final = 60
"""Characters of a column; what is longer is cut, and whole in `show` and with --json."""


def as_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """A head and a line for each, in columns as wide as they need be."""
    cells = [[column.upper() for column in columns]]
    cells += [[_cut(as_text(row.get(column))) for column in columns] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def as_fields(thing: Mapping[str, Any]) -> str:
    """A line for each field."""
    width = max((len(name) for name in thing), default=0)
    return "\n".join(f"{name.ljust(width)}  {as_text(value)}" for name, value in thing.items())


def as_text(value: Any) -> str:
    match value:
        case None:
            text = "-"
        case bool():
            text = "yes" if value else "no"
        case list() if all(isinstance(one, str | int | float) for one in value):
            text = ", ".join(map(str, value)) or "-"
        case dict() | list():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    return "".join(one if one.isprintable() else "?" for one in text)


def parsed(words: Iterable[str]) -> dict[str, Any]:
    """`name=text` and `name:=json` as fields. Raises `ValueError` with what is wrong."""
    fields: dict[str, Any] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name.strip(":"):
            raise ValueError(f"{word!r}: write name=text, or name:=json for numbers, true, null and lists")
        if not name.endswith(":"):
            fields[name] = value
            continue
        try:
            fields[name[:-1]] = json.loads(value)
        except ValueError:
            raise ValueError(f"{word!r}: what follows := is not JSON") from None
    return fields


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
