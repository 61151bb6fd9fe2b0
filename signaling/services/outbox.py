"""Writes what happened for those who want to hear of it, in the transaction in which it happens.

Who wants to hear of what is looked up once and remembered for a moment: where nobody does, an event costs a
look into memory. So a webhook that another server process was told to change is followed here within
`REMEMBERED` seconds, one that was changed in this process at once. For so long nothing is remembered of it
then: a transaction that began before the change sees what was so before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from signaling.domain.webhook import EventName, Room, Subscriber, Webhook, subscribers
from signaling.domain.webhook_events import Occurrence, Setting, delivery
from signaling.services.ports import Clock, UnitOfWork

T = TypeVar("T")

REMEMBERED: Final = 2.0
"""Seconds."""
MAX_REMEMBERED: Final = 20_000
"""Organizations, and meetings; beyond that all of them are looked up again."""


@dataclass(frozen=True, slots=True)
class _Audience:
    """Of an organization."""

    name: str
    webhooks: tuple[Webhook, ...]


class Outbox:
    """Of one process. `on_written` is called when something to be delivered was committed."""

    def __init__(self, clock: Clock, on_written: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._on_written = on_written
        self._audiences: dict[str, tuple[float, _Audience]] = {}
        self._rooms: dict[str, tuple[float, Room]] = {}
        self._changing: dict[str, float] = {}
        """Until when nothing is remembered, by the id of an organization or a meeting."""

    def forget(self, organization_id: str) -> None:
        """Its webhooks are others now."""
        self._audiences.pop(organization_id, None)
        _remember(self._changing, organization_id, self._clock.monotonic() + REMEMBERED)

    def forget_meeting(self, meeting_id: str) -> None:
        """It says something else of itself now."""
        self._rooms.pop(meeting_id, None)
        _remember(self._changing, meeting_id, self._clock.monotonic() + REMEMBERED)

    async def tell(self, uow: UnitOfWork, occurrence: Occurrence) -> None:
        wanted = await self._wanted(uow, occurrence)
        if not wanted:
            return
        audience = await self._audience(uow, occurrence.organization_id)
        room = await self._room(uow, occurrence.organization_id, occurrence.meeting_id)
        setting = Setting(audience.name, room.title)
        now = self._clock.now()
        told = [delivery(occurrence, one, setting, now) for one in wanted]
        await uow.deliveries.add([one for one in told if one is not None])
        uow.after_commit(self._on_written)

    async def _wanted(self, uow: UnitOfWork, occurrence: Occurrence) -> list[Subscriber]:
        audience = await self._audience(uow, occurrence.organization_id)
        wanted = subscribers(audience.webhooks, EventName(occurrence.name)) if audience.webhooks else []
        room = await self._room(uow, occurrence.organization_id, occurrence.meeting_id)
        return wanted if room.subscriber is None else [*wanted, room.subscriber]

    async def _audience(self, uow: UnitOfWork, organization_id: str) -> _Audience:
        now = self._clock.monotonic()
        until, audience = self._audiences.get(organization_id, (0.0, None))
        if audience is None or now >= until:
            organization = await uow.organizations.get(organization_id)
            webhooks = tuple(await uow.webhooks.enabled(organization_id))
            audience = _Audience("" if organization is None else organization.name, webhooks)
            if self._is_settled(organization_id):
                _remember(self._audiences, organization_id, (now + REMEMBERED, audience))
        return audience

    async def _room(self, uow: UnitOfWork, organization_id: str, meeting_id: str) -> Room:
        now = self._clock.monotonic()
        until, room = self._rooms.get(meeting_id, (0.0, None))
        if room is None or now >= until:
            room = await uow.webhooks.room(organization_id, meeting_id)
            if self._is_settled(meeting_id):
                _remember(self._rooms, meeting_id, (now + REMEMBERED, room))
        return room

    def _is_settled(self, changed: str) -> bool:
        return self._clock.monotonic() >= self._changing.get(changed, float("-inf"))


def _remember(kept: dict[str, T], key: str, value: T) -> None:
    if len(kept) >= MAX_REMEMBERED:
        kept.clear()
    kept[key] = value
