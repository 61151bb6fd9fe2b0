"""Organization API keys: 256 random bits, shown once, kept as a SHA-256 hash.

A key of that entropy cannot be guessed from its hash, so a fast hash is the right one, and a key is looked up
by it: what the time of a look-up tells is about a hash that nobody can choose.

A request carries `Authorization: Basic base64(organization_id:api_key)`. `Bearer base64(...)` of the same,
`Bearer organization_id:api_key` and `Bearer api_key` are taken too, for clients that know only that scheme.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from signaling.domain.caller import Caller
from signaling.errors import NotFoundError, UnauthorizedError
from signaling.services.ports import UnitOfWorkFactory

_MAX_HEADER: Final = 1024
_KEY: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Credentials:
    organization_id: str | None
    """None where the key was sent alone."""
    api_key: str


def new_api_key() -> str:
    """64 hexadecimal digits."""
    return secrets.token_hex(32)


def hash_api_key(api_key: str) -> str:
    return hashlib.sha256(api_key.encode()).hexdigest()


def parse_authorization(header: str | None) -> Credentials:
    """Raises `UnauthorizedError` for a header that is missing or not what it should be."""
    if not header or len(header) > _MAX_HEADER or not header.isascii():
        raise UnauthorizedError
    scheme, _, value = header.partition(" ")
    value = value.strip()
    match scheme.lower():
        case "basic":
            pair = _decoded(value)
        case "bearer" if _KEY.fullmatch(value):
            return Credentials(None, value)
        case "bearer":
            pair = value if ":" in value else _decoded(value)
        case _:
            raise UnauthorizedError
    organization_id, separator, api_key = pair.partition(":")
    if not (separator and organization_id and api_key):
        raise UnauthorizedError
    return Credentials(organization_id, api_key)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise UnauthorizedError from None


class Authenticator:
    """Tells whom a request speaks for."""

    def __init__(self, units: UnitOfWorkFactory) -> None:
        self._units = units

    async def caller(
        self, header: str | None, *, account_id: str | None = None, app_id: str | None = None
    ) -> Caller:
        """`account_id` and `app_id`: the organization and the app of it that the path is about.

        Raises `UnauthorizedError`, the same for an unknown organization and a wrong key, and `NotFoundError`
        for a path of another organization.
        """
        credentials = parse_authorization(header)
        digest = hash_api_key(credentials.api_key)
        async with self._units(reading=True) as uow:
            key = await uow.organizations.key(digest)
        if key is None or credentials.organization_id not in (None, key.organization_id):
            raise UnauthorizedError
        for wanted in (account_id, app_id):
            if wanted not in (None, key.organization_id):
                raise NotFoundError("There is no such app. GET .../apps lists those there are.")
        return Caller(key.organization_id, key.id)
