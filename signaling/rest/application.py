"""The HTTP application: every route and middleware, ready for `app.py` to add the WebSocket and serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web

from signaling.auth.api_keys import Authenticator
from signaling.metrics import Metrics
from signaling.rest.access import access_middleware
from signaling.rest.active_session import ActiveSessionRoutes
from signaling.rest.client_address import IpNetwork
from signaling.rest.cors import cors_middleware
from signaling.rest.invitation import InvitationRoutes
from signaling.rest.meetings import MeetingRoutes
from signaling.rest.middlewares import (
    errors_middleware,
    headers_middleware,
    metrics_middleware,
    request_id_middleware,
)
from signaling.rest.operations import OperationRoutes
from signaling.rest.pages import PageRoutes
from signaling.rest.participants import ParticipantRoutes
from signaling.rest.presets import PresetRoutes
from signaling.rest.rate_limiting import address_middleware, key_middleware, told_middleware
from signaling.rest.whep import WhepRoutes
from signaling.rest.whip import WhipRoutes
from signaling.services.active_session import ActiveSessionService
from signaling.services.invitation import InvitationService
from signaling.services.live.http_peers import HttpPeers
from signaling.services.meetings import MeetingService
from signaling.services.participants import ParticipantService
from signaling.services.ports import Clock, MetricsSource
from signaling.services.presets import PresetService
from signaling.services.rate_limit import RateLimits

MAX_BODY: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RestParts:
    """What the routes stand on."""

    authenticator: Authenticator
    meetings: MeetingService
    participants: ParticipantService
    presets: PresetService
    active_session: ActiveSessionService
    invitation: InvitationService
    http_peers: HttpPeers
    workers: MetricsSource
    metrics: Metrics
    clock: Clock
    web_dir: Path
    version: str
    rate_limits: RateLimits = field(default_factory=RateLimits)
    trusted_proxies: Sequence[IpNetwork] = ()


def build_application(parts: RestParts) -> web.Application:
    application = web.Application(
        client_max_size=MAX_BODY,
        middlewares=[
            request_id_middleware,
            metrics_middleware(parts.metrics, parts.clock),
            headers_middleware,
            cors_middleware,
            told_middleware,
            errors_middleware,
            address_middleware(parts.rate_limits, parts.trusted_proxies, parts.clock),
            access_middleware(parts.authenticator),
            key_middleware(parts.rate_limits, parts.clock),
        ],
    )
    for routes in (
        MeetingRoutes(parts.meetings).routes(),
        ParticipantRoutes(parts.participants).routes(),
        PresetRoutes(parts.presets).routes(),
        ActiveSessionRoutes(parts.active_session).routes(),
        InvitationRoutes(parts.invitation).routes(),
        WhipRoutes(parts.http_peers).routes(),
        WhepRoutes(parts.http_peers).routes(),
        OperationRoutes(parts.workers, parts.metrics, parts.version).routes(),
        PageRoutes(parts.web_dir).routes(),
    ):
        application.router.add_routes(routes)
    return application
