"""Removing organizations and apps, with all that is theirs.

It is immediate: with the transaction nobody gets in any more by a key, a login or a token of a participant,
and nothing is delivered to a webhook. What it left is removed after that (`signaling.services.emptying`); of
all but large ones it is gone when the answer comes. What stays is when there were sessions and how long
somebody was in them, from which usage is counted (`signaling.store.dissolution`).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final

import structlog

from signaling.domain.caller import Caller
from signaling.domain.meeting import Meeting
from signaling.domain.organization import Organization
from signaling.domain.session_status import SessionEndReason
from signaling.domain.version import check_version
from signaling.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ServerUnreachableError,
    SignalingError,
)
from signaling.services.emptying import Emptying
from signaling.services.live.records import end_all
from signaling.services.organizations import require_platform, visible_organization
from signaling.services.outbox import Outbox
from signaling.services.ports import Clock, LiveSessions, UnitOfWork, UnitOfWorkFactory
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

EMPTIED_WITHIN: Final = 2.0
"""Seconds for which an answer waits for what was left to be gone."""


@dataclass(frozen=True, slots=True)
class _Gone:
    organization: Organization
    tenants: Sequence[str]
    """Its id, and those of its apps."""
    running: Sequence[Meeting]


class RemovalService:
    def __init__(
        self,
        units: UnitOfWorkFactory,
        live: LiveSessions,
        clock: Clock,
        outbox: Outbox,
        remembered: RememberedCallers,
    ) -> None:
        self._units = units
        self._live = live
        self._clock = clock
        self._outbox = outbox
        self._remembered = remembered
        self._emptying = Emptying(units, clock)

    async def remove(
        self,
        caller: Caller,
        organization_id: str,
        *,
        force: bool = False,
        if_version: Set[int] | None = None,
    ) -> Organization:
        """An organization, with its apps; or an app.

        Raises `NotFoundError`, `ForbiddenError` for who may not, `PreconditionFailedError`, and
        `ConflictError` where keys of the platform are in it, and while sessions run: with `force` these are
        ended, and everybody in them is told; `ServerUnreachableError` where it is done, but a server that has
        one of these does not answer.
        """

        async def work(uow: UnitOfWork) -> _Gone:
            organization = await visible_organization(uow, caller, organization_id)
            _check_may(caller, organization)
            check_version("organization", organization.version, if_version)
            tenants = [organization, *await uow.organizations.apps(organization.id)]
            ids = [one.id for one in tenants]
            if any([await uow.api_keys.has_platform(one) for one in ids]):
                raise ConflictError(
                    "Keys of the platform belong to it. Make others elsewhere, and revoke these."
                )
            running = [meeting for one in ids for meeting in await _running(uow, one)]
            if running and not force:
                raise ConflictError(
                    f"{len(running)} of its meetings are running. End them first, or send force=true."
                )
            for one in ids:
                await uow.organizations.dissolve(one, self._clock.now())
            return _Gone(organization, ids, running)

        gone = await committed(self._units, work, alone=True)
        self._remembered.forget()
        await self._end(gone)
        log.info(
            "organization.removed",
            organization_id=gone.organization.id,
            apps=len(gone.tenants) - 1,
            ended=len(gone.running),
            by=caller.credential_id,
        )
        return gone.organization

    async def remove_app(
        self,
        caller: Caller,
        account_id: str,
        app_id: str,
        *,
        force: bool = False,
        if_version: Set[int] | None = None,
    ) -> Organization:
        """The same of an app of this organization. Raises `ConflictError` for the default one besides."""
        async with self._units(reading=True) as uow:
            account = await visible_organization(uow, caller, account_id)
            app = await uow.organizations.get(app_id)
        if app is None or app.account_id != account.id:
            raise NotFoundError.of("app", app_id)
        if app.parent_id is None:
            raise ConflictError("The default app is the organization itself, and goes with it only.")
        return await self.remove(caller, app_id, force=force, if_version=if_version)

    async def _end(self, gone: _Gone) -> None:
        """Whatever a session wrote as it ended is emptied with what was there before; that of a server which
        does not answer ends in the store, so that this one writes nothing to it any more. Raises
        `ServerUnreachableError` in the end, where there is such a server."""
        for one in gone.tenants:
            self._outbox.forget(one)
        unreached: ServerUnreachableError | None = None
        for meeting in gone.running:
            try:
                await self._live.meeting_removed(meeting)
            except ServerUnreachableError as error:
                unreached = error  # it is told again until it hears; the others are not to wait for it

        async def work(uow: UnitOfWork) -> None:
            now = self._clock.now()
            found = [await uow.sessions.active_for(meeting.id) for meeting in gone.running]
            await end_all(
                uow, self._outbox, [one for one in found if one], now, SessionEndReason.MEETING_DELETED
            )

        if gone.running:
            await committed(self._units, work)
        try:
            for one in gone.tenants:
                await self._emptying.empty(one, within=EMPTIED_WITHIN)
        except SignalingError as error:  # the next look finds it
            log.warning("organization.not_emptied", organization_id=one, error=error.message)
        if unreached is not None:
            raise unreached


def _check_may(caller: Caller, organization: Organization) -> None:
    """Raises `ForbiddenError`: organizations are removed by the platform, apps by their organization too."""
    if organization.parent_id is None:
        require_platform(caller)
    elif not caller.platform and caller.organization_id != organization.parent_id:
        raise ForbiddenError(
            "An app is removed by its organization. Send this for that one, with its credential."
        )


async def _running(uow: UnitOfWork, organization_id: str) -> Sequence[Meeting]:
    ids = await uow.sessions.running_in(organization_id)
    found = [await uow.meetings.get(organization_id, one) for one in ids]
    return [one for one in found if one is not None]
