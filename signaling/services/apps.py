"""Apps: the environments of an organization, each a tenant of its own.

The organization itself is its default app. A key of the organization works for its apps too; an app can have
keys that work for nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from signaling.domain.caller import Caller
from signaling.domain.organization import Organization
from signaling.domain.plan import Feature, check_room, limits_of, require_feature
from signaling.errors import ConflictError, NotFoundError
from signaling.ids import new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.organizations import add_tenant
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory

log = structlog.get_logger(__name__)


class AppService:
    def __init__(self, units: UnitOfWorkFactory, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def create(
        self, caller: Caller, account_id: str, name: str, *, once: Once[Organization] | None = None
    ) -> Organization:
        """With the default presets. Raises `NotFoundError` for another's organization, `ConflictError` where
        the name is taken or the organization is an app itself, `FeatureDisabledError` and
        `PlanLimitError`."""
        now = self._clock.now()

        async def work(uow: UnitOfWork) -> Organization:
            account = await _account(uow, caller, account_id)
            if account.parent_id is not None:
                raise ConflictError("An app has no apps. Make it in the organization.")
            require_feature(account, Feature.APPS)
            others = await uow.organizations.apps(account_id)
            check_room("apps", len(others), limits_of(account).apps)
            if name in {account.name, *(one.name for one in others)}:
                raise ConflictError(f"There is an app {name!r} already. Choose another name.")
            app = Organization(
                id=new_uuid(),
                name=name,
                created_at=now,
                updated_at=now,
                parent_id=account.id,
                preferred_region=account.preferred_region,
                plan=account.plan,
                feature_flags=account.feature_flags,
            )
            await add_tenant(uow, app)
            return app

        app = await create_once(self._units, self._clock, account_id, once, work)
        log.info("app.created", organization_id=account_id, app_id=app.id, by=caller.credential_id)
        return app

    async def list(self, caller: Caller, account_id: str) -> Sequence[Organization]:
        """The organization, which is the default app, then its apps, the oldest first. Raises
        `NotFoundError`."""
        async with self._units(reading=True) as uow:
            account = await _account(uow, caller, account_id)
            return [account, *await uow.organizations.apps(account_id)]

    async def page(
        self,
        caller: Caller,
        account_id: str,
        *,
        search: str | None = None,
        descending: bool = False,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[Organization], int]:
        """Of the same, those with `search` in their names, or as their id; and how many they are. Raises
        `NotFoundError`."""
        wanted = (search or "").casefold()
        found = [
            one
            for one in await self.list(caller, account_id)
            if wanted in one.name.casefold() or one.id == search
        ]
        ordered = found[::-1] if descending else found
        return ordered[offset : offset + limit], len(found)


async def _account(uow: UnitOfWork, caller: Caller, account_id: str) -> Organization:
    """Raises `NotFoundError`."""
    if caller.platform or caller.organization_id == account_id:
        found = await uow.organizations.get(account_id)
        if found is not None:
            return found
    raise NotFoundError.of("organization", account_id)
