"""Where everybody stands: what each task of the running loop waits for, for a test that waited in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import FrameType
from typing import Any


def standing() -> str:
    """One line a task: its name, and its frames down to what it awaits."""
    tasks = sorted(asyncio.all_tasks(), key=lambda task: task.get_name())
    return "\n".join(f"  {task.get_name()}: {' > '.join(_frames(task.get_coro()))}" for task in tasks)


def _frames(awaited: Any) -> Iterator[str]:
    while awaited is not None:
        frame: FrameType | None = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            return
        where = frame.f_code.co_filename.rpartition("/")[2]
        yield f"{frame.f_code.co_name} ({where}:{frame.f_lineno})"
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
