"""The people who administer an organization: invite, look up, change what they are, remove.

What is changed here is what somebody is in the caller's organization. The account itself, which may be a
member of others, belongs to its owner: only who runs the platform, or the one organization that it is a
member of, may disable it or let its password be set anew.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Final, TypedDict, Unpack

import structlog

from signaling.domain.caller import Caller
from signaling.domain.organization import Organization
from signaling.domain.plan import check_room, limits_of
from signaling.domain.role import SCOPES, Role, check_grant, check_role
from signaling.domain.user import Membership, PasswordToken, User, normal_email
from signaling.domain.version import check_version
from signaling.errors import ConflictError, ForbiddenError, NotFoundError
from signaling.ids import new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.organizations import require_platform
from signaling.services.ports import Clock, Secrets, UnitOfWork, UnitOfWorkFactory
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.transaction import committed
from signaling.services.units import load_unit, touches

log = structlog.get_logger(__name__)

_KNOWN: Final = (
    "This address has an account already. Ask who runs this server to make it a member of this organization."
)
_ONESELF: Final = "You cannot change what you are yourself. Ask another administrator."


@dataclass(frozen=True, slots=True)
class Member:
    user: User
    membership: Membership


@dataclass(frozen=True, slots=True)
class Invited:
    member: Member
    password_token: str | None
    """With it a password is set; None where there was an account. Shown now, and never again."""

    def __repr__(self) -> str:
        return f"Invited({self.member!r})"


@dataclass(frozen=True, slots=True)
class Invitation:
    email: str
    name: str
    role: Role
    unit_id: str | None = None


class MemberSettings(TypedDict, total=False):
    """What may be set of a member; what is absent stays as it is."""

    role: Role
    unit_id: str | None
    disabled: bool
    account_disabled: bool


class UserService:
    def __init__(
        self, units: UnitOfWorkFactory, clock: Clock, secrets: Secrets, remembered: RememberedCallers
    ) -> None:
        self._units = units
        self._clock = clock
        self._secrets = secrets
        self._remembered = remembered

    async def invite(
        self, caller: Caller, invitation: Invitation, *, once: Once[Invited] | None = None
    ) -> Invited:
        """Makes an account for the address. For `once` see `signaling.services.idempotency`: the answer of
        then has no password token.

        Where it has one, only who runs the platform can make it a member: whoever made it set its password,
        and nobody here knows that it was the person whose address this is.

        Raises `ForbiddenError` for a role with rights that the caller has not, `NotFoundError` for a unit
        that is not theirs, `ConflictError` where there is an account, `ValidationFailedError` and
        `PlanLimitError`.
        """
        email, now = normal_email(invitation.email), self._clock.now()
        role, unit_id = invitation.role, invitation.unit_id or caller.unit_id
        _check_grantable(caller, role, unit_id)
        organization_id = None if role is Role.PLATFORM_ADMIN else caller.organization_id
        token = self._secrets.new_token()

        async def work(uow: UnitOfWork) -> Invited:
            if unit_id is not None:
                await load_unit(uow, caller, caller.organization_id, unit_id)
            if organization_id is not None:
                organization = await _organization(uow, organization_id)
                count = await uow.users.count_members(organization_id)
                check_room("users", count, limits_of(organization).users)
            known = await uow.users.by_email(email)
            if known is not None and not caller.platform:
                raise ConflictError(_KNOWN)
            user = known or User(new_uuid(), email, invitation.name, now, now)
            membership = Membership(new_uuid(), user.id, organization_id, role, now, now, unit_id)
            if known is None:
                await uow.users.add(user)
                await uow.logins.set_password_token(PasswordToken(self._secrets.digest(token), user.id, now))
            await uow.users.add_membership(membership)
            return Invited(Member(user, membership), None if known else token)

        invited = await create_once(self._units, self._clock, caller.organization_id, once, work)
        self._told("user.invited", caller, invited.member, role=role)
        return invited

    async def list(
        self,
        caller: Caller,
        *,
        platform: bool = False,
        search: str | None = None,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[Member], int]:
        """A page of the organization's members (or of the platform's), newest first, and the total. Raises
        `ForbiddenError`."""
        if platform:
            require_platform(caller)
        async with self._units(reading=True) as uow:
            found, total = await uow.users.members(
                None if platform else caller.organization_id,
                within=caller.unit_id,
                search=search,
                offset=offset,
                limit=limit,
            )
        return [Member(user, membership) for user, membership in found], total

    async def get(self, caller: Caller, user_id: str) -> Member:
        """Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            return await _load(uow, caller, user_id)

    async def change(
        self,
        caller: Caller,
        user_id: str,
        *,
        if_version: Set[int] | None = None,
        **settings: Unpack[MemberSettings],
    ) -> Member:
        """Who is disabled, or is another one now, is so with the next request.

        Raises `NotFoundError`, `PreconditionFailedError`, `ForbiddenError` for rights that the caller has
        not, `ConflictError` for oneself, and `ValidationFailedError`.
        """

        async def work(uow: UnitOfWork) -> Member:
            before = await _load_to_change(uow, caller, user_id, if_version)
            now, membership = self._clock.now(), before.membership
            role = Role(settings.get("role", membership.role))
            if (role is Role.PLATFORM_ADMIN) != (membership.organization_id is None):
                raise ConflictError("A platform_admin is of no organization. Invite them as that instead.")
            unit_id = settings.get("unit_id", membership.unit_id)
            _check_grantable(caller, role, unit_id)
            if unit_id is not None:
                await load_unit(uow, caller, caller.organization_id, unit_id)
            after = replace(
                membership,
                role=role,
                unit_id=unit_id,
                disabled=settings.get("disabled", membership.disabled),
                version=membership.version + 1,
                updated_at=now,
            )
            await uow.users.save_membership(after)
            user = before.user
            if "account_disabled" in settings:
                await _check_owner(uow, caller, user)
                user = replace(user, disabled=settings["account_disabled"], updated_at=now)
                await uow.users.save(user)
            return Member(user, after)

        member = await committed(self._units, work)
        self._told("user.changed", caller, member, what=sorted(settings))
        return member

    async def remove(self, caller: Caller, user_id: str, *, if_version: Set[int] | None = None) -> Member:
        """The account goes with its last membership. Raises as `change` does."""

        async def work(uow: UnitOfWork) -> Member:
            member = await _load_to_change(uow, caller, user_id, if_version)
            await uow.users.remove_membership(member.membership)
            if not await uow.users.memberships(user_id):
                await uow.users.remove(member.user)
            return member

        member = await committed(self._units, work)
        self._told("user.removed", caller, member)
        return member

    async def new_password_token(self, caller: Caller, user_id: str) -> Invited:
        """For who forgot their password. The old one is good until the new one is set. Raises
        `NotFoundError`, and `ForbiddenError` for the account of a member of other organizations too."""
        token = self._secrets.new_token()

        async def work(uow: UnitOfWork) -> Invited:
            member = await _load(uow, caller, user_id)
            check_grant(caller, SCOPES[Role(member.membership.role)])
            await _check_owner(uow, caller, member.user)
            kept = PasswordToken(self._secrets.digest(token), user_id, self._clock.now())
            await uow.logins.set_password_token(kept)
            return Invited(member, token)

        invited = await committed(self._units, work)
        self._told("user.password_token_made", caller, invited.member)
        return invited

    def _told(self, event: str, caller: Caller, member: Member, **besides: object) -> None:
        self._remembered.forget()
        log.info(
            event,
            organization_id=member.membership.organization_id,
            user_id=member.user.id,
            by=caller.credential_id,
            **besides,
        )


