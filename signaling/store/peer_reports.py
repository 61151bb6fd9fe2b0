"""Reports of peers."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import bindparam, exists, insert, select, update

from signaling.domain.peer_report import PeerReport, StoredReport
from signaling.store.connection import Statements
from signaling.store.dissolution import of_somebody
from signaling.store.tables import attendances, peer_reports

log = structlog.get_logger(__name__)

_LEVEL: Final = 1
"""Of compression: more takes several times as long and gains little."""
_SAVE: Final = update(peer_reports).where(peer_reports.c.peer_id == bindparam("saved"))
_ADD: Final = insert(peer_reports).from_select(
    peer_reports.c.keys(),
    select(*(bindparam(column.key, type_=column.type) for column in peer_reports.c)).where(
        exists().where(
            attendances.c.peer_id == bindparam("peer_id"), of_somebody(attendances.c.organization_id)
        )
    ),
)
_GET: Final = select(peer_reports).where(
    peer_reports.c.organization_id == bindparam("organization"),
    peer_reports.c.peer_id.in_(bindparam("peers", expanding=True)),
)


class SqlPeerReports:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def save(self, organization_id: str, reports: Sequence[StoredReport]) -> None:
        for one in reports:
            row = {
                "peer_id": one.peer_id,
                "organization_id": organization_id,
                "updated_at": one.updated_at,
                "report": zlib.compress(one.report.pack(), _LEVEL),
            }
            if (await self._db.execute(_SAVE, row | {"saved": one.peer_id})).rowcount == 0:
                await self._db.execute(_ADD, row)

    async def of(self, organization_id: str, peer_ids: Sequence[str]) -> Sequence[StoredReport]:
        rows = await self._db.execute(_GET, {"organization": organization_id, "peers": list(peer_ids)})
        found = []
        for row in rows:
            try:
                report = PeerReport.unpack(zlib.decompress(row.report))
            except (ValueError, zlib.error):  # of a later version, perhaps
                log.warning("peer_report.unreadable", peer=row.peer_id)
                continue
            found.append(StoredReport(row.peer_id, row.updated_at, report))
        return found
