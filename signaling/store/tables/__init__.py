"""The tables. Types are portable between SQLite and PostgreSQL; times are UTC.

What no query looks into (a preset, the recording settings of a meeting) is one JSON column, validated again
by the domain's model when it is read. One noun, one module; those imported here are the schema.
"""

from __future__ import annotations

from signaling.store.tables.attendance import attendances
from signaling.store.tables.columns import metadata
from signaling.store.tables.configuration import configurations, session_configurations
from signaling.store.tables.idempotency import idempotency_keys
from signaling.store.tables.meeting import meetings
from signaling.store.tables.organization import api_keys, organizations
from signaling.store.tables.participant import participants
from signaling.store.tables.peer_report import peer_reports
from signaling.store.tables.preset import presets
from signaling.store.tables.server import servers
from signaling.store.tables.session import sessions
from signaling.store.tables.token import revoked_subjects, signing_keys
from signaling.store.tables.unit import units
from signaling.store.tables.user import logins, memberships, password_tokens, users
from signaling.store.tables.webhook import webhook_attempts, webhook_deliveries, webhook_key_pairs, webhooks

__all__ = [
    "api_keys",
    "attendances",
    "configurations",
    "idempotency_keys",
    "logins",
    "meetings",
    "memberships",
    "metadata",
    "organizations",
    "participants",
    "password_tokens",
    "peer_reports",
    "presets",
    "revoked_subjects",
    "servers",
    "session_configurations",
    "sessions",
    "signing_keys",
    "units",
    "users",
    "webhook_attempts",
    "webhook_deliveries",
    "webhook_key_pairs",
    "webhooks",
]
