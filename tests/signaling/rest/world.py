"""A REST server on a free loopback port over a real database; only the live sessions are a fake."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from argon2 import PasswordHasher

from signaling.auth.api_keys import Authenticator, hash_api_key, new_api_key
from signaling.auth.client_tokens import JwtClientTokens
from signaling.auth.keyring import KeyRing
from signaling.auth.keys import SigningKey
from signaling.auth.passwords import Argon2Passwords
from signaling.auth.tokens import JwtTokens
from signaling.clock import SystemClock
from signaling.domain.attendance import Attendance
from signaling.domain.caller import EVERYTHING, Caller, Scope
from signaling.domain.session_status import SessionEndReason, SessionRecord, SessionStatus
from signaling.ids import new_id, new_uuid
from signaling.metrics import Metrics
from signaling.nodes.supervisor import NodesConfig, NodeSupervisor
from signaling.nodes.testing import FakeNodes
from signaling.rest.application import OPERATIONS, RestParts, build_application
from signaling.rest.openapi import errors_of
from signaling.rest.operation import Operation
from signaling.services.active_session import ActiveSessionService
from signaling.services.analytics import UsageService
from signaling.services.bootstrap import Bootstrap
from signaling.services.client_tokens import ClientTokenService
from signaling.services.configuration import ConfigurationService
from signaling.services.guests import GuestService
from signaling.services.invitation import InvitationService
from signaling.services.levels import House
from signaling.services.live.http_peers import HttpPeers
from signaling.services.live.service import LiveService
from signaling.services.live.surroundings import Surroundings
from signaling.services.meeting_passwords import MeetingPasswords
from signaling.services.meetings import MeetingService
from signaling.services.members import MemberService
from signaling.services.outbox import Outbox
from signaling.services.participants import ParticipantService
from signaling.services.ports import WorkerStatus
from signaling.services.presets import PresetService
from signaling.services.rate_limit import RateLimits
from signaling.services.reach import Reach
from signaling.services.removal import RemovalService
from signaling.services.session_actions import SessionActionService
from signaling.services.sessions import SessionService
from signaling.services.webhooks import WebhookService
from signaling.store.database import Database
from signaling.tenant_access import TenantAccess
from signaling.testing import FakeLiveSessions, FakeMetricsSource
from signaling.webhooks.addresses import AddressPolicy
from signaling.webhooks.key_ring import WebhookKeyRing
from signaling.webhooks.signing import WebhookKeys
from signaling.ws.hub import WsHub
from tests.signaling import values
from tests.support.live_world import alone

WEBHOOK_KEYS = WebhookKeyRing.of(WebhookKeys.generate(), SystemClock()).document
PUBLIC_URL = "https://meet.example.org"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Passwords of tests are not worth the time."""
PASSWORDS = Argon2Passwords(QUICK)
ON_BOTH = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True)
"""For modules whose tests lead into the store."""


@dataclass
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def data(self) -> Any:
        assert self.body["success"], self.body
        return self.body["data"]

    @property
    def error(self) -> dict[str, Any]:
        assert self.body["success"] is False
        error: dict[str, Any] = self.body["error"]
        return error


@dataclass
class World:
    url: str
    http: aiohttp.ClientSession
    database: Database
    live: FakeLiveSessions
    tokens: JwtTokens
    past_tokens: JwtTokens
    """Issues tokens with our key that have expired."""
    web_dir: Path
    organization_id: str = ""
    api_key: str = ""
    workers: list[WorkerStatus] = field(default_factory=list)

    scopes: frozenset[Scope] = EVERYTHING
    """What the credentials of the world may do."""
    unit_id: str | None = None
    """What they are limited to."""
    operations: list[Operation] = field(default_factory=list)

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """As the organization; `auth=None` sends no credentials, a value is sent as Authorization."""
        auth = options.pop("auth", aiohttp.encode_basic_auth(self.organization_id, self.api_key))
        if auth:
            options["headers"] = {"Authorization": auth} | options.get("headers", {})
        if body is not None:
            options["json"] = body
        async with self.http.request(method, self.url + path, allow_redirects=False, **options) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            parsed = await response.json() if is_json and text else text
            self._check_documented(method, path.partition("?")[0], response.status, parsed)
            return Answer(response.status, parsed, response.headers)

    def _check_documented(self, method: str, path: str, status: int, body: Any) -> None:
        """Whatever a test asks, the answer's status is one that /openapi.json has, and so is its error."""
        name = failure_of(body)
        for operation in self.operations:
            if operation.method == method and re.fullmatch(_as_pattern(operation.path), path):
                assert status in documented(operation), f"{operation.name} answered {status}: document it"
                named = {(one.http_status, one.name) for one in errors_of(operation)}
                assert name is None or (status, name) in named, f"{operation.name}: document {name}"
                return

    async def other_organization(self) -> str:
        rival, key = values.organization("Rival"), new_api_key()
        async with self.database() as uow:
            await uow.organizations.add(rival)
            await uow.organizations.add_key(values.api_key(rival, hash_api_key(key)))
            await uow.commit()
        return aiohttp.encode_basic_auth(rival.id, key)

    async def meeting(self, **body: Any) -> dict[str, Any]:
        answer = await self.call("POST", "/v2/meetings", body)
        made: dict[str, Any] = answer.data
        return made

    async def session(
        self,
        meeting_id: str,
        *,
        seconds: float = 0,
        ended: bool = False,
        reason: SessionEndReason = SessionEndReason.ALL_PARTICIPANTS_LEFT,
    ) -> SessionRecord:
        """One that runs, or has run, as far as the store knows."""
        async with self.database() as uow:
            meeting = await uow.meetings.get(self.organization_id, meeting_id)
            assert meeting is not None
            record = values.session(meeting, seconds=seconds)
            await uow.sessions.add(record)
            if ended:
                record = replace(
                    record,
                    ended_at=values.at(seconds + 60),
                    updated_at=values.at(seconds + 60),
                    status=SessionStatus.FINISHED,
                    end_reason=reason,
                )
                await uow.sessions.save(record)
            await uow.commit()
        return record

    async def attendance(
        self, session: SessionRecord, *, seconds: float = 1, context: str | None = None
    ) -> Attendance:
        """Of somebody who is in it."""
        somebody = values.attendance(session, new_id("peer"), new_uuid(), seconds=seconds)
        one = replace(somebody, context=context)
        async with self.database() as uow:
            await uow.sessions.add_attendance(one)
            await uow.commit()
        return one

    async def participant(self, meeting_id: str, **body: Any) -> dict[str, Any]:
        wanted = {"preset_name": "group_call_host", "custom_participant_id": "ada-1", "name": "Ada"} | body
        answer = await self.call("POST", f"/v2/meetings/{meeting_id}/participants", wanted)
        made: dict[str, Any] = answer.data
        return made


