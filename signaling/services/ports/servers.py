"""The signaling processes that share the store. `within` are seconds, by the database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from signaling.domain.server import RunningAt, SignalingServer


class ServerRepository(Protocol):
    async def put(self, server: SignalingServer) -> None:
        """It begins now, in place of a former incarnation."""
        ...

    async def renew(self, server: SignalingServer) -> bool:
        """Seen now. False where it is not there any more, or as another incarnation."""
        ...

    async def remove(self, server_id: str, incarnation: str | None = None) -> None:
        """Nothing where it is there as another incarnation."""
        ...

    async def living(self, within: float) -> Sequence[SignalingServer]:
        """Those that were seen."""
        ...

    async def silent(self, within: float) -> Sequence[str]:
        """The ids of those that were not."""
        ...

    async def running(self, meeting_id: str, within: float) -> RunningAt | None: ...
