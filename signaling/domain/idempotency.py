"""What is remembered of a request that made something, so that the same one makes nothing a second time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

KEPT_FOR: Final = timedelta(hours=24)
MAX_KEPT: Final = 100_000
"""Of one organization; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """`key` is the caller's; `request` is a digest of what was asked, `answer` the JSON that answered it."""

    organization_id: str
    key: str
    request: str
    answer: str
    created_at: datetime

    def holds(self, now: datetime) -> bool:
        return now - self.created_at < KEPT_FOR
