"""Organization API keys: 256 random bits, shown once, kept as a SHA-256 hash.

A key of that entropy cannot be guessed from its hash, so a fast hash is the right one. Comparison takes the
same time wherever two hashes differ.

A request carries `Authorization: Basic base64(organization_id:api_key)`. `Bearer base64(...)` of the same and
`Bearer organization_id:api_key` are taken too, for clients that know only that scheme.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signaling.domain.organization import ApiKey, Organization
from signaling.errors import UnauthorizedError
from signaling.services.ports import UnitOfWorkFactory

_MAX_HEADER: Final = 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    organization_id: str
    api_key: str


def new_api_key() -> str:
    """64 hexadecimal digits."""
    return secrets.token_hex(32)


def hash_api_key(api_key: str) -> str:
    return hashlib.sha256(api_key.encode()).hexdigest()


def matches(api_key: str, keys: Sequence[ApiKey]) -> bool:
    """Whether one of the keys is this one; looks at every one of them."""
    digest = hash_api_key(api_key)
    found = False
    for key in keys:
        found |= hmac.compare_digest(digest, key.key_hash)
    return found


def parse_authorization(header: str | None) -> Credentials:
    """Raises `UnauthorizedError` for a header that is missing or not what it should be."""
    if not header or len(header) > _MAX_HEADER or not header.isascii():
        raise UnauthorizedError
    scheme, _, value = header.partition(" ")
    value = value.strip()
    match scheme.lower():
        case "basic":
            pair = _decoded(value)
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
    """Tells which organization a request speaks for."""

    def __init__(self, units: UnitOfWorkFactory) -> None:
        self._units = units

    async def organization(self, header: str | None) -> Organization:
        """Raises `UnauthorizedError`, the same for an unknown organization and a wrong key."""
        credentials = parse_authorization(header)
        async with self._units(reading=True) as uow:
            organization = await uow.organizations.get(credentials.organization_id)
            keys = await uow.organizations.keys(credentials.organization_id)
        if organization is None or not matches(credentials.api_key, keys):
            raise UnauthorizedError
        return organization