@cache
def _as_pattern(path: str) -> str:
    return re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))


def failure_of(body: Any) -> str | None:
    """The name of the error, in whatever rendering."""
    match body:
        case {"success": False, "error": {"name": str(name)}} | {"errors": [{"title": str(name)}, *_]}:
            return name
    return None


def documented(operation: Operation) -> set[int]:
    return {operation.status} | {error.http_status for error in errors_of(operation)}


class LimitedAuthenticator(Authenticator):
    """Gives no caller a scope that the world has not."""

    world: World

    async def caller(self, header: str | None, **about: str | None) -> Caller:
        caller = await super().caller(header, **about)
        scopes = caller.scopes & self.world.scopes
        return replace(caller, scopes=scopes, unit_id=self.world.unit_id or caller.unit_id)


def _empty_service(database: Database, tokens: JwtTokens, clock: SystemClock) -> LiveService:
    """Live sessions without any node: what admits to them is tried in `test_http_media`."""
    nodes = NodeSupervisor(NodesConfig(workers=1, udp_port=0), launch=FakeNodes().launch)
    servers = alone(database, clock)
    around = Surroundings(
        uow=database, nodes=nodes, hub=WsHub(), clock=clock, servers=servers, outbox=Outbox(clock)
    )
    return LiveService(around, tokens)


@asynccontextmanager
async def rest_world(
    folder: Path, database: Database, *, rate_limits: RateLimits | None = None, trusted: Sequence[str] = ()
) -> AsyncIterator[World]:
    clock, live, source = SystemClock(), FakeLiveSessions(), FakeMetricsSource()
    ring = KeyRing.of(SigningKey.generate(), clock)
    tokens = JwtTokens(ring, clock, timedelta(hours=1))
    past_tokens = JwtTokens(ring, clock, timedelta(hours=-1))
    organization, key = values.organization(), new_api_key()
    await Bootstrap(database, clock).create(organization.id, hash_api_key(key))
    of_meetings = MeetingPasswords(PASSWORDS, clock)
    access = TenantAccess.of(database, clock, ring, PASSWORDS, authenticator=LimitedAuthenticator)
    authenticator = access.authenticator
    assert isinstance(authenticator, LimitedAuthenticator)
    application = build_application(
        RestParts(
            authenticator=authenticator,
            reach=Reach(database),
            meetings=MeetingService(database, live, clock, House(), PASSWORDS, AddressPolicy()),
            participants=ParticipantService(database, live, tokens, clock, House()),
            guests=GuestService(database, tokens, of_meetings, clock, House()),
            members=MemberService(database, tokens, of_meetings, clock, House()),
            removal=RemovalService(database, live, clock, Outbox(clock), access.remembered),
            configuration=ConfigurationService(database, clock, House()),
            tenancy=access.tenancy,
            presets=PresetService(database, live, clock),
            active_session=ActiveSessionService(database, live),
            sessions=SessionService(database, live, clock),
            usage=UsageService(database, clock),
            session_actions=SessionActionService(database, ActiveSessionService(database, live)),
            client_tokens=ClientTokenService(
                database, JwtClientTokens(ring, clock), clock, guest_preset="group_call_participant"
            ),
            invitation=InvitationService(database, live, tokens, clock, House()),
            http_peers=HttpPeers(_empty_service(database, tokens, clock), tokens, clock),
            webhooks=WebhookService(database, Outbox(clock), AddressPolicy(), clock),
            webhook_keys=WEBHOOK_KEYS,
            workers=source,
            metrics=Metrics(source),
            jwks=ring.jwks,
            clock=clock,
            web_dir=folder / "meet" / "dist",
            version="1.2.3",
            base_url=PUBLIC_URL,
            rate_limits=rate_limits or RateLimits(),
            trusted_proxies=[ip_network(one) for one in trusted],
        )
    )
    runner = web.AppRunner(application, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as http:
        world = World(
            f"http://127.0.0.1:{port}", http, database, live, tokens, past_tokens, folder / "meet" / "dist"
        )
        authenticator.world, world.operations = world, application[OPERATIONS].all()
        world.organization_id, world.api_key, world.workers = organization.id, key, source.statuses
        yield world
    await runner.cleanup()
