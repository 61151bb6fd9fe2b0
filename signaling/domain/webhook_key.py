"""The pairs of keys that sign webhooks, as the store keeps them, and when each has had its day. Pure.

    next ──▶ current ──▶ previous ──▶ gone
         from then on     since the    a day after
         (`active_from`)  next signs

Receivers keep copies of the public keys. So a pair is published a day before it signs, and is published for a
day longer than it does, for those who verify late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

ANNOUNCED_BEFORE: Final = timedelta(days=1)
KEPT_AFTER: Final = timedelta(days=1)
FIRST: Final = "first"
"""The id of the pair that there was before pairs had ids."""

KeyStatus = Literal["next", "current", "previous"]


@dataclass(frozen=True, slots=True)
class StoredWebhookKeys:
    """`ed25519` and `rsa` are private keys, sealed."""

    id: str
    ed25519: str
    rsa: str
    created_at: datetime
    active_from: datetime


def current_of(active_from: Sequence[datetime], now: datetime) -> int:
    """The place, among pairs in this order, of the one that signs: the latest that is active, the first where
    none is."""
    return max((place for place, since in enumerate(active_from) if since <= now), default=0)


def status_of(place: int, current: int) -> KeyStatus:
    if place == current:
        return "current"
    return "next" if place > current else "previous"


def outlived(pairs: Sequence[StoredWebhookKeys], now: datetime) -> list[StoredWebhookKeys]:
    """Those that need not be published any more."""
    in_order = sorted(pairs, key=lambda one: one.active_from)
    return [one for one, following in pairwise(in_order) if following.active_from + KEPT_AFTER <= now]
