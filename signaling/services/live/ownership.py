"""Which server has which session, where several share a database.

A session stays on the server that began it. Each server holds a lease: it says every few seconds that it is
there. Whoever finds the lease of another one over ends what that one had and takes the lease away, both in
one transaction; whose lease was taken notices when it renews, or when it writes to a session that has ended,
and then puts its people out so that they come again.

    lease runs        its sessions are its own: whoever asks elsewhere is sent there
    lease is over     its sessions are ended, by the first who looks
    database away     nobody can tell whether the others are there, so nobody judges: sessions go on; once it
                      is back, everybody waits one lease before it judges again

Who has the database for itself alone has no lease: all there is was left behind by its former self.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import structlog

from signaling.domain.meeting import Meeting
from signaling.domain.server import RunningAt, SignalingServer, host_in
from signaling.domain.session import SessionRecord
from signaling.domain.session_status import SessionEndReason
from signaling.errors import MisdirectedError, ServerUnreachableError
from signaling.ids import new_uuid
from signaling.services.live.records import end_all
from signaling.services.outbox import Outbox
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

RENEWALS: Final = 6
"""In the time of one lease."""
MISSED: Final = 3
"""Renewals that may fail in a row without the others' coming under suspicion of the same."""


class Ownership:
    """Of one server. `begin` before use, `end` at the end."""

    def __init__(
        self,
        units: UnitOfWorkFactory,
        clock: Clock,
        own: SignalingServer,
        outbox: Outbox,
        *,
        lease: float | None,
        on_renamed: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`lease` in seconds, None where nobody else can use the database. `on_renamed` is told the id that
        this server has from now on."""
        self._units = units
        self._clock = clock
        self._own = own
        self._outbox = outbox
        self._lease = lease
        self._on_renamed = on_renamed
        self._renewed = self._in_sight_since = 0.0
        self._others: tuple[SignalingServer, ...] = ()

    @property
    def id(self) -> str:
        return self._own.id

    @property
    def alone(self) -> bool:
        return self._lease is None

    @property
    def renew_every(self) -> float | None:
        """Seconds; None: never."""
        return None if self._lease is None else self._lease / RENEWALS

    @property
    def other_urls(self) -> Sequence[str]:
        """How clients reach the others, as of the last renewal."""
        return tuple(one.url for one in self._others)

    # --- the lease -------------------------------------------------------------------------------------

    async def begin(self) -> None:
        if self._lease is not None:
            await committed(self._units, self._put)
            self._renewed = self._in_sight_since = self._clock.monotonic()

    async def renew(self) -> bool:
        """False where the lease was lost: nothing that this server has is its own any more. Raises what the
        store raises, after which the lease may be held all the same."""
        assert self._lease is not None, "who is alone has no lease"
        now = self._clock.monotonic()
        if now - self._renewed > self._lease * MISSED / RENEWALS:
            self._in_sight_since = now
        lease = self._lease

        async def work(uow: UnitOfWork) -> tuple[bool, Sequence[SignalingServer]]:
            return await uow.servers.renew(self._own), await uow.servers.living(lease)

        kept, living = await committed(self._units, work)
        self._look_at(tuple(one for one in living if one.id != self._own.id))
        if kept:
            self._renewed = now
        return kept

    async def begin_anew(self) -> None:
        """After the lease was lost, as another server: its former id may be somebody else's by now."""
        self._own = replace(self._own, id=new_uuid(), incarnation=new_uuid())
        self._on_renamed(self._own.id)
        await self.begin()

    async def end(self) -> None:
        """Nothing of it is running any more."""
        if self._lease is not None:
            await committed(self._units, lambda uow: uow.servers.remove(self._own.id, self._own.incarnation))

    # --- who has what ----------------------------------------------------------------------------------

    async def _look(self, meeting_id: str) -> RunningAt | None:
        """Who has the session of the meeting, where it has one."""
        async with self._units(reading=True) as uow:
            if self._lease is not None:
                return await uow.servers.running(meeting_id, self._lease)
            session = await uow.sessions.active_for(meeting_id)
            return None if session is None else RunningAt(session, None, living=False)

    def _has(self, running: RunningAt) -> bool:
        """Whether that is this server, or nobody any more."""
        return running.server is None or running.server.id == self._own.id

    async def free(self, meeting_id: str) -> SessionRecord | None:
        """For a meeting of which nothing runs here: what was left behind of a session and is to be ended by
        whoever begins another. Raises `MisdirectedError` where another server has one that goes on, and
        `ServerUnreachableError` where nobody can tell."""
        running = await self._settled(meeting_id)
        if running is None:
            return None
        if not self._has(running):
            assert running.server is not None
            raise MisdirectedError(url=running.server.url)
        return running.session

    async def check_region(self, meeting: Meeting) -> None:
        """For a meeting of which nothing runs. Raises `MisdirectedError` where others are in the region that
        it or its organization prefers, and this server is not. Who is there is known as of the last
        renewal."""
        if all(one.region in (None, self._own.region) for one in self._others):
            return
        region = meeting.preferred_region
        if region is None:
            async with self._units(reading=True) as uow:
                organization = await uow.organizations.get(meeting.organization_id)
            region = None if organization is None else organization.preferred_region
        if region is None or region is self._own.region:
            return
        host = host_in(region, self._others, meeting.id)
        if host is not None:
            log.info("session.belongs_to_region", meeting=meeting.id, region=region, server=host.id)
            raise MisdirectedError(url=host.url)

    async def at(self, url: str) -> SignalingServer | None:
        """The other server that lives under that URL."""
        return next((one for one in await self.others() if one.url == url), None)

    async def elsewhere(self, meeting_id: str) -> SignalingServer | None:
        """The other server that has the session of the meeting. Raises `ServerUnreachableError` where nobody
        can tell."""
        if self._lease is None:
            return None
        running = await self._settled(meeting_id)
        return None if running is None or self._has(running) else running.server

    async def others(self) -> Sequence[SignalingServer]:
        """All that live but for this one."""
        if self._lease is None:
            return ()
        async with self._units(reading=True) as uow:
            return [one for one in await uow.servers.living(self._lease) if one.id != self._own.id]

    async def _settled(self, meeting_id: str) -> RunningAt | None:
        """Who has the session: nobody, this server, or one that lives."""
        running = await self._look(meeting_id)
        while running is not None and not self._has(running) and not running.living:
            if not self._may_judge:
                raise ServerUnreachableError
            await self.end_lost()
            running = await self._look(meeting_id)
        return running

    async def end_lost(self) -> int:
        """Ends what servers had whose lease is over; how many sessions that were."""
        if self._lease is None or not self._may_judge:
            return 0
        lease, now = self._lease, self._clock.now()

        async def work(uow: UnitOfWork) -> int:
            lost = set(await uow.servers.silent(lease)) - {self._own.id}
            if not lost:
                return 0
            left = [one for one in await uow.sessions.unfinished() if one.server_id in lost]
            await end_all(uow, self._outbox, left, now, SessionEndReason.SERVER_LOST)
            for server_id in lost:
                await uow.servers.remove(server_id)
            return len(left)

        count = await committed(self._units, work)
        if count:
            log.warning("sessions.ended_of_lost_servers", count=count)
        return count

    def _look_at(self, others: tuple[SignalingServer, ...]) -> None:
        had, self._others = self.other_urls, others
        if self._own.url in self.other_urls and self._own.url not in had:
            log.warning("servers.share_a_url", url=self._own.url, do="give each its own with --server-url")

    @property
    def _may_judge(self) -> bool:
        """Whether others had the time to renew their leases for as long as this server looks on."""
        return self._lease is None or self._clock.monotonic() - self._in_sight_since >= self._lease

    async def _put(self, uow: UnitOfWork) -> None:
        await uow.servers.put(self._own)
