"""What people are in an organization, and what keys and people may therefore do.

    platform_admin        everything, in every organization
    organization_admin    everything in the organization and its apps
    unit_admin            meetings, people and keys of a unit and of those below it
    member                looks; of a unit: at what is in it

A unit's people and keys have only scopes of nouns that know of units (`UNIT_SCOPES`), whatever they were
given: where an endpoint cannot tell what belongs to which unit, they do not get in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from signaling.domain.caller import EVERYTHING, Caller, Scope
from signaling.domain.errors import ForbiddenError, ValidationFailedError
from signaling.domain.organization import ApiKey, Organization
from signaling.domain.user import Membership, User


class Role(StrEnum):
    PLATFORM_ADMIN = "platform_admin"
    ORGANIZATION_ADMIN = "organization_admin"
    UNIT_ADMIN = "unit_admin"
    MEMBER = "member"


UNIT_SCOPES: Final = frozenset(
    {
        Scope.ORGANIZATIONS_READ,
        Scope.UNITS_READ,
        Scope.UNITS_WRITE,
        Scope.KEYS_READ,
        Scope.KEYS_WRITE,
        Scope.USERS_READ,
        Scope.USERS_WRITE,
        Scope.MEETINGS_READ,
        Scope.MEETINGS_WRITE,
        Scope.PARTICIPANTS_READ,
        Scope.PARTICIPANTS_WRITE,
        Scope.SESSIONS_READ,
        Scope.SESSIONS_WRITE,
        Scope.PRESETS_READ,
        Scope.ANALYTICS_READ,
    }
)
_MEMBER: Final = frozenset(
    {
        Scope.ORGANIZATIONS_READ,
        Scope.UNITS_READ,
        Scope.MEETINGS_READ,
        Scope.PARTICIPANTS_READ,
        Scope.PRESETS_READ,
        Scope.SESSIONS_READ,
    }
)
OF_DELETED: Final = frozenset({Scope.ANALYTICS_READ})
"""Of an organization or app that was deleted, for those who are above it: what it used."""
SCOPES: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.PLATFORM_ADMIN: EVERYTHING,
    Role.ORGANIZATION_ADMIN: EVERYTHING,
    Role.UNIT_ADMIN: UNIT_SCOPES,
    Role.MEMBER: _MEMBER,
}


def check_role(role: Role, *, unit_id: str | None) -> None:
    """That the role goes with the unit, or with none. Raises `ValidationFailedError`."""
    if role is Role.UNIT_ADMIN and unit_id is None:
        raise ValidationFailedError("A unit_admin is one of a unit. Send its unit_id.", field="unit_id")
    if role in (Role.PLATFORM_ADMIN, Role.ORGANIZATION_ADMIN) and unit_id is not None:
        raise ValidationFailedError(f"A {role} is not limited to a unit. Leave unit_id out.", field="unit_id")


def check_grant(caller: Caller, scopes: Iterable[Scope]) -> None:
    """That the caller has what they are about to give. Raises `ForbiddenError`."""
    beyond = sorted(scope for scope in scopes if not caller.may(scope))
    if beyond:
        raise ForbiddenError(f"You cannot give what you do not have yourself: {', '.join(beyond)}.")


def key_caller(key: ApiKey, organization: Organization) -> Caller | None:
    """For whom the key speaks when it is sent for the organization (or app); None: for nobody."""
    own = key.organization_id == organization.id
    of_its_app = organization.parent_id == key.organization_id and key.unit_id is None
    if not (own or of_its_app or key.platform):
        return None
    if organization.deleted_at is not None and own:
        return None
    scopes = EVERYTHING if key.scopes is None else known(key.scopes)
    if organization.deleted_at is not None:
        scopes &= OF_DELETED
    caller = _caller(organization, key.id, scopes, unit_id=key.unit_id, platform=key.platform)
    return replace(caller, expires_at=key.expires_at)


def user_caller(user: User, organization: Organization, memberships: Sequence[Membership]) -> Caller | None:
    """For whom the user speaks in the organization (or app); None: they are nobody there."""
    membership = None if user.disabled else membership_in(organization, memberships)
    if membership is None:
        return None
    role = Role(membership.role)
    return _caller(
        organization,
        user.id,
        SCOPES[role],
        unit_id=membership.unit_id,
        platform=role is Role.PLATFORM_ADMIN,
    )


def membership_in(organization: Organization, memberships: Iterable[Membership]) -> Membership | None:
    """The one that counts: of the platform before that of the organization, and this one before that of the
    organization that it is an app of, where units are others."""
    by_place = {one.organization_id: one for one in memberships if not one.disabled}
    above = by_place.get(organization.parent_id) if organization.parent_id else None
    if above is not None and above.unit_id is not None:
        above = None
    return by_place.get(None) or by_place.get(organization.id) or above


def _caller(
    organization: Organization, who: str, scopes: frozenset[Scope], *, unit_id: str | None, platform: bool
) -> Caller:
    if unit_id is not None:
        scopes &= UNIT_SCOPES
    return Caller(organization.id, who, scopes, unit_id, platform)


def known(scopes: Iterable[str]) -> frozenset[Scope]:
    """A scope that this version does not know gives nothing."""
    known = frozenset(Scope)
    return frozenset(Scope(one) for one in scopes if one in known)
