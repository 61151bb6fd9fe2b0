"""People who administer: their accounts, what they are in which organization, and their logins.

An account is one email address on the whole server. What it may do follows from its memberships, at most one
in each organization, and one of the platform. (Participants of meetings are somebody else: they need none.)

A login is a family of refresh tokens, of which only the newest is good:

    log in ─▶ token 1 ─refresh─▶ token 2 ─refresh─▶ token 3 ...
                 └──── comes again: somebody has a copy, the login is ended, for whoever holds it

Every token of a login carries the secret of the family and one of its own. So one that was good before is
told from one that never was, and only hashes of the two newest values are kept.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from signaling.domain.errors import ValidationFailedError
from signaling.domain.version import FIRST

MAX_EMAIL: Final = 254
MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 256
"""Characters."""
INVITATION_TTL: Final = timedelta(days=7)
"""For which the token is good with which a first or a new password is set."""
REFRESH_TTL: Final = timedelta(days=30)
"""For which a login lasts at most after it was last refreshed."""
LOGIN_TTL: Final = timedelta(days=90)
"""For which a login lasts at most."""
MAX_LOGINS: Final = 50
"""Of one account at a time; the oldest end first."""

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f<>,;:\"\\()\[\]]{1,64}@[^@\s\x00-\x1f<>,;:\"\\()\[\]]{1,189}")


@dataclass(frozen=True, slots=True)
class User:
    """`password_hash` is None until the first password was set."""

    id: str
    email: str
    name: str
    created_at: datetime
    updated_at: datetime
    password_hash: str | None = None
    disabled: bool = False
    version: int = FIRST

    def __repr__(self) -> str:
        return f"User({self.id!r})"


@dataclass(frozen=True, slots=True)
class Membership:
    """What somebody is in an organization; in none: on the platform."""

    id: str
    user_id: str
    organization_id: str | None
    role: str
    created_at: datetime
    updated_at: datetime
    unit_id: str | None = None
    """Of a unit's administrator or member."""
    disabled: bool = False
    version: int = FIRST


@dataclass(frozen=True, slots=True)
class Login:
    id: str
    user_id: str
    organization_id: str
    family_hash: str
    token_hash: str
    """Of the newest token."""
    created_at: datetime
    refreshed_at: datetime

    @property
    def ends_at(self) -> datetime:
        return min(self.refreshed_at + REFRESH_TTL, self.created_at + LOGIN_TTL)


@dataclass(frozen=True, slots=True)
class PasswordToken:
    """With it a password is set, once."""

    token_hash: str
    user_id: str
    created_at: datetime

    def holds(self, now: datetime) -> bool:
        return now < self.created_at + INVITATION_TTL


def normal_email(text: str) -> str:
    """As it is stored and compared. Raises `ValidationFailedError`."""
    email = unicodedata.normalize("NFC", text.strip()).casefold()
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email):
        raise ValidationFailedError("This is not an email address.", field="email")
    return email


def normal_password(text: str) -> str:
    """As it is hashed: what looks the same is the same, however a keyboard composes it."""
    return unicodedata.normalize("NFKC", text)


def check_password(text: str, *, email: str) -> None:
    """Raises `ValidationFailedError` for one that is too short, too long or the address itself."""
    length = len(normal_password(text))
    if not MIN_PASSWORD <= length <= MAX_PASSWORD or len(text) > 2 * MAX_PASSWORD:
        raise ValidationFailedError(
            f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.", field="password"
        )
    if text.strip().casefold() in (email, email.partition("@")[0]):
        raise ValidationFailedError("The password must not be the email address.", field="password")
