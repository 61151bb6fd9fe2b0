"""Logging in with a password, staying so with refresh tokens, and setting passwords.

What tells an account from none is neither said nor to be measured: whether the address is unknown, the
password wrong or the account disabled, the answer is the same and takes as long. How a refresh token is
good once, and what happens when it comes again, is drawn in `signaling.domain.user`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from signaling.domain.caller import Caller
from signaling.domain.organization import Organization
from signaling.domain.role import membership_in
from signaling.domain.user import (
    MAX_LOGINS,
    Login,
    Membership,
    User,
    check_password,
    normal_email,
    normal_password,
)
from signaling.errors import (
    LoginRefusedError,
    NotFoundError,
    RateLimitedError,
    ValidationFailedError,
)
from signaling.ids import new_uuid
from signaling.services.ports import (
    AccessToken,
    AccessTokens,
    Clock,
    Passwords,
    Secrets,
    UnitOfWork,
    UnitOfWorkFactory,
)
from signaling.services.rate_limit import RateLimit
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

PER_ADDRESS: Final = 30
PER_ACCOUNT: Final = 10
"""Passwords that may be tried a minute, whether they are right or not."""
_AGAIN: Final = "Log in again."


@dataclass(frozen=True, slots=True)
class Entered:
    """What a login gets, and gets again with each refresh."""

    login: Login
    user: User
    organization: Organization
    membership: Membership
    access: AccessToken
    refresh_token: str

    def __repr__(self) -> str:
        return f"Entered({self.login.id!r})"


@dataclass(frozen=True, slots=True)
class Profile:
    """Who somebody is, and where they are what: the platform, if they are of it, and their organizations."""

    user: User
    places: Sequence[tuple[Membership, Organization | None]]


class LoginService:
    def __init__(
        self,
        units: UnitOfWorkFactory,
        clock: Clock,
        passwords: Passwords,
        secrets: Secrets,
        access: AccessTokens,
        remembered: RememberedCallers,
        *,
        per_address: int = PER_ADDRESS,
        per_account: int = PER_ACCOUNT,
    ) -> None:
        self._units = units
        self._clock = clock
        self._passwords = passwords
        self._secrets = secrets
        self._access = access
        self._remembered = remembered
        self._by_address = RateLimit("address", per_address)
        self._by_account = RateLimit("account", per_account)

    async def enter(
        self, email: str, password: str, *, organization_id: str | None = None, address: str
    ) -> Entered:
        """Log in to the organization or app; None: to the one that they were a member of first.

        Raises `LoginRefusedError`, `RateLimitedError` for too many tries from an address or for an account,
        and, once the password was right, `NotFoundError` for an organization that is not theirs.
        """
        email = _email(email)
        self._allow(email, address)
        user = await self._checked(email, password)

        async def work(uow: UnitOfWork) -> tuple[Login, Organization, Membership, str]:
            organization, membership = await _entrance(uow, user, organization_id)
            login, token = self._new_login(user.id, organization.id)
            others = await uow.logins.of_user(user.id)
            for old in others[: max(0, len(others) - MAX_LOGINS + 1)]:
                await uow.logins.remove(old.id)
            await uow.logins.add(login)
            return login, organization, membership, token

        login, organization, membership, token = await committed(self._units, work)
        log.info("login.entered", user_id=user.id, organization_id=organization.id, login_id=login.id)
        return self._entered(login, user, organization, membership, token)

    async def refresh(self, refresh_token: str, *, organization_id: str | None = None) -> Entered:
        """A new pair of tokens, where asked for in another organization. The old refresh token is void.

        Raises `LoginRefusedError` for one that was used, whereby the login ends, or that is none, and
        `NotFoundError` for an organization that is not theirs.
        """
        login_id, family, last = _parts(refresh_token)
        reused = False

        async def work(uow: UnitOfWork) -> Entered | None:
            nonlocal reused
            reused = False
            standing = await uow.logins.standing(login_id)
            if standing is None or not self._is(family, standing.login.family_hash):
                return None
            login, now = standing.login, self._clock.now()
            reused = not self._is(last, login.token_hash)
            if reused or standing.user.disabled or login.ends_at <= now:
                await uow.logins.remove(login_id)
                return None
            organization, membership = standing.organization, None
            if organization_id is not None and organization_id != organization.id:
                organization, membership = await _entrance(uow, standing.user, organization_id)
            else:
                membership = membership_in(organization, standing.memberships)
            if membership is None:
                await uow.logins.remove(login_id)
                return None
            newest = self._secrets.new_token()
            login = replace(
                login,
                organization_id=organization.id,
                token_hash=self._secrets.digest(newest),
                refreshed_at=now,
            )
            await uow.logins.save(login)
            token = f"{login_id}.{family}.{newest}"
            return self._entered(login, standing.user, organization, membership, token)

        entered = await committed(self._units, work)
        if reused:
            log.warning("login.reused", login_id=login_id)
        if entered is None:
            self._remembered.forget()
            raise LoginRefusedError(_AGAIN)
        return entered

    async def leave(self, refresh_token: str) -> None:
        """The login is over, also for access tokens that it gave; nothing happens where it was already."""
        login_id, family, _ = _parts(refresh_token)

        async def work(uow: UnitOfWork) -> bool:
            login = await uow.logins.get(login_id)
            if login is None or not self._is(family, login.family_hash):
                return False
            await uow.logins.remove(login_id)
            return True

        if await committed(self._units, work):
            self._remembered.forget()
            log.info("login.left", login_id=login_id)

    async def profile(self, caller: Caller) -> Profile:
        """Of the account that asks. Raises `NotFoundError` where it is a key."""
        async with self._units(reading=True) as uow:
            user = await _account(uow, caller)
            memberships = [one for one in await uow.users.memberships(user.id) if not one.disabled]
            places = [
                (one, await uow.organizations.get(one.organization_id) if one.organization_id else None)
                for one in memberships
            ]
        return Profile(user, places)

    async def change_password(self, caller: Caller, *, current: str, new: str, address: str) -> None:
        """All logins of the account end. Raises `LoginRefusedError` where the current one is wrong,
        `RateLimitedError`, `ValidationFailedError` and, for a key, `NotFoundError`."""
        async with self._units(reading=True) as uow:
            user = await _account(uow, caller)
        self._allow(user.email, address)
        await self._checked(user.email, current)
        await self._set_password(user.id, new)

    async def set_password(self, password_token: str, new: str, *, address: str) -> None:
        """With the token of an invitation, once. All logins of the account end. Raises `LoginRefusedError`,
        `RateLimitedError` and `ValidationFailedError`."""
        self._take(self._by_address, address)
        token_hash = self._secrets.digest(password_token)
        async with self._units() as uow:  # not committed: the token is looked at, and used up below
            token = await uow.logins.take_password_token(token_hash)
        if token is None or not token.holds(self._clock.now()):
            raise LoginRefusedError("This token was used or is too old. Ask for another invitation.")
        await self._set_password(token.user_id, new, token_hash=token_hash)

    # --- what these have in common ---

    async def _checked(self, email: str, password: str) -> User:
        """Raises `LoginRefusedError`."""
        async with self._units(reading=True) as uow:
            user = await uow.users.by_email(email)
        kept = user.password_hash if user and not user.disabled else None
        password = normal_password(password)
        if not await self._passwords.matches(password, kept) or user is None or kept is None:
            log.info("login.refused", user_id=user.id if user else None)
            raise LoginRefusedError
        if self._passwords.outdated(kept):
            await self._rehash(user, await self._passwords.hash(password))
        return user

    async def _rehash(self, user: User, password_hash: str) -> None:
        async def work(uow: UnitOfWork) -> None:
            present = await uow.users.get(user.id)
            if present is not None and present.password_hash == user.password_hash:
                await uow.users.save(replace(present, password_hash=password_hash))

        await committed(self._units, work)

    async def _set_password(self, user_id: str, new: str, *, token_hash: str | None = None) -> None:
        async with self._units(reading=True) as uow:
            user = await uow.users.get(user_id)
        if user is None:
            raise LoginRefusedError
        check_password(new, email=user.email)
        password_hash = await self._passwords.hash(normal_password(new))

        async def work(uow: UnitOfWork) -> None:
            if token_hash is not None and await uow.logins.take_password_token(token_hash) is None:
                raise LoginRefusedError("This token was used just now. Ask for another invitation.")
            present = await uow.users.get(user_id)
            if present is None:
                raise LoginRefusedError
            now = self._clock.now()
            await uow.users.save(replace(present, password_hash=password_hash, updated_at=now))
            await uow.logins.remove_of_user(user_id)

        await committed(self._units, work)
        self._remembered.forget()
        log.info("user.password_set", user_id=user_id)

    def _new_login(self, user_id: str, organization_id: str) -> tuple[Login, str]:
        now, login_id = self._clock.now(), new_uuid()
        family, newest = self._secrets.new_token(), self._secrets.new_token()
        login = Login(
            id=login_id,
            user_id=user_id,
            organization_id=organization_id,
            family_hash=self._secrets.digest(family),
            token_hash=self._secrets.digest(newest),
            created_at=now,
            refreshed_at=now,
        )
        return login, f"{login_id}.{family}.{newest}"

    def _entered(
        self, login: Login, user: User, organization: Organization, membership: Membership, token: str
    ) -> Entered:
        access = self._access.issue(login.id, user.id, organization.id)
        return Entered(login, user, organization, membership, access, token)

    def _is(self, token: str, kept: str) -> bool:
        return hmac.compare_digest(self._secrets.digest(token), kept)

    def _allow(self, email: str, address: str) -> None:
        self._take(self._by_address, address)
        self._take(self._by_account, email)

    def _take(self, limit: RateLimit, who: str) -> None:
        """Raises `RateLimitedError`."""
        standing = limit.take(who, self._clock.monotonic())
        if standing.retry_after is not None:
            raise RateLimitedError(
                f"More than {standing.limit} tries a minute by one {limit.name}. Wait before the next one.",
                retry_after=standing.retry_after,
            )


def _email(text: str) -> str:
    """What is no address is an unknown one."""
    try:
        return normal_email(text)
    except ValidationFailedError:
        return "-"


def _parts(refresh_token: str) -> tuple[str, str, str]:
    """Raises `LoginRefusedError`."""
    match refresh_token.split("."):
        case [login_id, family, newest] if login_id and family and newest:
            return login_id, family, newest
    raise LoginRefusedError(_AGAIN)


async def _account(uow: UnitOfWork, caller: Caller) -> User:
    user = await uow.users.get(caller.credential_id)
    if user is None:
        raise NotFoundError("A key is no account. Log in with an email address and a password.")
    return user


async def _entrance(
    uow: UnitOfWork, user: User, organization_id: str | None
) -> tuple[Organization, Membership]:
    """The organization to enter, and what the user is there. Raises `NotFoundError`."""
    memberships = [one for one in await uow.users.memberships(user.id) if not one.disabled]
    organization = None
    if organization_id is not None:
        organization = await uow.organizations.get(organization_id)
    else:
        first = next((one.organization_id for one in memberships if one.organization_id), None)
        if first is not None:
            organization = await uow.organizations.get(first)
        elif memberships:
            organization = await uow.organizations.first()
    membership = membership_in(organization, memberships) if organization else None
    if organization is None or membership is None:
        raise NotFoundError("You are a member of no such organization. Ask its administrator.")
    return organization, membership
