"""Signaling processes, and which of them has what session. All times are the database's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, insert, literal, select, update

from signaling.domain.region import Region
from signaling.domain.server import RunningAt, SignalingServer
from signaling.store.connection import Statements
from signaling.store.sessions import read_session
from signaling.store.tables import servers, sessions

_SQLITE_TIME: Final = "%Y-%m-%d %H:%M:%f"
_SERVER: Final = (
    servers.c.id,
    servers.c.incarnation,
    servers.c.url,
    servers.c.internal_url,
    servers.c.region,
)


class SqlServers:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def put(self, server: SignalingServer) -> None:
        await self._db.execute(delete(servers).where(servers.c.id == server.id))
        await self._db.execute(
            insert(servers).values(
                id=server.id,
                incarnation=server.incarnation,
                url=server.url,
                internal_url=server.internal_url,
                region=server.region,
                started_at=self._time(),
                seen_at=self._time(),
            )
        )

    async def renew(self, server: SignalingServer) -> bool:
        mine = (servers.c.id == server.id, servers.c.incarnation == server.incarnation)
        done = await self._db.execute(update(servers).where(*mine).values(seen_at=self._time()))
        return done.rowcount == 1

    async def remove(self, server_id: str, incarnation: str | None = None) -> None:
        statement = delete(servers).where(servers.c.id == server_id)
        if incarnation is not None:
            statement = statement.where(servers.c.incarnation == incarnation)
        await self._db.execute(statement)

    async def living(self, within: float) -> Sequence[SignalingServer]:
        query = select(*_SERVER).where(self._seen(within)).order_by(servers.c.id)
        return [_server(row) for row in await self._db.execute(query)]

    async def silent(self, within: float) -> Sequence[str]:
        query = select(servers.c.id).where(~self._seen(within)).order_by(servers.c.id)
        return (await self._db.scalars(query)).all()

    async def running(self, meeting_id: str, within: float) -> RunningAt | None:
        query = (
            select(sessions, *(column.label(f"server_{column.key}") for column in _SERVER[1:]))
            .add_columns(servers.c.id.label("there"), self._seen(within).label("living"))
            .select_from(sessions.outerjoin(servers, servers.c.id == sessions.c.server_id))
            .where(sessions.c.meeting_id == meeting_id, sessions.c.ended_at.is_(None))
        )
        row = (await self._db.execute(query)).first()
        if row is None:
            return None
        there = [row.there, *(row._mapping[f"server_{column.key}"] for column in _SERVER[1:])]
        server = None if row.there is None else _server(there)
        return RunningAt(
            read_session({name: row._mapping[name] for name in sessions.c.keys()}),  # noqa: SIM118
            server,
            bool(row.living),
        )

    def _seen(self, within: float) -> ColumnElement[bool]:
        return servers.c.seen_at >= self._time(-within)

    def _time(self, shift: float = 0.0) -> ColumnElement[Any]:
        """Now, or that many seconds later."""
        if self._db.dialect.name == "sqlite":
            return func.strftime(_SQLITE_TIME, "now", f"{shift:+.3f} seconds")
        return func.clock_timestamp() + literal(timedelta(seconds=shift))


def _server(row: Sequence[Any]) -> SignalingServer:
    server_id, incarnation, url, internal_url, region = row
    return SignalingServer(server_id, incarnation, url, internal_url, Region(region) if region else None)
