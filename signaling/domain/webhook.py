"""Webhooks: addresses of an organization's own servers, to which its events are posted.

A subscriber is whoever is told of an event: a webhook of the organization, which chooses its events, or what
a meeting (later a composition) names itself, which hears of everything that is its own. What is sent to them
looks different (`Shape`), how it is sent does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from signaling.domain.version import FIRST

MAX_WEBHOOKS: Final = 50
"""Of one organization."""
MAX_URL: Final = 2048
MAX_NAME: Final = 256
DEFAULT_TIMEOUT: Final = 3
"""Seconds within which an endpoint has to answer, unless it says otherwise."""
MAX_TIMEOUT: Final = 30


class EventName(StrEnum):
    """What a webhook may subscribe to."""

    MEETING_STARTED = "meeting.started"
    MEETING_ENDED = "meeting.ended"
    PARTICIPANT_JOINED = "meeting.participantJoined"
    PARTICIPANT_LEFT = "meeting.participantLeft"
    CHAT_SYNCED = "meeting.chatSynced"
    TRANSCRIPT = "meeting.transcript"
    SUMMARY = "meeting.summary"
    RECORDING_STATUS = "recording.statusUpdate"
    LIVESTREAM_STATUS = "livestreaming.statusUpdate"


class RoomEventName(StrEnum):
    """What a room's webhook is sent, always all of it."""

    SESSION_STARTED = "video.room.session.started"
    SESSION_ENDED = "video.room.session.ended"
    PARTICIPANT_JOINED = "video.room.participant.joined"
    PARTICIPANT_LEFT = "video.room.participant.left"


TEST_EVENT: Final = "webhook.test"
"""Sent when somebody asks for it, to any webhook."""
ALL_EVENTS: Final[tuple[str, ...]] = (*EventName, *RoomEventName, TEST_EVENT)


class Shape(StrEnum):
    """How an event is written, and under which names of headers it is signed."""

    ORGANIZATION = "organization"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint of an organization. `events` are in the order in which they were given, each once."""

    id: str
    organization_id: str
    name: str
    url: str
    events: tuple[EventName, ...]
    created_at: datetime
    updated_at: datetime
    enabled: bool = True
    failover_url: str | None = None
    timeout_secs: int | None = None
    version: int = FIRST

    @property
    def target(self) -> Target:
        return Target(self.url, self.failover_url, timeout_of(self.timeout_secs))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a delivery goes: `failover_url` once `url` has failed often enough. `timeout` in seconds."""

    url: str
    failover_url: str | None
    timeout: float


@dataclass(frozen=True, slots=True)
class Subscriber:
    """`key` names it among all of them. `target` is None for a webhook: it is looked up for each attempt, so
    that a corrected URL serves what is queued already."""

    key: str
    shape: Shape
    webhook_id: str | None = None
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """Of a meeting: what its events tell of it, and whom it names itself."""

    title: str | None = None
    subscriber: Subscriber | None = None


def timeout_of(seconds: int | None) -> int:
    """0 and None stand for the default."""
    return seconds or DEFAULT_TIMEOUT


def subscriber_of(webhook: Webhook) -> Subscriber:
    return Subscriber(f"webhook:{webhook.id}", Shape.ORGANIZATION, webhook_id=webhook.id)


def room_subscriber(
    meeting_id: str, url: str | None, failover_url: str | None, timeout_secs: int | None
) -> Subscriber | None:
    if not url:
        return None
    target = Target(url, failover_url or None, timeout_of(timeout_secs))
    return Subscriber(f"meeting:{meeting_id}", Shape.ROOM, target=target)


def subscribers(webhooks: Iterable[Webhook], event: EventName) -> list[Subscriber]:
    """Those of an organization's webhooks that want this event."""
    return [subscriber_of(one) for one in webhooks if one.enabled and event in one.events]
