"""One transaction over all repositories."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from signaling.services.ports.api_keys import ApiKeyRepository
from signaling.services.ports.client_tokens import RevokedSubjectRepository
from signaling.services.ports.configurations import ConfigurationRepository
from signaling.services.ports.history import HistoryRepository
from signaling.services.ports.idempotency import IdempotencyRepository
from signaling.services.ports.meetings import MeetingRepository
from signaling.services.ports.organizations import OrganizationRepository
from signaling.services.ports.participants import ParticipantRepository
from signaling.services.ports.peer_reports import PeerReportRepository
from signaling.services.ports.presets import PresetRepository
from signaling.services.ports.servers import ServerRepository
from signaling.services.ports.sessions import SessionRepository
from signaling.services.ports.signing_keys import SigningKeyRepository
from signaling.services.ports.units import UnitRepository
from signaling.services.ports.users import LoginRepository, UserRepository
from signaling.services.ports.webhooks import (
    DeliveryRepository,
    WebhookKeyRepository,
    WebhookRepository,
)


class UnitOfWork(Protocol):
    """One transaction: `async with uow_factory() as uow: ...; await uow.commit()`. Leaving without commit
    rolls back."""

    organizations: OrganizationRepository
    meetings: MeetingRepository
    participants: ParticipantRepository
    presets: PresetRepository
    sessions: SessionRepository
    history: HistoryRepository
    peer_reports: PeerReportRepository
    configurations: ConfigurationRepository
    idempotency: IdempotencyRepository
    servers: ServerRepository
    signing_keys: SigningKeyRepository
    revoked_subjects: RevokedSubjectRepository
    webhooks: WebhookRepository
    webhook_keys: WebhookKeyRepository
    deliveries: DeliveryRepository
    api_keys: ApiKeyRepository
    units: UnitRepository
    users: UserRepository
    logins: LoginRepository

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def commit(self) -> None: ...
    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls it once, as soon as this unit is committed, or may be."""
        ...


class UnitOfWorkFactory(Protocol):
    """Entering and everything inside raises `StoreUnavailableError` while the database does not answer."""

    def __call__(self, *, reading: bool = False, apart: bool = False, alone: bool = False) -> UnitOfWork:
        """A unit that is only `reading` sees one state of the store, keeps nobody waiting, and never fails
        for what others do. Any other may end in `ContendedError`: see `signaling.services.transaction`.

        `apart`, for reading, is for who asks one thing: what is asked after it may be of a later state.
        `alone`, for writing, is for who changes many rows: others, who are committed together where that is
        cheaper, do not wait for it with what they have done."""
        ...
