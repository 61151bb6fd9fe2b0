"""Organizations: made by who runs the platform, seen and changed by themselves."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import structlog

from signaling.domain.caller import Caller
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.organization import ApiKey, Organization
from signaling.domain.plan import Feature, PlanName, checked_flags, require_feature
from signaling.domain.preset import PresetRecord
from signaling.domain.region import Region
from signaling.domain.version import check_version
from signaling.errors import ConflictError, ForbiddenError, NotFoundError
from signaling.ids import new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.ports import Clock, Secrets, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)


class OrganizationSettings(TypedDict, total=False):
    """What may be set of an organization; what is absent stays as it is (or takes its default)."""

    name: str
    contact: str | None
    website: str | None
    logo_url: str | None
    preferred_region: Region | None
    feature_flags: tuple[str, ...]
    plan: PlanName


@dataclass(frozen=True, slots=True)
class MadeOrganization:
    organization: Organization
    api_key: str
    """Shown now, and never again."""


class OrganizationService:
    def __init__(self, units: UnitOfWorkFactory, clock: Clock, secrets: Secrets) -> None:
        self._units = units
        self._clock = clock
        self._secrets = secrets

    async def create(
        self,
        caller: Caller,
        *,
        once: Once[Organization] | None = None,
        **settings: Unpack[OrganizationSettings],
    ) -> MadeOrganization:
        """With the default presets and a first key; its `name` is needed. For `once` see
        `signaling.services.idempotency`: the answer of then has no key.

        Raises `ForbiddenError` unless the caller is of the platform, `ConflictError` where the name is taken,
        and `ValidationFailedError` for an unknown flag.
        """
        require_platform(caller)
        now, key = self._clock.now(), self._secrets.new_key()
        organization = _changed(Organization(new_uuid(), settings["name"], now, now), settings)
        first_key = ApiKey(new_uuid(), organization.id, key.digest, now, name="First key", prefix=key.prefix)

        async def work(uow: UnitOfWork) -> Organization:
            await _check_free(uow, organization)
            await add_tenant(uow, organization)
            await uow.api_keys.add(first_key)
            return organization

        await create_once(self._units, self._clock, caller.organization_id, once, work)
        log.info("organization.created", organization_id=organization.id, by=caller.credential_id)
        return MadeOrganization(organization, key.text)

    async def get(self, caller: Caller, organization_id: str) -> Organization:
        """Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            return await visible_organization(uow, caller, organization_id)

    async def list(
        self, caller: Caller, *, search: str | None = None, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Organization], int]:
        """A page, newest first, and the total: of all of the platform, or the caller's own one."""
        async with self._units(reading=True) as uow:
            if caller.platform:
                return await uow.organizations.list(search=search, offset=offset, limit=limit)
            own = await uow.organizations.get(caller.organization_id)
        wanted = (search or "").casefold()
        found = [own] if own and (wanted in own.name.casefold() or search == own.id) else []
        return found[offset : offset + limit], len(found)

    async def change(
        self,
        caller: Caller,
        organization_id: str,
        *,
        if_version: Set[int] | None = None,
        **settings: Unpack[OrganizationSettings],
    ) -> Organization:
        """Raises `NotFoundError`, `ForbiddenError` where others than the platform would change the plan,
        `PreconditionFailedError`, `ConflictError` where the name is taken, and `ValidationFailedError`."""
        planned = "plan" in settings or "feature_flags" in settings

        async def work(uow: UnitOfWork) -> Organization:
            before = await visible_organization(uow, caller, organization_id)
            if planned and not caller.platform:
                raise ForbiddenError("The plan and the feature flags are set by who runs this server.")
            if planned and before.parent_id:
                raise ConflictError("An app has the plan of its organization. Change it there.")
            check_version("organization", before.version, if_version)
            after = _changed(before, settings)
            after = replace(after, version=before.version + 1, updated_at=self._clock.now())
            if after.name != before.name:
                await _check_free(uow, after)
            await uow.organizations.save(after)
            if (after.plan, after.feature_flags) != (before.plan, before.feature_flags):
                for app in await uow.organizations.apps(after.id):
                    await uow.organizations.save(
                        replace(app, plan=after.plan, feature_flags=after.feature_flags)
                    )
            return after

        organization = await committed(self._units, work)
        log.info(
            "organization.changed",
            organization_id=organization.id,
            by=caller.credential_id,
            what=sorted(settings),
        )
        return organization


def require_platform(caller: Caller) -> None:
    """Raises `ForbiddenError`."""
    if not caller.platform:
        raise ForbiddenError("This is for who runs the platform. Use a key or an account of the platform.")


async def visible_organization(uow: UnitOfWork, caller: Caller, organization_id: str) -> Organization:
    """The caller's own, an app of it, or any for the platform. Raises `NotFoundError`."""
    found = await uow.organizations.get(organization_id)
    if found is not None and (caller.platform or caller.organization_id in (found.id, found.parent_id)):
        return found
    raise NotFoundError.of("organization", organization_id)


async def check_feature(uow: UnitOfWork, organization_id: str, feature: Feature) -> None:
    """Raises `FeatureDisabledError` where the organization has it not."""
    organization = await uow.organizations.get(organization_id)
    if organization is not None:
        require_feature(organization, feature)


async def add_tenant(uow: UnitOfWork, organization: Organization) -> None:
    """An organization or app, with the presets that every one begins with."""
    await uow.organizations.add(organization)
    for preset in DEFAULT_PRESETS:
        made_at = organization.created_at
        await uow.presets.add(PresetRecord(new_uuid(), organization.id, preset, made_at, made_at))


async def _check_free(uow: UnitOfWork, organization: Organization) -> None:
    """Units of work come one after the other, or fail: so looking first is enough."""
    other = await uow.organizations.named(organization.name, parent_id=organization.parent_id)
    if other is not None and other.id != organization.id:
        raise ConflictError(f"The name {organization.name!r} is taken. Choose another one.")


def _changed(organization: Organization, settings: OrganizationSettings) -> Organization:
    changed = replace(organization, **settings)
    return replace(changed, feature_flags=checked_flags(changed.feature_flags))
