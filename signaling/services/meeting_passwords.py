"""Passwords of meetings, as people show them at the door."""

from __future__ import annotations

from typing import Final

from signaling.domain.join_policy import password_mark
from signaling.domain.meeting import Meeting
from signaling.errors import RateLimitedError
from signaling.services.ports import Clock
from signaling.services.ports.secrets import Passwords
from signaling.services.rate_limit import RateLimit

PASSWORDS_A_MINUTE: Final = 30
"""That may be tried of a meeting, by whomever, whether they are right or not."""


class MeetingPasswords:
    """One for all who ask: guests and members try the same passwords."""

    def __init__(self, passwords: Passwords, clock: Clock) -> None:
        self._passwords = passwords
        self._clock = clock
        self._tries = RateLimit("meeting", PASSWORDS_A_MINUTE)

    async def mark(self, meeting: Meeting, shown: str | None) -> str | None:
        """Names the password that was shown (`password_mark`); None for none and for a wrong one. Raises
        `RateLimitedError` where too many were tried."""
        if shown is None:
            return None
        standing = self._tries.take(meeting.id, self._clock.monotonic())
        if standing.retry_after is not None:
            raise RateLimitedError(
                "Too many passwords were tried of this meeting. Wait a little.",
                retry_after=standing.retry_after,
            )
        right = await self._passwords.matches(shown, meeting.join_password_hash)
        return password_mark(meeting.join_password_hash) if right else None
