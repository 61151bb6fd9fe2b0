"""Who asks over REST, and what they may do there.

A credential (an API key, a user's access token) speaks for one organization and has scopes, one for reading
and one for writing of each noun. What a caller may not see is not there for them (404); what they may see and
not do is forbidden (403), with the scope that is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from signaling.domain.errors import MissingScopeError


class Scope(StrEnum):
    """`<noun>:read` looks, `<noun>:write` makes, changes and removes, and has `read` with it."""

    ORGANIZATIONS_READ = "organizations:read"
    ORGANIZATIONS_WRITE = "organizations:write"
    UNITS_READ = "units:read"
    UNITS_WRITE = "units:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    MEETINGS_READ = "meetings:read"
    MEETINGS_WRITE = "meetings:write"
    PARTICIPANTS_READ = "participants:read"
    PARTICIPANTS_WRITE = "participants:write"
    """To add, change and remove them, and to make their tokens."""
    PRESETS_READ = "presets:read"
    PRESETS_WRITE = "presets:write"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    """To kick, mute and end what runs."""
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    ANALYTICS_READ = "analytics:read"

    @property
    def writes(self) -> bool:
        return self.endswith(":write")


EVERYTHING: Final = frozenset(Scope)
_WITH_IT: Final = {one: Scope(one.removesuffix("write") + "read") for one in Scope if one.writes}


@dataclass(frozen=True, slots=True)
class Caller:
    """`organization_id` is that of the app where the request is about one (an app is a tenant of its own);
    `credential_id` names the key or the user for limits and logs."""

    organization_id: str
    credential_id: str
    scopes: frozenset[Scope] = EVERYTHING
    unit_id: str | None = None
    """Only what belongs to this unit and to those below it; None: to the whole organization."""
    platform: bool = False
    """May act on every organization."""
    expires_at: datetime | None = None
    """Until when the key holds that was sent."""

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or any(_WITH_IT[one] is scope for one in self.scopes if one.writes)

    def require(self, scope: Scope) -> None:
        """Raises `MissingScopeError`."""
        if not self.may(scope):
            raise MissingScopeError.of(scope)
