"""Where results go: a section between two marks of a document, and a JSON file beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def write_section(path: Path, mark: str, section: str) -> None:
    """Put the section between `<!-- mark -->` and `<!-- /mark -->`. Raises `ValueError` where it has none."""
    opening, closing = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, begin, rest = path.read_text().partition(opening)
    _, end, after = rest.partition(closing)
    if not begin or not end:
        raise ValueError(f"{path} has no section between {opening} and {closing}")
    path.write_text(f"{before}{opening}\n{section}\n{closing}{after}")


def write_json(path: Path, machine: dict[str, object], results: dict[str, Any]) -> None:
    """Everything that was measured, with the machine and the time."""
    path.parent.mkdir(exist_ok=True)
    content = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        **results,
    }
    path.write_text(json.dumps(content, indent=2) + "\n")


def machine_line(machine: dict[str, object]) -> str:
    """The line above a table: date and machine."""
    return f"{datetime.now(UTC).date()}: {', '.join(f'{name} {value}' for name, value in machine.items())}."
