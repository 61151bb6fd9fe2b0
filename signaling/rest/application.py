"""The HTTP application: every route and middleware, ready for `app.py` to add the WebSocket and serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from signaling.auth.api_keys import Authenticator
from signaling.metrics import Metrics
from signaling.rest.access import access_middleware
from signaling.rest.client_address import IpNetwork
from signaling.rest.cors import cors_middleware
from signaling.rest.descriptions import DescriptionRoutes
from signaling.rest.health import HealthRoutes
from signaling.rest.jwks import JwksRoutes
from signaling.rest.middlewares import (
    errors_middleware,
    headers_middleware,
    metrics_middleware,
    request_id_middleware,
)
from signaling.rest.operation import OperationTable
from signaling.rest.pages import MEET, REFERENCE, PageRoutes
from signaling.rest.rate_limiting import address_middleware, key_middleware, told_middleware
from signaling.rest.realtimekit import BASE, realtimekit
from signaling.rest.realtimekit.apps import KitAppRoutes
from signaling.rest.rendering import Rendering
from signaling.rest.telnyx.actions import RoomActionRoutes
from signaling.rest.telnyx.rendering import TELNYX
from signaling.rest.telnyx.room_sessions import RoomSessionRoutes
from signaling.rest.telnyx.rooms import RoomRoutes
from signaling.rest.telnyx.tokens import RoomTokenRoutes
from signaling.rest.v2.active_session import ActiveSessionRoutes
from signaling.rest.v2.analytics import AnalyticsRoutes
from signaling.rest.v2.api_keys import ApiKeyRoutes
from signaling.rest.v2.configuration import ConfigurationRoutes
from signaling.rest.v2.guests import GuestRoutes, MemberRoutes
from signaling.rest.v2.invitation import InvitationRoutes
from signaling.rest.v2.logins import LoginRoutes
from signaling.rest.v2.meetings import MeetingRoutes
from signaling.rest.v2.organizations import OrganizationRoutes
from signaling.rest.v2.participants import ParticipantRoutes
from signaling.rest.v2.presets import PresetRoutes
from signaling.rest.v2.sessions import SessionRoutes
from signaling.rest.v2.units import UnitRoutes
from signaling.rest.v2.users import UserRoutes
from signaling.rest.v2.waiting_room import WaitingRoomRoutes
from signaling.rest.v2.webhook_deliveries import DeliveryRoutes
from signaling.rest.v2.webhooks import WebhookKeyRoutes, WebhookRoutes
from signaling.rest.v2.whep import WhepRoutes
from signaling.rest.v2.whip import WhipRoutes
from signaling.services.active_session import ActiveSessionService
from signaling.services.analytics import UsageService
from signaling.services.client_tokens import ClientTokenService
from signaling.services.configuration import ConfigurationService
from signaling.services.guests import GuestService
from signaling.services.invitation import InvitationService
from signaling.services.live.http_peers import HttpPeers
from signaling.services.meetings import MeetingService
from signaling.services.members import MemberService
from signaling.services.participants import ParticipantService
from signaling.services.ports import Clock, MetricsSource
from signaling.services.presets import PresetService
from signaling.services.rate_limit import RateLimits
from signaling.services.reach import Reach
from signaling.services.removal import RemovalService
from signaling.services.session_actions import SessionActionService
from signaling.services.sessions import SessionService
from signaling.services.tenancy import Tenancy
from signaling.services.webhooks import WebhookService

MAX_BODY: Final = 1024 * 1024
MAX_REQUEST_LINE: Final = 64 * 1024
"""Bytes: the longest filters that lists take, escaped (a character may take twelve)."""
RENDERINGS: Final[Mapping[str, Rendering]] = {
    f"/v2/{noun}": TELNYX for noun in ("rooms", "room_sessions", "room_participants")
}
"""By the prefixes of paths, where it is not the house's."""
OPERATIONS: Final = web.AppKey("operations", OperationTable)


