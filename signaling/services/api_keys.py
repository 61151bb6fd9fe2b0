"""API keys: make, list, revoke. A key never can more than the one who made it, nor longer than the key it was
made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from signaling.domain.caller import EVERYTHING, Caller, Scope
from signaling.domain.organization import ApiKey
from signaling.domain.role import UNIT_SCOPES, check_grant
from signaling.errors import ForbiddenError, LimitExceededError, NotFoundError, ValidationFailedError
from signaling.ids import new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.organizations import require_platform
from signaling.services.ports import Clock, Secrets, UnitOfWork, UnitOfWorkFactory
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.transaction import committed
from signaling.services.units import load_unit, touches

log = structlog.get_logger(__name__)

MAX_KEYS: Final = 1_000
"""Of one organization or app, the revoked ones not counted."""


@dataclass(frozen=True, slots=True)
class MadeKey:
    key: ApiKey
    text: str
    """Shown now, and never again."""

    def __repr__(self) -> str:
        return f"MadeKey({self.key.prefix!r})"


@dataclass(frozen=True, slots=True)
class KeyWish:
    """`scopes` None: all that the maker has; `expires_at` None: when the maker's key does."""

    name: str
    scopes: frozenset[Scope] | None = None
    unit_id: str | None = None
    platform: bool = False
    expires_at: datetime | None = None


class ApiKeyService:
    def __init__(
        self, units: UnitOfWorkFactory, clock: Clock, secrets: Secrets, remembered: RememberedCallers
    ) -> None:
        self._units = units
        self._clock = clock
        self._secrets = secrets
        self._remembered = remembered

    async def create(self, caller: Caller, wish: KeyWish, *, once: Once[ApiKey] | None = None) -> MadeKey:
        """Of the caller's organization or app. For `once` see `signaling.services.idempotency`: the answer of
        then has no key.

        Raises `ForbiddenError` for scopes that the caller has not, for a time beyond that of their key and
        for a key of the platform by somebody else, `NotFoundError` for a unit that is not theirs,
        `ValidationFailedError` and `LimitExceededError`.
        """
        now, organization_id = self._clock.now(), caller.organization_id
        unit_id = wish.unit_id or caller.unit_id
        scopes = _granted(caller, wish, unit_id)
        expires_at = _ending(caller, wish, now)
        new = self._secrets.new_key()
        key = ApiKey(
            id=new_uuid(),
            organization_id=organization_id,
            key_hash=new.digest,
            created_at=now,
            name=wish.name,
            prefix=new.prefix,
            scopes=None if scopes == EVERYTHING else frozenset(scopes),
            unit_id=unit_id,
            platform=wish.platform,
            expires_at=expires_at,
        )

        async def work(uow: UnitOfWork) -> ApiKey:
            if unit_id is not None:
                await load_unit(uow, caller, organization_id, unit_id)
            _, count = await uow.api_keys.list(organization_id, limit=1)
            if count >= MAX_KEYS:
                raise LimitExceededError(f"There are {MAX_KEYS} keys. Revoke some of them first.")
            await uow.api_keys.add(key)
            return key

        await create_once(self._units, self._clock, organization_id, once, work)
        log.info("key.created", organization_id=organization_id, key_id=key.id, by=caller.credential_id)
        return MadeKey(key, new.text)

    async def list(self, caller: Caller, *, offset: int = 0, limit: int = 20) -> tuple[Sequence[ApiKey], int]:
        """A page of those that were not revoked, newest first, and the total."""
        async with self._units(reading=True) as uow:
            return await uow.api_keys.list(
                caller.organization_id, within=caller.unit_id, offset=offset, limit=limit
            )

    async def get(self, caller: Caller, key_id: str) -> ApiKey:
        """Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            return await _load(uow, caller, key_id)

    async def revoke(self, caller: Caller, key_id: str) -> ApiKey:
        """From now on nobody gets in with it; servers that hold it in memory forget it within a second.
        Raises `NotFoundError`, and `ForbiddenError` for a key of the platform and anybody else."""

        async def work(uow: UnitOfWork) -> ApiKey:
            key = await _load(uow, caller, key_id)
            if key.platform:
                require_platform(caller)
            key = replace(key, revoked_at=self._clock.now())
            await uow.api_keys.save(key)
            return key

        key = await committed(self._units, work)
        self._remembered.forget()
        log.info("key.revoked", organization_id=key.organization_id, key_id=key.id, by=caller.credential_id)
        return key


def _granted(caller: Caller, wish: KeyWish, unit_id: str | None) -> frozenset[Scope]:
    """What the key may do. Raises `ForbiddenError` and `ValidationFailedError`."""
    if wish.platform:
        require_platform(caller)
        if unit_id is not None:
            raise ValidationFailedError("A key of the platform is not limited to a unit.", field="unit_id")
    if wish.scopes is None:
        return caller.scopes if unit_id is None else caller.scopes & UNIT_SCOPES
    check_grant(caller, wish.scopes)
    if unit_id is not None and not wish.scopes <= UNIT_SCOPES:
        beyond = ", ".join(sorted(wish.scopes - UNIT_SCOPES))
        raise ValidationFailedError(f"A key that is limited to a unit cannot have {beyond}.", field="scopes")
    return wish.scopes


def _ending(caller: Caller, wish: KeyWish, now: datetime) -> datetime | None:
    """When the key expires: with its maker's at the latest. Raises `ForbiddenError` and
    `ValidationFailedError`."""
    latest = caller.expires_at
    if wish.expires_at is None:
        return latest
    if wish.expires_at <= now:
        raise ValidationFailedError("The key would have expired already.", field="expires_at")
    if latest is not None and wish.expires_at > latest:
        raise ForbiddenError(
            f"The key that was sent expires at {latest.isoformat(timespec='seconds')}, and makes none that "
            "outlives it."
        )
    return wish.expires_at


async def _load(uow: UnitOfWork, caller: Caller, key_id: str) -> ApiKey:
    key = await uow.api_keys.get(caller.organization_id, key_id)
    if key is None or key.revoked_at is not None:
        raise NotFoundError.of("key", key_id)
    if not await touches(uow, caller, key.unit_id):
        raise NotFoundError.of("key", key_id)
    return key
