"""Who comes in over REST, and the services about tenants: they share what is remembered of callers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from signaling.auth.api_keys import Authenticator
from signaling.auth.keyring import KeyRing
from signaling.auth.logins import JwtAccessTokens
from signaling.auth.secrets import RandomSecrets
from signaling.services.key_use import KeyUse
from signaling.services.ports import Clock, Passwords, UnitOfWorkFactory
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.tenancy import Tenancy


@dataclass(frozen=True, slots=True)
class TenantAccess:
    authenticator: Authenticator
    tenancy: Tenancy
    use: KeyUse
    remembered: RememberedCallers

    @classmethod
    def of(
        cls,
        units: UnitOfWorkFactory,
        clock: Clock,
        ring: KeyRing,
        passwords: Passwords,
        *,
        authenticator: type[Authenticator] = Authenticator,
    ) -> Self:
        access, use, remembered = JwtAccessTokens(ring, clock), KeyUse(units, clock), RememberedCallers()
        tenancy = Tenancy.of(
            units,
            clock,
            passwords=passwords,
            secrets=RandomSecrets(),
            access=access,
            remembered=remembered,
        )
        return cls(authenticator(units, clock, access, use, remembered), tenancy, use, remembered)

    async def noting(self, _: web.Application) -> AsyncIterator[None]:
        """For `cleanup_ctx`: the use of keys is written while the application serves."""
        self.use.writing.start()
        yield
        await self.use.writing.close()