def _check_grantable(caller: Caller, role: Role, unit_id: str | None) -> None:
    check_role(role, unit_id=unit_id)
    if role is Role.PLATFORM_ADMIN:
        require_platform(caller)
    check_grant(caller, SCOPES[role])
    if caller.unit_id is not None and unit_id is None:
        raise ForbiddenError("You administer a unit. Send a unit_id of it or of one below it.")


async def _load(uow: UnitOfWork, caller: Caller, user_id: str) -> Member:
    """Raises `NotFoundError`."""
    user = await uow.users.get(user_id)
    membership = await uow.users.membership(caller.organization_id, user_id)
    if membership is None and caller.platform:
        membership = await uow.users.membership(None, user_id)
    if user is None or membership is None or not await touches(uow, caller, membership.unit_id):
        raise NotFoundError.of("user", user_id)
    return Member(user, membership)


async def _load_to_change(
    uow: UnitOfWork, caller: Caller, user_id: str, if_version: Set[int] | None
) -> Member:
    member = await _load(uow, caller, user_id)
    check_version("user", member.membership.version, if_version)
    if user_id == caller.credential_id:
        raise ConflictError(_ONESELF)
    check_grant(caller, SCOPES[Role(member.membership.role)])
    return member


async def _check_owner(uow: UnitOfWork, caller: Caller, user: User) -> None:
    """That the account is the caller's to decide about. Raises `ForbiddenError`."""
    places = {one.organization_id for one in await uow.users.memberships(user.id)}
    if not caller.platform and places != {caller.organization_id}:
        raise ForbiddenError("The account is a member of other organizations too. Ask who runs this server.")


async def _organization(uow: UnitOfWork, organization_id: str) -> Organization:
    organization = await uow.organizations.get(organization_id)
    if organization is None:
        raise NotFoundError.of("organization", organization_id)
    return organization
