"""What an organization may use: its plan, corrected by its feature flags.

A plan is a set of features and some limits. A feature flag names a feature that the organization has besides
those of its plan ("recording"), or, after a minus, one that it has not ("-recording"). Who runs the platform
sets both. The default plan has everything and no limits: a self-hosted server withholds nothing by itself.

An app has the plan and the flags of its organization, copied to it, so that one row tells. Limits are those
of each app; how many apps there may be is a limit itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from signaling.domain.errors import FeatureDisabledError, PlanLimitError, ValidationFailedError


class Feature(StrEnum):
    APPS = "apps"
    UNITS = "units"
    WEBHOOKS = "webhooks"
    ANALYTICS = "analytics"
    CHAT = "chat"
    POLLS = "polls"
    PLUGINS = "plugins"
    BREAKOUT = "breakout"
    WAITING_ROOM = "waiting_room"
    RECORDING = "recording"
    COMPOSITION = "composition"
    LIVESTREAM = "livestream"
    TRANSCRIPTION = "transcription"
    SUMMARIZATION = "summarization"
    MANIFESTS = "manifests"


class PlanName(StrEnum):
    UNLIMITED = "unlimited"
    BUSINESS = "business"
    STARTER = "starter"


DEFAULT_PLAN: Final = PlanName.UNLIMITED
MAX_FLAGS: Final = 64
_WITHOUT: Final = "-"
FLAGS: Final = (*Feature, *(_WITHOUT + one for one in Feature))


@dataclass(frozen=True, slots=True)
class Limits:
    """None: any number."""

    concurrent_sessions: int | None = None
    participants: int | None = None
    """In one session at a time."""
    apps: int | None = None
    units: int | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    features: frozenset[Feature]
    limits: Limits


PLANS: Final[Mapping[PlanName, Plan]] = {
    PlanName.UNLIMITED: Plan(frozenset(Feature), Limits()),
    PlanName.BUSINESS: Plan(
        frozenset(Feature) - {Feature.MANIFESTS},
        Limits(concurrent_sessions=100, participants=500, apps=10, units=200, users=500),
    ),
    PlanName.STARTER: Plan(
        frozenset(
            {
                Feature.WEBHOOKS,
                Feature.CHAT,
                Feature.POLLS,
                Feature.PLUGINS,
                Feature.WAITING_ROOM,
                Feature.RECORDING,
            }
        ),
        Limits(concurrent_sessions=5, participants=50, apps=2, units=10, users=10),
    ),
}


class Planned(Protocol):
    """An organization, as far as this is concerned."""

    @property
    def plan(self) -> PlanName: ...
    @property
    def feature_flags(self) -> tuple[str, ...]: ...


def checked_flags(flags: Iterable[str]) -> tuple[str, ...]:
    """Each once, in order. Raises `ValidationFailedError` for one that names no feature."""
    kept = tuple(dict.fromkeys(flags))
    for flag in kept:
        if flag not in FLAGS:
            raise ValidationFailedError(
                f"{flag[:64]!r} is no feature flag. Features are {', '.join(Feature)}; a '-' before one "
                "takes it away.",
                field="feature_flags",
            )
    return kept


def features_of(organization: Planned) -> frozenset[Feature]:
    """Where a feature is both given and taken away, it is not there."""
    named = frozenset(organization.feature_flags)
    given = {one for one in Feature if one in named}
    taken = {one for one in Feature if _WITHOUT + one in named}
    return (PLANS[organization.plan].features | given) - taken


def require_feature(organization: Planned, feature: Feature) -> None:
    """Raises `FeatureDisabledError`."""
    if feature not in features_of(organization):
        raise FeatureDisabledError.of(feature)


def limits_of(organization: Planned) -> Limits:
    return PLANS[organization.plan].limits


def check_room(noun: str, count: int, limit: int | None) -> None:
    """That one more may come to `count` of them. Raises `PlanLimitError`."""
    if limit is not None and count >= limit:
        raise PlanLimitError(
            f"The plan of this organization has room for {limit} {noun}, and they are there. Remove one, or "
            "ask who runs this server for another plan."
        )
