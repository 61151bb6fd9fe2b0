"""What the services need of the outside, as narrow protocols. `app.py` plugs the adapters in.

`store` implements `UnitOfWork` and the repositories; `auth` implements `Tokens`; `services.live` implements
`LiveSessions`; `nodes` implements `MetricsSource`; `testing` ships a fake of each. What one organization
owns is invisible to every other: repositories take the organization's id and find nothing outside it.
"""

from __future__ import annotations

from signaling.services.ports.api_keys import ApiKeyRepository
from signaling.services.ports.client_tokens import ClientTokens, RevokedSubjectRepository
from signaling.services.ports.clock import Clock
from signaling.services.ports.configurations import ConfigurationRepository
from signaling.services.ports.history import HistoryRepository
from signaling.services.ports.idempotency import IdempotencyRepository
from signaling.services.ports.live import LiveSessions, LiveSessionView, Outlook, PresentView, WaitingView
from signaling.services.ports.meetings import MeetingRepository
from signaling.services.ports.nodes import FreezeCount, MetricsSource, QualitySpread, Spread, WorkerStatus
from signaling.services.ports.organizations import OrganizationRepository
from signaling.services.ports.participants import ParticipantRepository
from signaling.services.ports.peer_reports import CurrentReports, NoCurrentReports, PeerReportRepository
from signaling.services.ports.presets import PresetRepository
from signaling.services.ports.secrets import AccessToken, AccessTokens, NewKey, Passwords, Secrets
from signaling.services.ports.servers import ServerRepository
from signaling.services.ports.sessions import SessionRepository
from signaling.services.ports.signing_keys import SigningKeyRepository
from signaling.services.ports.tokens import Tokens
from signaling.services.ports.unit_of_work import UnitOfWork, UnitOfWorkFactory
from signaling.services.ports.units import UnitRepository
from signaling.services.ports.users import LoginRepository, LoginStanding, UserRepository
from signaling.services.ports.webhooks import WebhookStatus

__all__ = [
    "AccessToken",
    "AccessTokens",
    "ApiKeyRepository",
    "ClientTokens",
    "Clock",
    "ConfigurationRepository",
    "CurrentReports",
    "FreezeCount",
    "HistoryRepository",
    "IdempotencyRepository",
    "LiveSessionView",
    "LiveSessions",
    "LoginRepository",
    "LoginStanding",
    "MeetingRepository",
    "MetricsSource",
    "NewKey",
    "NoCurrentReports",
    "OrganizationRepository",
    "Outlook",
    "ParticipantRepository",
    "Passwords",
    "PeerReportRepository",
    "PresentView",
    "PresetRepository",
    "QualitySpread",
    "RevokedSubjectRepository",
    "Secrets",
    "ServerRepository",
    "SessionRepository",
    "SigningKeyRepository",
    "Spread",
    "Tokens",
    "UnitOfWork",
    "UnitOfWorkFactory",
    "UnitRepository",
    "UserRepository",
    "WaitingView",
    "WebhookStatus",
    "WorkerStatus",
]
