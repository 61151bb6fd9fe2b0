"""The services about tenants and those who administer them, wired together."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.services.api_keys import ApiKeyService
from signaling.services.apps import AppService
from signaling.services.logins import LoginService
from signaling.services.organizations import OrganizationService
from signaling.services.ports import AccessTokens, Clock, Passwords, Secrets, UnitOfWorkFactory
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.units import UnitService
from signaling.services.users import UserService


@dataclass(frozen=True, slots=True)
class Tenancy:
    organizations: OrganizationService
    apps: AppService
    units: UnitService
    api_keys: ApiKeyService
    users: UserService
    logins: LoginService

    @classmethod
    def of(
        cls,
        units: UnitOfWorkFactory,
        clock: Clock,
        *,
        passwords: Passwords,
        secrets: Secrets,
        access: AccessTokens,
        remembered: RememberedCallers,
    ) -> Tenancy:
        """`remembered` is the authenticator's: what takes rights away forgets it."""
        return cls(
            organizations=OrganizationService(units, clock, secrets),
            apps=AppService(units, clock),
            units=UnitService(units, clock, remembered),
            api_keys=ApiKeyService(units, clock, secrets, remembered),
            users=UserService(units, clock, secrets, remembered),
            logins=LoginService(units, clock, passwords, secrets, access, remembered),
        )
