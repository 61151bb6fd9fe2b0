"""Who may open a meeting, who may join it, and who sees it in lists. Pure.

Whoever wants in is one of three: a *guest*, of whom nothing is known but what they show; a *member*, who has
signed in to the organization; or *registered*, whom the organization itself (its API key) has entered as a
participant of this very meeting. What each policy takes:

    policy     guest             member                 registered
    PUBLIC     yes               yes                    yes
    ORG        no                yes                    yes
    ORGUNIT    no                of an allowed unit     of an allowed unit
    RESTRICT   no                no                     yes
    PASSWORD   with the password with the password      yes: the organization vouches for them

A unit that is allowed allows those below it. An empty list of allowed units means the meeting's own unit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from signaling.domain.errors import JoinRefusedError, MeetingNotOpenError


class Policy(StrEnum):
    """Who may open, or join."""

    PUBLIC = "PUBLIC"
    ORG = "ORG"
    ORGUNIT = "ORGUNIT"
    RESTRICT = "RESTRICT"
    PASSWORD = "PASSWORD"


class ListPolicy(StrEnum):
    """Who sees a meeting in lists: everybody of the organization and its units' keys (PUBLIC); the
    organization and those of the meeting's unit and the units above it (SHARED); the organization only, but
    for a key of the meeting's own unit (PRIVATE)."""

    PUBLIC = "PUBLIC"
    SHARED = "SHARED"
    PRIVATE = "PRIVATE"


class Standing(StrEnum):
    """What the organization knows of somebody who wants in."""

    GUEST = "guest"
    MEMBER = "member"
    REGISTERED = "registered"


class Refusal(StrEnum):
    NOT_IN_ORGANIZATION = "not_in_organization"
    NOT_IN_UNIT = "not_in_unit"
    NOT_REGISTERED = "not_registered"
    NO_GUESTS = "no_guests"
    """Nobody has said which preset they get."""
    NO_PRESET = "no_preset"
    """The preset that members get is not there."""
    WRONG_PASSWORD = "wrong_password"


_SENTENCES: Final = {
    Refusal.NOT_IN_ORGANIZATION: "This meeting is for people of the organization. Sign in first.",
    Refusal.NOT_IN_UNIT: "This meeting is for other units of the organization. Ask to be let in.",
    Refusal.NOT_REGISTERED: "This meeting is for those who are on its list. Ask to be added.",
    Refusal.NO_GUESTS: "This meeting takes no guests.",
    Refusal.NO_PRESET: "This meeting has no preset for members. Ask who runs it.",
    Refusal.WRONG_PASSWORD: "This meeting has a password, and that was not it. Ask for it.",
}


@dataclass(frozen=True, slots=True)
class Applicant:
    """`units`: the ids of their unit and of those above it. `password`: whether they showed the right one."""

    standing: Standing
    units: frozenset[str] = frozenset()
    password: bool = False


def refusal(policy: Policy, allowed_units: Set[str], applicant: Applicant) -> Refusal | None:
    """Why this one is refused; None if they are not."""
    standing = applicant.standing
    match policy:
        case Policy.PUBLIC:
            return None
        case Policy.ORG:
            return Refusal.NOT_IN_ORGANIZATION if standing is Standing.GUEST else None
        case Policy.ORGUNIT:
            if standing is Standing.GUEST:
                return Refusal.NOT_IN_ORGANIZATION
            return None if applicant.units & allowed_units else Refusal.NOT_IN_UNIT
        case Policy.RESTRICT:
            return None if standing is Standing.REGISTERED else Refusal.NOT_REGISTERED
        case Policy.PASSWORD:
            return None if applicant.password or standing is Standing.REGISTERED else Refusal.WRONG_PASSWORD


def check_join(policy: Policy, allowed_units: Set[str], applicant: Applicant) -> None:
    """Raises `JoinRefusedError`."""
    why = refusal(policy, allowed_units, applicant)
    if why is not None:
        raise JoinRefusedError(_SENTENCES[why], reason=why)


def check_open(policy: Policy, allowed_units: Set[str], applicant: Applicant) -> None:
    """Raises `MeetingNotOpenError`: nobody is in, and this one may not be the first."""
    why = refusal(policy, allowed_units, applicant)
    if why is not None:
        raise MeetingNotOpenError(reason=why)


def password_mark(password_hash: str | None) -> str | None:
    """Names a stored password without telling it: whoever was admitted by one is not admitted by the next."""
    return None if password_hash is None else hashlib.sha256(password_hash.encode()).hexdigest()[:16]