@dataclass(frozen=True, slots=True)
class RestParts:
    """What the routes stand on."""

    authenticator: Authenticator
    reach: Reach
    tenancy: Tenancy
    meetings: MeetingService
    participants: ParticipantService
    guests: GuestService
    members: MemberService
    removal: RemovalService
    configuration: ConfigurationService
    presets: PresetService
    active_session: ActiveSessionService
    sessions: SessionService
    usage: UsageService
    session_actions: SessionActionService
    invitation: InvitationService
    client_tokens: ClientTokenService
    http_peers: HttpPeers
    webhooks: WebhookService
    webhook_keys: Callable[[], Mapping[str, Any]]
    """What is published of them."""
    workers: MetricsSource
    metrics: Metrics
    jwks: Callable[[], Mapping[str, Any]]
    clock: Clock
    web_dir: Path
    """The build of the meeting page; those of the others lie beside its app."""
    version: str
    base_url: str
    """Where clients reach this server, without a slash at its end."""
    rate_limits: RateLimits = field(default_factory=RateLimits)
    trusted_proxies: Sequence[IpNetwork] = ()
    other_urls: Callable[[], Sequence[str]] = tuple
    """How clients reach the servers that this one shares a database with."""


def build_application(parts: RestParts) -> web.Application:
    table = OperationTable()
    application = web.Application(
        client_max_size=MAX_BODY,
        middlewares=[
            request_id_middleware,
            metrics_middleware(parts.metrics, parts.clock),
            headers_middleware(parts.other_urls),
            cors_middleware,
            told_middleware,
            errors_middleware(table, RENDERINGS, parts.base_url),
            address_middleware(parts.rate_limits, parts.trusted_proxies, parts.clock),
            access_middleware(parts.authenticator, parts.reach, table),
            key_middleware(parts.rate_limits, parts.clock),
        ],
    )
    meet = PageRoutes(MEET, parts.web_dir)
    whip, whep = WhipRoutes(parts.http_peers), WhepRoutes(parts.http_peers)
    house = [
        *MeetingRoutes(parts.meetings).operations(),
        *ParticipantRoutes(parts.participants).operations(),
        *PresetRoutes(parts.presets).operations(),
        *ConfigurationRoutes(parts.configuration).operations(),
        *ActiveSessionRoutes(parts.active_session).operations(),
        *WaitingRoomRoutes(parts.active_session).operations(),
        *SessionRoutes(parts.sessions).operations(),
        *WebhookRoutes(parts.webhooks).operations(),
        *DeliveryRoutes(parts.webhooks).operations(),
        *AnalyticsRoutes(parts.usage).operations(),
    ]
    kit = [*realtimekit(house), *KitAppRoutes(parts.tenancy.apps).operations()]
    table.register(application.router, kit, below=BASE)
    table.register(
        application.router,
        [
            *house,
            *OrganizationRoutes(parts.tenancy.organizations, parts.tenancy.apps, parts.removal).operations(),
            *UnitRoutes(parts.tenancy.units).operations(),
            *ApiKeyRoutes(parts.tenancy.api_keys).operations(),
            *UserRoutes(parts.tenancy.users).operations(),
            *LoginRoutes(parts.tenancy.logins, parts.trusted_proxies).operations(),
            *InvitationRoutes(parts.invitation).operations(),
            *WebhookKeyRoutes(parts.webhook_keys).operations(),
            *GuestRoutes(parts.guests).operations(),
            *MemberRoutes(parts.members).operations(),
            *whip.operations(),
            *whep.operations(),
            *HealthRoutes(parts.workers, parts.metrics, parts.version).operations(),
            *JwksRoutes(parts.jwks).operations(),
            *kit,
            *RoomRoutes(parts.meetings, parts.sessions).operations(),
            *RoomSessionRoutes(parts.meetings, parts.sessions).operations(),
            *RoomActionRoutes(parts.session_actions).operations(),
            *RoomTokenRoutes(parts.client_tokens).operations(),
        ],
    )
    for routes in (
        whip.routes(),
        whep.routes(),
        DescriptionRoutes(table, parts.version).routes(),
        meet.routes(),
        [web.get("/", meet.root)],
        PageRoutes(REFERENCE, parts.web_dir.parent.parent / "reference" / "dist").routes(),
    ):
        application.router.add_routes(routes)
    application[OPERATIONS] = table
    return application
