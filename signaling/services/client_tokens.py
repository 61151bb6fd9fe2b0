"""Client tokens: made for a room, refreshed by whoever has the refresh token, void once revoked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from signaling.domain.client_token import (
    DEFAULT_REFRESH_TTL,
    DEFAULT_TOKEN_TTL,
    MAX_REFRESH_TTL,
    MAX_TOKEN_TTL,
    MIN_REFRESH_TTL,
    MIN_TOKEN_TTL,
    REVOKED_FOR,
    Action,
    ClientGrant,
    IssuedToken,
)
from signaling.errors import ForbiddenError, InvalidTokenError, NotFoundError, ValidationFailedError
from signaling.ids import new_uuid
from signaling.services.meetings import load_meeting
from signaling.services.ports import ClientTokens, Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed


@dataclass(frozen=True, slots=True)
class TokenPair:
    join: IssuedToken
    refresh: IssuedToken


class ClientTokenService:
    def __init__(
        self, units: UnitOfWorkFactory, tokens: ClientTokens, clock: Clock, *, guest_preset: str
    ) -> None:
        """`guest_preset`: the name of the preset that who joins with a client token has."""
        self._units = units
        self._tokens = tokens
        self._clock = clock
        self._guest_preset = guest_preset

    async def generate_join_client_token(
        self,
        organization_id: str,
        meeting_id: str,
        *,
        token_ttl_secs: int = DEFAULT_TOKEN_TTL,
        refresh_token_ttl_secs: int = DEFAULT_REFRESH_TTL,
    ) -> TokenPair:
        """For somebody new. Raises `NotFoundError` (the meeting; the guests' preset) and
        `ValidationFailedError`."""
        _check("token_ttl_secs", token_ttl_secs, MIN_TOKEN_TTL, MAX_TOKEN_TTL)
        _check("refresh_token_ttl_secs", refresh_token_ttl_secs, MIN_REFRESH_TTL, MAX_REFRESH_TTL)
        async with self._units(reading=True) as uow:
            await load_meeting(uow, organization_id, meeting_id)
            if not await uow.presets.has(organization_id, self._guest_preset):
                raise NotFoundError.of("preset", self._guest_preset)
        now = self._clock.now()
        grant = ClientGrant(
            Action.JOIN,
            organization_id,
            meeting_id,
            new_uuid(),
            self._guest_preset,
            now + timedelta(seconds=token_ttl_secs),
        )
        refresh = replace(
            grant, action=Action.REFRESH, expires_at=now + timedelta(seconds=refresh_token_ttl_secs)
        )
        return TokenPair(self._tokens.issue(grant), self._tokens.issue(refresh))

    async def refresh_client_token(
        self, refresh_token: str, *, meeting_id: str | None = None, token_ttl_secs: int = DEFAULT_TOKEN_TTL
    ) -> IssuedToken:
        """Another join token of the same subject; the refresh token is the credential. Raises
        `InvalidTokenError` for one that is wrong, over or revoked, or whose meeting is gone, `ForbiddenError`
        for one of another meeting than that one, and `ValidationFailedError`."""
        _check("token_ttl_secs", token_ttl_secs, MIN_TOKEN_TTL, MAX_TOKEN_TTL)
        grant = self._tokens.verify(refresh_token, Action.REFRESH)
        if meeting_id not in (None, grant.meeting_id):
            raise ForbiddenError("This refresh token is for another room.")
        async with self._units(reading=True) as uow:
            await check_in_force(uow, grant)
        expires_at = self._clock.now() + timedelta(seconds=token_ttl_secs)
        return self._tokens.issue(replace(grant, action=Action.JOIN, expires_at=expires_at))

    async def revoke(self, organization_id: str, subject: str) -> None:
        """Its tokens are void from here on, on every server."""
        await committed(self._units, lambda uow: revoke(uow, self._clock, organization_id, subject))


async def revoke(uow: UnitOfWork, clock: Clock, organization_id: str, subject: str) -> None:
    now = clock.now()
    await uow.revoked_subjects.forget(before=now - REVOKED_FOR)
    await uow.revoked_subjects.add(organization_id, subject, now)


async def check_in_force(uow: UnitOfWork, grant: ClientGrant) -> None:
    """Raises `InvalidTokenError` where the subject was revoked or the meeting is gone."""
    if await uow.revoked_subjects.has(grant.organization_id, grant.subject):
        raise InvalidTokenError("The token was revoked. Ask for a new one.")
    try:
        await load_meeting(uow, grant.organization_id, grant.meeting_id)
    except NotFoundError:
        raise InvalidTokenError("The room of this token was deleted.") from None


def _check(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise ValidationFailedError(f"{name}: it is from {lowest} to {highest} seconds", field=name)
