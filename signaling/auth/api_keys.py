"""Whom a request speaks for: by the API key of an organization, or the access token of a login.

A key has 256 random bits, is shown once and kept as a SHA-256 hash: a key of that entropy cannot be guessed
from its hash, so a fast hash is the right one, and a key is looked up by it (what the time of a look-up tells
is about a hash that nobody can choose). A request carries one of

    Authorization: Basic base64(organization_id:api_key)       for the organization, or for an app of it
    Authorization: Bearer base64(organization_id:api_key)
    Authorization: Bearer organization_id:api_key
    Authorization: Bearer api_key                              for the key's own organization
    Authorization: Bearer access_token                         for the one that the login is of

One look into the store answers all of it, and what it answered is remembered for a second.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from signaling.auth.secrets import RandomSecrets
from signaling.domain.caller import Caller
from signaling.domain.role import key_caller, user_caller
from signaling.errors import InvalidTokenError, NotFoundError, UnauthorizedError
from signaling.services.key_use import KeyUse
from signaling.services.ports import AccessTokens, Clock, UnitOfWorkFactory
from signaling.services.remembered_callers import RememberedCallers

_MAX_HEADER: Final = 4096
_KEY: Final = re.compile("(?:rk_)?[0-9a-f]{64}")
_TOKEN: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_ENDED: Final = "The login has ended. Log in again."


@dataclass(frozen=True, slots=True)
class Credentials:
    organization_id: str | None
    """None where the key was sent alone."""
    api_key: str


@dataclass(frozen=True, slots=True)
class Presented:
    """An access token, as it came."""

    token: str


@dataclass(frozen=True, slots=True)
class _Place:
    """The organization and the app of it that a path is about."""

    account_id: str | None
    app_id: str | None

    @property
    def organization_id(self) -> str | None:
        return self.app_id or self.account_id


def new_api_key() -> str:
    """`rk_` and 64 hexadecimal digits."""
    return RandomSecrets().new_key().text


def hash_api_key(api_key: str) -> str:
    return RandomSecrets().digest(api_key)


def parse_authorization(header: str | None) -> Credentials | Presented:
    """Raises `UnauthorizedError` for a header that is missing or not what it should be."""
    header = _check_header(header)
    scheme, _, value = header.partition(" ")
    value = value.strip()
    match scheme.lower():
        case "basic":
            pair = _decoded(value)
        case "bearer" if _KEY.fullmatch(value):
            return Credentials(None, value)
        case "bearer" if _TOKEN.fullmatch(value):
            return Presented(value)
        case "bearer":
            pair = value if ":" in value else _decoded(value)
        case _:
            raise UnauthorizedError
    organization_id, separator, api_key = pair.partition(":")
    if not (separator and organization_id and api_key):
        raise UnauthorizedError
    return Credentials(organization_id, api_key)


def _check_header(header: str | None) -> str:
    if not header or len(header) > _MAX_HEADER or not header.isascii():
        raise UnauthorizedError
    return header


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise UnauthorizedError from None


class Authenticator:
    """Tells whom a request speaks for."""

    def __init__(
        self,
        units: UnitOfWorkFactory,
        clock: Clock,
        access: AccessTokens,
        use: KeyUse,
        remembered: RememberedCallers,
    ) -> None:
        self._units = units
        self._clock = clock
        self._access = access
        self._use = use
        self._remembered = remembered

    async def caller(
        self, header: str | None, *, account_id: str | None = None, app_id: str | None = None
    ) -> Caller:
        """`account_id` and `app_id`: the organization and the app of it that the path is about.

        Raises `UnauthorizedError`, the same for an unknown organization and a wrong key, `InvalidTokenError`,
        and `NotFoundError` for a path of another organization.
        """
        _check_header(header)
        asked = hashlib.sha256(f"{header}\n{account_id}\n{app_id}".encode()).digest()
        now = self._clock.monotonic()
        caller = self._remembered.get(asked, now)
        if caller is None:
            forgotten = self._remembered.forgotten
            presented, place = parse_authorization(header), _Place(account_id, app_id)
            if isinstance(presented, Presented):
                caller = await self._of_login(presented, place)
            else:
                caller = await self._of_key(presented, place)
            self._remembered.put(asked, caller, now, forgotten=forgotten)
        return caller

    async def _of_key(self, sent: Credentials, place: _Place) -> Caller:
        wanted = place.organization_id or sent.organization_id
        async with self._units(reading=True, apart=True) as uow:
            found = await uow.api_keys.by_hash(hash_api_key(sent.api_key), wanted)
        now = self._clock.now()
        if found is None or not found[0].holds(now):
            raise UnauthorizedError
        key, organization = found
        caller = key_caller(key, organization) if organization else None
        if sent.organization_id not in (None, wanted, place.account_id, key.organization_id):
            raise UnauthorizedError
        if caller is None or organization is None:
            raise _no_app() if place.organization_id else UnauthorizedError()
        if place.account_id not in (None, organization.account_id):
            raise _no_app()
        self._use.note(key, now)
        return caller

    async def _of_login(self, sent: Presented, place: _Place) -> Caller:
        login_id = self._access.verify(sent.token)
        async with self._units(reading=True, apart=True) as uow:
            standing = await uow.logins.standing(login_id)
        if standing is None or standing.login.ends_at <= self._clock.now():
            raise InvalidTokenError(_ENDED)
        organization = standing.organization
        caller = user_caller(standing.user, organization, standing.memberships)
        if caller is None:
            raise InvalidTokenError(_ENDED)
        if place.organization_id not in (None, organization.id):
            raise _no_app()
        if place.account_id not in (None, organization.account_id):
            raise _no_app()
        return caller


def _no_app() -> NotFoundError:
    return NotFoundError("There is no such app. GET .../apps lists those there are.")
