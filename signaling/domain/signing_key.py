"""A key that signs tokens, as the store keeps it, and when it has had its day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

AFTERMATH: Final = timedelta(minutes=5)
"""For which a key verifies longer than its last token is good: clocks differ."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """`private_key` is sealed. `longest_token`: seconds for which any of its tokens is good at most."""

    id: str
    private_key: str
    public_key: str
    created_at: datetime
    active_from: datetime
    longest_token: int


def outlived(keys: Sequence[StoredKey], now: datetime) -> list[StoredKey]:
    """Those of which no token can be good any more."""
    in_order = sorted(keys, key=lambda one: one.active_from)
    return [
        one
        for one, following in pairwise(in_order)
        if following.active_from + timedelta(seconds=one.longest_token) + AFTERMATH <= now
    ]
