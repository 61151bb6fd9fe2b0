"""What the groups of operations in `/openapi.json` are about, and where to read on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

EVENTS: Final = "Events"
"""What webhooks are sent."""
_ABOUT: Final = {
    "Organizations": "Tenants and their apps: docs/tenancy.md.",
    "Meetings": "Durable places, what they are told and whom they take: docs/meetings.md.",
    "Participants": "Those whom an organization registers for a meeting, and their tokens: docs/tokens.md.",
    "Presets": "Named sets of permissions, limits and looks, which participants have.",
    "Configuration": "What organizations and units say of how sessions are run: docs/meetings.md.",
    "Active session": "What is done to those who are in a meeting now.",
    "Sessions": "What runs and what ran, who was in it, and how it was: docs/sessions.md.",
    "Webhooks": "Where events are sent, and the log of it: docs/webhooks.md.",
    EVENTS: "What webhooks are sent: docs/webhooks.md.",
    "Usage": "What an organization used, day by day: docs/usage.md.",
    "Units": "Teams and departments, as a tree: docs/tenancy.md.",
    "API keys": "Credentials of machines: docs/tenancy.md.",
    "Users": "Accounts of people, and what they are in an organization: docs/tenancy.md.",
    "Logins": "How people come to an access token: docs/tenancy.md.",
    "Joining": "What a participant's page asks before it joins.",
    "Guests": "Joining without being registered, by the short id of a meeting: docs/meetings.md.",
    "Members": "Joining by a login, by the short id of a meeting: docs/meetings.md.",
    "WHIP and WHEP": "Publishing and watching with one request of HTTP: docs/whip.md.",
    "Server": "How the server is, and its public keys: docs/operations.md.",
    "Rooms": "Meetings in the manner of Telnyx: docs/rooms.md.",
    "Room sessions": "Their sessions, and what is done to who is in them: docs/rooms.md.",
    "Room participants": "Who was in their sessions: docs/rooms.md.",
    "Room tokens": "What clients join rooms with: docs/rooms.md.",
}


def described_tags(used: Iterable[str]) -> list[dict[str, Any]]:
    """Each once, in order. One with a colon is about what stands after that, by other paths."""
    return [{"name": tag, "description": _text(tag)} for tag in dict.fromkeys(used)]


def _text(tag: str) -> str:
    of, colon, plain = tag.rpartition(": ")
    return f"By the paths of {of}: {_ABOUT[plain]}" if colon else _ABOUT[plain]
