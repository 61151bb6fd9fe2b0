"""Rooms of Janus' VideoRoom plugin, entered by the bots that enter ours: the same transports, the same media.

A guest has two handles, as a browser has: on one it is a publisher, on the other it subscribes to everything
that the others of its room publish, over one connection that is renegotiated as they come.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.janus.gateway import Answer, Gateway
from sfu.bot import AudioSpec, BotOptions, VideoSpec
from sfu.bots.channel import UdpChannel
from sfu.bots.options import add_track
from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.bots.signalling import BotError, Message
from sfu.bots.subscribe import SubscribeTransport
from sfu.load.venue import Guest, Venue

UNLIMITED: Final = 0
MOST_PUBLISHERS: Final = 1000
CHECK_AGAIN: Final = 0.1
SUBSCRIBER_SSRC: Final = 1
"""Added to a bot's base: what our own subscribers use as well."""


class JanusVenue(Venue):
    """A running Janus, by the URL of its WebSocket interface."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._gateway: Gateway | None = None
        self._rooms = itertools.count(1)

    async def __aenter__(self) -> Self:
        self._gateway = Gateway(self._url)
        await self._gateway.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._gateway is not None:
            await self._gateway.close()

    async def open_room(self, title: str) -> str:
        assert self._gateway is not None, "use `async with`"
        handle = await self._gateway.attach(lambda _: None)
        number = next(self._rooms)
        await self._gateway.request(
            handle,
            request="create",
            room=number,
            description=title,
            publishers=MOST_PUBLISHERS,
            bitrate=UNLIMITED,
            audiocodec="opus",
            videocodec="vp8",
            notify_joining=False,
        )
        return str(number)

    async def enter(self, room: str, name: str, options: BotOptions) -> Guest:
        guest = JanusGuest(self._url, int(room), name, options)
        try:
            await guest.join()
        except BaseException:
            await guest.leave()
            raise
        return guest


class JanusGuest(Guest):
    """Somebody in a room of Janus."""

    def __init__(self, url: str, room: int, name: str, options: BotOptions) -> None:
        self.publisher: PublishTransport | None = None
        self.subscriber: SubscribeTransport | None = None
        self.problems: list[str] = []
        self._room = room
        self._name = name
        self._options = options
        self._gateway = Gateway(url)
        self._publishing = self._subscribing = 0
        self._id = 0
        self._feeds: set[int] = set()
        self._to_add: asyncio.Queue[int] = asyncio.Queue()
        self._adding: asyncio.Task[None] | None = None

    @property
    def peer_id(self) -> str:
        return str(self._id)

    @property
    def events(self) -> list[Message]:
        """Janus pauses nothing, so it has nothing to tell of it."""
        return []

    async def join(self) -> None:
        await self._gateway.open()
        self._publishing = await self._gateway.attach(self._handle_event)
        answer = await self._gateway.request(
            self._publishing, request="join", ptype="publisher", room=self._room, display=self._name
        )
        self._id = int(answer.data["id"])
        if self._options.auto_subscribe:
            self._adding = asyncio.create_task(self._add_feeds())
        self._handle_event(answer)

    async def publish(self, specs: Sequence[VideoSpec | AudioSpec]) -> list[OutboundTrack]:
        options = self._options
        self.publisher = PublishTransport(
            options.association(), ssrc_base=options.ssrc_base, departures=options.departures
        )
        tracks = [add_track(self.publisher, spec) for spec in specs]
        # Whoever offers may choose who begins with DTLS (RFC 5763 section 5): our bots always do.
        offer = self.publisher.offer().replace("a=setup:actpass", "a=setup:active")
        answer = await self._gateway.request(self._publishing, ("offer", offer), request="publish")
        if answer.sdp is None:
            raise BotError("publish was not answered with an SDP")
        await self._connect(self._publishing, self.publisher, self.publisher.handle_answer(answer.sdp))
        return tracks

    async def leave(self) -> None:
        if self._adding is not None:
            self._adding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._adding
        for transport in (self.publisher, self.subscriber):
            if transport is not None:
                transport.close()
        await self._gateway.close()

    def _handle_event(self, answer: Answer) -> None:
        for publisher in answer.data.get("publishers", ()):
            if self._options.auto_subscribe and publisher["id"] not in self._feeds:
                self._feeds.add(publisher["id"])
                self._to_add.put_nowait(publisher["id"])

    async def _add_feeds(self) -> None:
        """One after the other, as each is an offer of its own."""
        while True:
            feeds = [await self._to_add.get()]
            while not self._to_add.empty():
                feeds.append(self._to_add.get_nowait())
            try:
                await self._add([{"feed": feed} for feed in feeds])
            except BotError as error:
                self.problems.append(str(error))

    async def _add(self, streams: list[Message]) -> None:
        if self.subscriber is None:
            options = self._options
            self._subscribing = await self._gateway.attach(lambda _: None)
            self.subscriber = SubscribeTransport(
                options.association(),
                own_ssrc=options.ssrc_base + SUBSCRIBER_SSRC,
                sample=options.sample,
                nack=options.nack,
                departures=options.departures,
            )
            answer = await self._gateway.request(
                self._subscribing, request="join", ptype="subscriber", room=self._room, streams=streams
            )
        else:
            answer = await self._gateway.request(self._subscribing, request="subscribe", streams=streams)
        if answer.sdp is None:
            raise BotError("a subscription was not answered with an SDP")
        sdp, offer = self.subscriber.answer(answer.sdp)
        await self._gateway.request(self._subscribing, ("answer", sdp), request="start")
        await self._connect(self._subscribing, self.subscriber, self.subscriber.connect(offer))

    async def _connect(
        self,
        handle: int,
        transport: PublishTransport | SubscribeTransport,
        connecting: Coroutine[Any, Any, Any],
    ) -> None:
        """Tell where we send from as soon as that is known, which is while we connect."""
        association = transport.association
        if association.connected.is_set():
            await connecting
            return
        async with asyncio.TaskGroup() as group:
            task = group.create_task(connecting)
            while not association.is_open and not task.done():
                await asyncio.sleep(0)
            channel = association.channel
            assert isinstance(channel, UdpChannel)
            await self._gateway.trickle(handle, *channel.local_address)
            while not task.done():
                association.check()
                await asyncio.sleep(CHECK_AGAIN)
