"""Client tokens: whoever has one may come into one room, without having been made a participant before.

They come in pairs. With the join token one joins; with the refresh token alone one gets another join token.
Both name a subject; whoever joins with one is, from then on, the participant of that id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MIN_TOKEN_TTL: Final = 10
MAX_TOKEN_TTL: Final = 3600
DEFAULT_TOKEN_TTL: Final = 600
MIN_REFRESH_TTL: Final = 60
MAX_REFRESH_TTL: Final = 86_400
DEFAULT_REFRESH_TTL: Final = 3600
"""Seconds."""
REVOKED_FOR: Final = timedelta(seconds=MAX_REFRESH_TTL + MAX_TOKEN_TTL + 600)
"""After which every token of a subject that was revoked is over; the rest is for clocks that differ."""


class Action(StrEnum):
    """What a token is good for: the one action of its grant."""

    JOIN = "join"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class ClientGrant:
    """What a verified client token says. `preset_name` is that of the participant who is made of it."""

    action: Action
    organization_id: str
    meeting_id: str
    subject: str
    preset_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IssuedToken:
    token: str
    expires_at: datetime


def resource_of(meeting_id: str) -> str:
    """How a grant names a room."""
    return f"telnyx:video:rooms:{meeting_id}"
