"""Where a load takes place: what it needs of a server and of those who are in its rooms.

Rostrum is one such place; `benchmarks.janus` has another, so that the same load can be put on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from sfu.bot import AudioSpec, Bot, BotOptions, Credentials, Organization, VideoSpec
from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.bots.signalling import Message
from sfu.bots.subscribe import SubscribeTransport


class Guest(Protocol):
    """Somebody in a room. `events` are the server's, `problems` what went wrong unasked."""

    publisher: PublishTransport | None
    subscriber: SubscribeTransport | None
    problems: list[str]

    @property
    def peer_id(self) -> str: ...

    @property
    def events(self) -> list[Message]: ...

    async def publish(self, specs: Sequence[VideoSpec | AudioSpec]) -> list[OutboundTrack]: ...

    async def leave(self) -> None: ...


class Venue(Protocol):
    """A server, for as long as the block of `async with` lasts: rooms are made and entered in it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None: ...

    async def open_room(self, title: str) -> str:
        """Its id. Raises `BotError`."""
        ...

    async def enter(self, room: str, name: str, options: BotOptions) -> Guest:
        """A guest who has joined, and receives what the others publish if `options.auto_subscribe`.

        Raises `BotError`.
        """
        ...


class Rostrum(Venue):
    """A running server of ours, by an organization's key."""

    def __init__(self, credentials: Credentials, preset: str) -> None:
        self._credentials = credentials
        self._preset = preset
        self._organization = Organization(credentials)

    async def __aenter__(self) -> Self:
        await self._organization.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._organization.__aexit__(kind, error, where)

    async def open_room(self, title: str) -> str:
        return await self._organization.create_meeting(title)

    async def enter(self, room: str, name: str, options: BotOptions) -> Guest:
        token = await self._organization.create_participant(room, name, self._preset)
        bot = Bot(self._credentials.base_url, token, options)
        try:
            await bot.join()
        except BaseException:
            await bot.leave()
            raise
        return bot
