"""The composition root: builds everything, wires it, and ends it in order. Nothing else does.

    start   data directory -> store -> key -> media nodes -> lease, sessions -> first organization -> HTTP
    stop    no new connections -> peers are told -> open requests end -> nodes drain -> store

Each step that was taken is undone in reverse, also when a later one fails.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from importlib.metadata import version as distribution_version
from typing import Final, Self

import structlog
from aiohttp import web

from sfu.client import DoorError, NodeLostError, Survivor, find_survivors
from signaling.auth.client_tokens import JwtClientTokens
from signaling.auth.keys import put_aside, read_former
from signaling.auth.passwords import Argon2Passwords
from signaling.auth.signing_keys import SigningKeys
from signaling.auth.tokens import JwtTokens
from signaling.auth.turn import IceServerList
from signaling.clock import SystemClock
from signaling.config import Settings
from signaling.domain.configuration import SYSTEM, Configuration
from signaling.domain.server import SignalingServer
from signaling.errors import InvalidInputError
from signaling.first_start import JoinLink, demo_links
from signaling.ids import new_uuid
from signaling.internal.client import InternalClient
from signaling.internal.endpoint import InternalEndpoint
from signaling.listening import bound_listeners
from signaling.metrics import Metrics
from signaling.nodes.placement import Capacity
from signaling.nodes.supervisor import NodesConfig, NodeSupervisor
from signaling.preflight import check_ports, check_settings, lock_data_dir, media_hosts
from signaling.rest.application import MAX_REQUEST_LINE, RestParts, build_application
from signaling.rest.client_address import address_of
from signaling.secrets import secret_box, signing_keys
from signaling.server_id import SERVER_ID_FILE, keep_server_id, read_server_id
from signaling.services.active_session import ActiveSessionService
from signaling.services.analytics import UsageService
from signaling.services.bootstrap import Bootstrap
from signaling.services.client_tokens import ClientTokenService
from signaling.services.configuration import ConfigurationService
from signaling.services.emptying import Emptying
from signaling.services.guests import GuestService
from signaling.services.idempotency import forgetting
from signaling.services.invitation import InvitationService
from signaling.services.levels import House
from signaling.services.live.archive import SessionArchive
from signaling.services.live.everywhere import Everywhere
from signaling.services.live.http_peers import HttpPeers
from signaling.services.live.ownership import Ownership
from signaling.services.live.service import LiveService
from signaling.services.live.surroundings import LiveSettings, Surroundings
from signaling.services.meeting_passwords import MeetingPasswords
from signaling.services.meetings import MeetingService
from signaling.services.members import MemberService
from signaling.services.outbox import Outbox
from signaling.services.participants import ParticipantService
from signaling.services.ports import Clock, LiveSessions, Tokens
from signaling.services.presets import PresetService
from signaling.services.rate_limit import RateLimits
from signaling.services.reach import Reach
from signaling.services.removal import RemovalService
from signaling.services.session_actions import SessionActionService
from signaling.services.sessions import SessionService
from signaling.store.database import DATABASE_FILE, Database, sqlite_url
from signaling.tenant_access import TenantAccess
from signaling.webhooks.addresses import AddressPolicy
from signaling.webhooks.dispatch import Webhooks
from signaling.webhooks.key_pairs import PURPOSE as WEBHOOK_KEYS
from signaling.ws.handler import WsHandler
from signaling.ws.hub import WsHub

log = structlog.get_logger(__name__)

KEY_FILE: Final = "token-key.pem"
"""Of versions that kept no keys in the store."""
WORKERS_FOLDER: Final = "workers"
"""Where media workers can be found by the next server, in the data directory."""
_REQUESTS_END_WITHIN: Final = 3.0
_STOP_WITHIN: Final = 20.0


class Server:
    """`async with Server(settings) as server:` serves for as long as the block runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.base_url = ""
        self.links: list[JoinLink] = []
        self.nodes: NodeSupervisor | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises `InvalidInputError` when the machine or the data does not let it start."""
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            async with asyncio.timeout(_STOP_WITHIN):
                await self._stack.aclose()
        except TimeoutError:
            log.error("server.not_stopped_in_time", seconds=_STOP_WITHIN)

    def kill(self) -> None:
        """Before the process ends at once: its workers end as well, whatever they carry."""
        if self.nodes is not None:
            self.nodes.kill()

    async def _start(self, stack: AsyncExitStack) -> None:
        settings, clock = self.settings, SystemClock()
        tls = check_settings(settings)
        stack.callback(lock_data_dir(settings.data_dir).close)
        survivors = await _survivors(settings)
        for survivor in survivors:
            stack.callback(survivor.release)
        check_ports(settings, held=[one.config.udp_port for one in survivors if one.config is not None])
        database = await _opened(settings)
        stack.push_async_callback(database.close)
        keys = await _keys(settings, database, clock)
        tokens = JwtTokens(keys.ring, clock, timedelta(seconds=settings.token_ttl))
        webhooks = await Webhooks.open(
            database,
            clock,
            box=secret_box(settings, WEBHOOK_KEYS),
            policy=AddressPolicy(settings.webhook_networks, http=settings.webhook_http),
            version=_version(),
            server_id=lambda: servers.id,  # which are there before it is asked
        )
        stack.push_async_callback(webhooks.dispatch.close)

        nodes = self.nodes = await _started_nodes(settings, survivors)
        stack.push_async_callback(nodes.close)
        hub = WsHub()
        listeners = _listeners(settings, stack)
        self.base_url = settings.base_url(listeners[0].getsockname()[1])
        servers = _ownership(settings, database, clock, self.base_url, webhooks.outbox)
        around = _surroundings(settings, database, nodes, hub, clock, servers, webhooks.outbox)
        live = LiveService(around, tokens)
        from_where = partial(address_of, trusted=settings.trusted_proxies)
        sockets = WsHandler(live, hub, clock, address_of=from_where)
        client = InternalClient(keys.ring, clock)
        stack.push_async_callback(client.close)
        everywhere = Everywhere(live, servers, client)
        stack.push_async_callback(everywhere.close)
        application = _application(
            settings,
            database,
            tokens,
            keys,
            clock,
            nodes,
            live,
            everywhere.as_live_sessions(),
            servers,
            sockets,
            webhooks,
            self.base_url,
        )
        application.add_routes(InternalEndpoint(live, keys.ring, lambda: servers.id).routes())
        runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=_REQUESTS_END_WITHIN,
            max_line_size=MAX_REQUEST_LINE,
        )
        stack.push_async_callback(runner.cleanup)
        await live.start()
        stack.push_async_callback(servers.end)
        stack.push_async_callback(sockets.close)
        stack.push_async_callback(live.close)

        webhooks.dispatch.start()
        archive = SessionArchive(database, clock, servers, live.reports)
        emptying = Emptying(database, clock)
        for repeating in (keys.looking, forgetting(database, clock), archive.looking, emptying.looking):
            repeating.start()
            stack.push_async_callback(repeating.close)
        bootstrap = Bootstrap(database, clock)
        self.links = await demo_links(settings.data_dir, bootstrap, tokens, self.base_url)
        await _serve(stack, runner, listeners, tls)


def _version() -> str:
    return distribution_version("rostrum")


# --- the parts -----------------------------------------------------------------------------------------


async def _opened(settings: Settings) -> Database:
    return await Database.open(settings.database_url or sqlite_url(settings.data_dir / DATABASE_FILE))


async def _survivors(settings: Settings) -> Sequence[Survivor]:
    """Media workers that a server with this data directory left when it was killed."""
    try:
        return await find_survivors(settings.data_dir / WORKERS_FOLDER)
    except DoorError as error:
        raise InvalidInputError(f"--data-dir: {error}") from None


async def _started_nodes(settings: Settings, survivors: Sequence[Survivor]) -> NodeSupervisor:
    nodes = NodeSupervisor(
        NodesConfig(
            workers=settings.workers,
            hosts=media_hosts(settings),
            udp_port=settings.udp_port,
            announce=tuple(str(one.public) for one in settings.announced),
            log_level=settings.log_level,
            data_messages=settings.data_messages,
            data_bytes=settings.data_bytes,
            spread_above=settings.spread_above,
            move_above=settings.move_above,
            capacity=Capacity(settings.full_above, settings.full_packets),
            shed_above=settings.shed_above,
            loudest_audio=settings.loudest_audio,
            survive=settings.worker_grace,
            door=str((settings.data_dir / WORKERS_FOLDER).absolute()),
        )
    )
    try:
        await nodes.start(survivors)
    except (OSError, NodeLostError) as error:
        raise InvalidInputError(f"a media worker did not start: {error}") from None
    return nodes


async def _keys(settings: Settings, database: Database, clock: Clock) -> SigningKeys:
    keys, former = signing_keys(settings, database, clock), settings.data_dir / KEY_FILE
    await keys.start(read_former(former))
    put_aside(former)
    return keys


def _ownership(
    settings: Settings, database: Database, clock: Clock, base_url: str, outbox: Outbox
) -> Ownership:
    """Nobody else has a database in the data directory, which is locked."""
    id_file = settings.data_dir / SERVER_ID_FILE
    url = settings.server_url or base_url
    own = SignalingServer(
        read_server_id(id_file), new_uuid(), url, settings.internal_url or url, settings.region
    )
    return Ownership(
        database,
        clock,
        own,
        outbox,
        lease=None if settings.database_url is None else settings.server_lease,
        on_renamed=partial(keep_server_id, id_file),
    )


def _house(settings: Settings) -> House:
    """What holds where nobody says anything, and the most that anybody may say."""
    said = {
        "session_keep_alive_time_in_secs": settings.session_grace,
        "max_participants": settings.max_participants,
        "max_duration_secs": settings.max_duration,
    }
    return House(
        Configuration.model_validate(SYSTEM.to_values() | said),
        max_participants=settings.max_participants_limit,
        max_duration_secs=settings.max_duration_limit,
    )


def _surroundings(
    settings: Settings,
    database: Database,
    nodes: NodeSupervisor,
    hub: WsHub,
    clock: Clock,
    servers: Ownership,
    outbox: Outbox,
) -> Surroundings:
    live_settings = LiveSettings(resume_within=settings.resume_within)
    secret = settings.turn_secret
    ice_servers = IceServerList(
        stun_urls=settings.stun_url,
        turn_urls=settings.turn_url,
        secret=secret.get_secret_value() if secret else None,
        ttl=settings.turn_ttl,
    )
    return Surroundings(
        uow=database,
        nodes=nodes,
        hub=hub,
        clock=clock,
        servers=servers,
        outbox=outbox,
        settings=live_settings,
        house=_house(settings),
        ice_servers=ice_servers,
    )


def _application(
    settings: Settings,
    database: Database,
    tokens: Tokens,
    keys: SigningKeys,
    clock: Clock,
    nodes: NodeSupervisor,
    here: LiveService,
    live: LiveSessions,
    servers: Ownership,
    sockets: WsHandler,
    webhooks: Webhooks,
    base_url: str,
) -> web.Application:
    house, passwords = _house(settings), Argon2Passwords()
    of_meetings = MeetingPasswords(passwords, clock)
    access = TenantAccess.of(database, clock, keys.ring, passwords)
    application = build_application(
        RestParts(
            authenticator=access.authenticator,
            tenancy=access.tenancy,
            reach=Reach(database),
            meetings=MeetingService(database, live, clock, house, passwords, webhooks.policy),
            participants=ParticipantService(database, live, tokens, clock, house),
            guests=GuestService(database, tokens, of_meetings, clock, house),
            members=MemberService(database, tokens, of_meetings, clock, house),
            removal=RemovalService(database, live, clock, webhooks.outbox, access.remembered),
            configuration=ConfigurationService(database, clock, house),
            presets=PresetService(database, live, clock),
            active_session=ActiveSessionService(database, live),
            sessions=SessionService(database, live, clock, here.reports),
            usage=UsageService(database, clock),
            session_actions=SessionActionService(database, ActiveSessionService(database, live)),
            client_tokens=ClientTokenService(
                database, JwtClientTokens(keys.ring, clock), clock, guest_preset=settings.guest_preset
            ),
            invitation=InvitationService(database, live, tokens, clock, house),
            http_peers=HttpPeers(here, tokens, clock),
            workers=nodes,
            webhooks=webhooks.service,
            webhook_keys=webhooks.keys.document,
            metrics=Metrics(nodes, sockets.counters, webhooks.dispatch.status),
            jwks=keys.ring.jwks,
            clock=clock,
            web_dir=settings.web_dir,
            version=_version(),
            base_url=base_url,
            rate_limits=RateLimits.per_minute(
                address=settings.rate_limit_address,
                key=settings.rate_limit_key,
                organization=settings.rate_limit_organization,
            ),
            trusted_proxies=settings.trusted_proxies,
            other_urls=lambda: servers.other_urls,
        )
    )
    application.cleanup_ctx.append(access.noting)
    application.router.add_get("/v2/ws", sockets.handle)
    return application


# --- the edges -----------------------------------------------------------------------------------------


def _listeners(settings: Settings, stack: AsyncExitStack) -> list[socket.socket]:
    """The port is known and ours before anybody can connect."""
    listeners = bound_listeners(settings.hosts, settings.port)
    for listener in listeners:
        stack.callback(listener.close)
    return listeners


async def _serve(
    stack: AsyncExitStack,
    runner: web.AppRunner,
    listeners: Sequence[socket.socket],
    tls: ssl.SSLContext | None,
) -> None:
    await runner.setup()
    for listener in listeners:
        site = web.SockSite(runner, listener, ssl_context=tls, backlog=1024)
        await site.start()
        stack.push_async_callback(site.stop)
