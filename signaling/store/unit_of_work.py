"""One transaction over all repositories."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from signaling.errors import OutcomeUnknownError, StoreUnavailableError
from signaling.services.ports import (
    ApiKeyRepository,
    ConfigurationRepository,
    HistoryRepository,
    IdempotencyRepository,
    LoginRepository,
    MeetingRepository,
    OrganizationRepository,
    ParticipantRepository,
    PeerReportRepository,
    PresetRepository,
    RevokedSubjectRepository,
    ServerRepository,
    SessionRepository,
    SigningKeyRepository,
    UnitRepository,
    UserRepository,
)
from signaling.services.ports.webhooks import (
    DeliveryRepository,
    WebhookKeyRepository,
    WebhookRepository,
)
from signaling.store.api_keys import SqlApiKeys
from signaling.store.configurations import SqlConfigurations
from signaling.store.connection import Source, Transaction
from signaling.store.failures import told
from signaling.store.history import SqlHistory
from signaling.store.idempotency import SqlIdempotency
from signaling.store.logins import SqlLogins
from signaling.store.meetings import SqlMeetings
from signaling.store.organizations import SqlOrganizations
from signaling.store.outbox import SqlDeliveries
from signaling.store.participants import SqlParticipants
from signaling.store.peer_reports import SqlPeerReports
from signaling.store.presets import SqlPresets
from signaling.store.revoked_subjects import SqlRevokedSubjects
from signaling.store.servers import SqlServers
from signaling.store.sessions import SqlSessions
from signaling.store.signing_keys import SqlSigningKeys
from signaling.store.units import SqlUnits
from signaling.store.users import SqlUsers
from signaling.store.webhook_keys import SqlWebhookKeys
from signaling.store.webhooks import SqlWebhooks


class SqlUnitOfWork:
    """`async with` begins, `commit` makes it last, leaving without it rolls back.

    Do not wait for anything but the store inside: on SQLite every other unit waits meanwhile.
    """

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

    def __init__(
        self, source: Source, *, reading: bool = False, apart: bool = False, alone: bool = False
    ) -> None:
        self._source = source
        self._reading = reading
        self._apart = apart
        self._alone = alone
        self._db: Transaction | None = None
        self._after_commit: dict[Callable[[], None], None] = {}

    async def __aenter__(self) -> Self:
        """Raises `StoreUnavailableError`."""
        assert self._db is None, "a unit of work is entered once"
        try:
            db = self._db = await self._source.begin(
                reading=self._reading, apart=self._apart, alone=self._alone
            )
        except Exception as error:
            raise told(error) or error from error
        self.organizations = SqlOrganizations(db)
        self.meetings = SqlMeetings(db)
        self.participants = SqlParticipants(db)
        self.presets = SqlPresets(db)
        self.sessions = SqlSessions(db)
        self.history = SqlHistory(db)
        self.peer_reports = SqlPeerReports(db)
        self.configurations = SqlConfigurations(db)
        self.idempotency = SqlIdempotency(db)
        self.servers = SqlServers(db)
        self.signing_keys = SqlSigningKeys(db)
        self.revoked_subjects = SqlRevokedSubjects(db)
        self.webhooks = SqlWebhooks(db)
        self.webhook_keys = SqlWebhookKeys(db)
        self.deliveries = SqlDeliveries(db)
        self.api_keys = SqlApiKeys(db)
        self.units = SqlUnits(db)
        self.users = SqlUsers(db)
        self.logins = SqlLogins(db)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What the database said inside is raised as an error of ours (`signaling.store.failures`). Otherwise
        what it says when this ends, instead of `error`: that may come of what was never committed."""
        assert self._db is not None
        ours = None if error is None else told(error)
        try:
            await self._db.close()
        except Exception as failure:
            if ours is None:
                raise told(failure) or failure from error
        if ours is not None:
            raise ours from error

    def after_commit(self, callback: Callable[[], None]) -> None:
        self._after_commit[callback] = None

    async def commit(self) -> None:
        """Raises `ContendedError` and `StoreUnavailableError`, after which nothing was done, and
        `OutcomeUnknownError`, after which nobody knows."""
        assert self._db is not None, "a unit of work is committed inside its async with"
        try:
            await self._db.commit()
        except Exception as error:
            ours = told(error)
            if isinstance(ours, StoreUnavailableError) and self._db.invalidated:
                self._tell()
                ours = OutcomeUnknownError()
            raise ours or error from error
        self._tell()

    def _tell(self) -> None:
        for callback in self._after_commit:
            callback()
        self._after_commit.clear()
