"""Two organizations, the services about tenants over a store in memory, and the doors to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from signaling.auth.api_keys import Authenticator, hash_api_key
from signaling.auth.keyring import KeyRing
from signaling.auth.keys import SigningKey
from signaling.auth.logins import JwtAccessTokens
from signaling.auth.secrets import RandomSecrets
from signaling.domain.caller import EVERYTHING, Caller
from signaling.domain.organization import Organization
from signaling.domain.role import Role
from signaling.domain.unit import Unit
from signaling.domain.user import User
from signaling.services.key_use import KeyUse
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.tenancy import Tenancy
from signaling.services.users import Invitation
from signaling.testing import FakeClock, MemoryStore
from tests.signaling import values

PASSWORD = "correct horse battery"
ADDRESS = "192.0.2.1"


@dataclass
class FakePasswords:
    """Hashes that can be read; `compared` is what each comparison was made with."""

    compared: list[str | None] = field(default_factory=list)
    old: bool = False

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def matches(self, password: str, kept: str | None) -> bool:
        self.compared.append(kept)
        return kept in (f"hash of {password}", f"old hash of {password}")

    def outdated(self, kept: str) -> bool:
        return kept.startswith("old")


@dataclass
class TenancyWorld:
    store: MemoryStore
    clock: FakeClock
    passwords: FakePasswords
    tenancy: Tenancy
    authenticator: Authenticator
    ring: KeyRing
    acme: Organization
    rival: Organization

    @classmethod
    async def new(cls) -> TenancyWorld:
        store, clock, passwords = MemoryStore(), FakeClock(values.NOON), FakePasswords()
        ring, remembered = KeyRing.of(SigningKey.generate(), clock), RememberedCallers()
        access = JwtAccessTokens(ring, clock)
        tenancy = Tenancy.of(
            store,
            clock,
            passwords=passwords,
            secrets=RandomSecrets(),
            access=access,
            remembered=remembered,
        )
        authenticator = Authenticator(store, clock, access, KeyUse(store, clock), remembered)
        acme, rival = values.organization(), values.organization("Rival")
        async with store() as uow:
            await uow.organizations.add(acme)
            await uow.organizations.add(rival)
            await uow.commit()
        return cls(store, clock, passwords, tenancy, authenticator, ring, acme, rival)

    @property
    def admin(self) -> Caller:
        return Caller(self.acme.id, "admin's key")

    @property
    def rival_admin(self) -> Caller:
        return Caller(self.rival.id, "rival's key")

    @property
    def platform(self) -> Caller:
        return Caller(self.acme.id, "platform's key", EVERYTHING, None, True)

    def limited(self, unit: Unit) -> Caller:
        """Who administers a unit."""
        return replace(self.admin, credential_id="unit's key", unit_id=unit.id)

    async def unit(self, name: str, below: Unit | None = None) -> Unit:
        parent_id = below.id if below else None
        return await self.tenancy.units.create(self.admin, self.acme.id, name=name, parent_id=parent_id)

    async def user(
        self,
        email: str = "ada@example.org",
        role: Role = Role.ORGANIZATION_ADMIN,
        unit: Unit | None = None,
        by: Caller | None = None,
    ) -> User:
        """Who has set their password."""
        wish = Invitation(email, "Ada", role, unit.id if unit else None)
        invited = await self.tenancy.users.invite(by or self.admin, wish)
        if invited.password_token:
            await self.tenancy.logins.set_password(invited.password_token, PASSWORD, address="192.0.2.250")
        self.clock.advance(60)
        return invited.member.user

    async def key(self, of: Organization, text: str) -> None:
        async with self.store() as uow:
            await uow.api_keys.add(values.api_key(of, hash_api_key(text)))
            await uow.commit()
