"""What was measured of peers: in the store, and of those who are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from signaling.domain.peer_report import PeerReport, StoredReport


class PeerReportRepository(Protocol):
    async def save(self, organization_id: str, reports: Sequence[StoredReport]) -> None:
        """Instead of what was kept of those peers. A report of a peer that is not in the books any more is
        passed over."""
        ...

    async def of(self, organization_id: str, peer_ids: Sequence[str]) -> Sequence[StoredReport]:
        """Of those that there is one of."""
        ...


class CurrentReports(Protocol):
    """Of the peers that are in sessions of this server, which knows more than is written yet."""

    def current(self, peer_id: str) -> PeerReport | None: ...


class NoCurrentReports:
    def current(self, peer_id: str) -> PeerReport | None:
        return None
