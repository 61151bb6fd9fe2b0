"""A light WebRTC client, for load and for tests: it joins as people do and sends or counts synthetic media.

    bot = Bot(base_url, token, BotOptions(certificate))
    await bot.join()
    await bot.publish([VideoSpec(stream_ids=(7,))])      # or let it subscribe to whatever is published
    ...
    await bot.close()

It speaks the same REST, WebSocket and wire protocols as a browser, and neither encodes nor decodes: a process
can be several hundred of them. With `auto_subscribe` it subscribes to every publication it hears of.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sfu.bots.move import Move, arrive
from sfu.bots.options import AudioSpec, BotOptions, VideoSpec, add_track
from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.bots.signalling import (
    BotError,
    Credentials,
    Message,
    Organization,
    RefusedError,
    Signalling,
)
from sfu.bots.subscribe import SubscribeTransport

__all__ = [
    "AudioSpec",
    "Bot",
    "BotError",
    "BotOptions",
    "Credentials",
    "Organization",
    "RefusedError",
    "VideoSpec",
]


@dataclass(slots=True)
class _EventLog:
    """Every event of a bot, in order, and who waits for one."""

    events: list[Message] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, event: Message) -> None:
        self.events.append(event)
        self.changed.set()


class Bot:
    """One participant. `publications` are the others', by id; `state` is what `join` answered."""

    def __init__(self, base_url: str, token: str, options: BotOptions) -> None:
        self.options = options
        self.base_url = base_url
        self.publisher: PublishTransport | None = None
        self.subscriber: SubscribeTransport | None = None
        self.left: list[SubscribeTransport] = []
        """Connections that others took the place of, with what they had received."""
        self.publications: dict[str, Message] = {}
        self.paused: dict[str, str] = {}
        """Publication id -> reason, of what the server holds back from this receiver."""
        self.state: Message = {}
        self.problems: list[str] = []
        """What went wrong in answering events."""
        self.signalling = Signalling(base_url, self._handle_event)
        self._token = token
        self._log = _EventLog()
        self._todo: asyncio.Queue[Message] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._mids: dict[str, str] = {}
        self._move: Move | None = None
        self._moving: asyncio.Task[None] | None = None
        self._specs: list[VideoSpec | AudioSpec] = []

    @property
    def peer_id(self) -> str:
        return str(self.state["peer_id"])

    @property
    def events(self) -> list[Message]:
        """Every event so far, in order."""
        return self._log.events

    async def join(self, *, name: str | None = None) -> Message:
        """Open the socket and join. Raises `RefusedError`, `BotError`."""
        await self.signalling.open()
        self.state = await self.signalling.join(self._token, name=name, device=self.options.device)
        self._worker = asyncio.create_task(self._work())
        known = list(self.state["publications"])
        self.publications.update({one["publication_id"]: one for one in known})
        if self.options.auto_subscribe and known:
            await self.subscribe([one["publication_id"] for one in known])
        return self.state

    async def resume(self) -> Message:
        """On a new socket, after the old one was lost. The media connections stay as they are; what the
        server's snapshot has is taken for what there is. Raises `RefusedError`, `BotError`."""
        await self.signalling.close()
        last_seq = self.signalling.last_seq
        self.signalling = Signalling(self.base_url, self._handle_event)
        await self.signalling.open()
        resumed = await self.signalling.resume(self.state["resume_token"], last_seq)
        self.state["resume_token"] = resumed["resume_token"]
        snapshot = resumed["snapshot"]
        if snapshot is not None:
            others = [one for one in snapshot["publications"] if one["peer_id"] != self.peer_id]
            self.publications = {one["publication_id"]: one for one in others}
            missing = self.publications.keys() - set(snapshot["subscriptions"])
            if self.options.auto_subscribe and missing:
                await self.subscribe(sorted(missing))
        return resumed

    async def publish(self, specs: Sequence[VideoSpec | AudioSpec]) -> list[OutboundTrack]:
        """Announce media and connect; `self.publisher.start()` then lets it flow."""
        if self.publisher is None:
            self.publisher = PublishTransport(
                self.options.association(),
                ssrc_base=self.options.ssrc_base,
                departures=self.options.departures,
            )
        self._specs += specs
        tracks = [add_track(self.publisher, spec) for spec in specs]
        await self._negotiate(
            [{"mid": track.media.mid, "source": track.source, "kind": track.media.kind} for track in tracks]
        )
        return tracks

    async def restart_publish_ice(self) -> None:
        """Offer new ICE credentials for the publish connection."""
        assert self.publisher is not None, "nothing is published"
        self.publisher.association.renew_credentials()
        await self._negotiate([])

    async def unpublish(self, track: OutboundTrack) -> None:
        assert track.publication_id is not None, "not published"
        track.media = replace(track.media, active=False)
        await self.signalling.request("unpublish", publication_ids=[track.publication_id])

    async def subscribe(self, publication_ids: Sequence[str]) -> Message:
        """Ask for publications; the offer that follows is answered by itself."""
        wanted = [{"publication_id": one} for one in publication_ids]
        return await self.signalling.request("subscribe", subscriptions=wanted)

    async def wait_for(
        self, matches: Callable[[Message], bool], what: str, *, timeout: float = 30.0
    ) -> Message:
        """The first event, past or coming, that matches. Raises `BotError` naming `what` did not come."""
        position = 0
        try:
            async with asyncio.timeout(timeout):
                while True:
                    self._log.changed.clear()
                    while position < len(self.events):
                        if matches(self.events[position]):
                            return self.events[position]
                        position += 1
                    await self._log.changed.wait()
        except TimeoutError:
            seen = [event["type"] for event in self.events]
            raise BotError(f"{what} did not come within {timeout:.0f} s; events: {seen}") from None

    def publication_of(self, mid: str | None) -> str | None:
        """The publication that an m-line of the subscribe connection carries now."""
        return self._mids.get(mid) if mid is not None else None

    def forget_media(self) -> None:
        """Drop both connections, as `media_reset` demands; what is published next makes new ones."""
        self._drop_move()
        for transport in (self.publisher, self.subscriber):
            if transport is not None:
                transport.close()
        self.publisher = self.subscriber = None
        self._specs = []

    async def leave(self) -> None:
        """Say goodbye, then close."""
        with contextlib.suppress(BotError):
            await self.signalling.request("leave")
        await self.close()

    async def close(self) -> None:
        """Close everything without saying goodbye. Idempotent."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None
        if self._moving is not None:
            self._moving.cancel()
            await asyncio.gather(self._moving, return_exceptions=True)
        self._drop_move()
        for transport in (self.publisher, self.subscriber):
            if transport is not None:
                transport.close()
        await self.signalling.close()

    async def vanish(self) -> None:
        """Be gone as after a crash: not a word to the server, neither on the socket nor on the wire."""
        for transport in (self.publisher, self.subscriber):
            if transport is not None:
                transport.association.silence()
        self.signalling.lose()
        await self.close()

    # --- inside --------------------------------------------------------------------------------------

    async def _negotiate(self, publications: list[Message]) -> None:
        assert self.publisher is not None
        result = await self.signalling.request(
            "publish", offer=self.publisher.offer(), publications=publications
        )
        by_mid = {item["mid"]: item["publication_id"] for item in result["publications"]}
        for track in self.publisher.tracks:
            track.publication_id = by_mid.get(track.media.mid, track.publication_id)
        await self.publisher.handle_answer(result["answer"])

    def _handle_event(self, event: Message) -> None:
        self._log.add(event)
        kind = event["type"]
        if kind == "publication_added":
            publication = event["publication"]
            self.publications[publication["publication_id"]] = publication
            if self.options.auto_subscribe:
                self._todo.put_nowait(event)
        elif kind == "publication_removed":
            self.publications.pop(event["publication_id"], None)
            self.paused.pop(event["publication_id"], None)
        elif kind == "subscription_paused":
            self.paused[event["publication_id"]] = event["reason"]
        elif kind == "subscription_resumed":
            self.paused.pop(event["publication_id"], None)
        elif kind in ("subscribe_offer", "subscribe_move"):
            self._todo.put_nowait(event)
        elif kind == "publication_wanted":
            if self.options.heeds_wanted and self.publisher is not None:
                self.publisher.set_wanted(event["publication_id"], event["encodings"])
        elif kind == "media_reset":
            self.publications.clear()
            self.paused.clear()
            if self.options.rebuild:
                self._todo.put_nowait(event)

    async def _work(self) -> None:
        """Answer events one after the other."""
        while True:
            event = await self._todo.get()
            try:
                if event["type"] == "subscribe_offer":
                    await self._answer(event)
                elif event["type"] == "subscribe_move":
                    await self._handle_move(event)
                elif event["type"] == "media_reset":
                    await self._rebuild()
                else:
                    await self._subscribe_added(event)
            except (BotError, ValueError) as error:
                self.problems.append(f"{event['type']}: {error}")

    async def _subscribe_added(self, event: Message) -> None:
        """Subscribe to this publication and those announced right behind it, in one request."""
        wanted = [event["publication"]["publication_id"]]
        later = []
        while not self._todo.empty():
            following = self._todo.get_nowait()
            if following["type"] == "publication_added":
                wanted.append(following["publication"]["publication_id"])
            else:
                later.append(following)
        for one in later:
            self._todo.put_nowait(one)
        await self.subscribe([one for one in wanted if one in self.publications])

    async def _rebuild(self) -> None:
        """Publish again what was published, on new connections."""
        specs = self._specs
        self.forget_media()
        if specs:
            await self.publish(specs)
            assert self.publisher is not None
            self.publisher.start()

    def _subscribe_transport(self) -> SubscribeTransport:
        return SubscribeTransport(
            self.options.association(),
            own_ssrc=self.options.ssrc_base + 999,
            sample=self.options.sample,
            nack=self.options.nack,
            departures=self.options.departures,
        )

    async def _handle_move(self, event: Message) -> None:
        """The first offer of a move, or a further one."""
        if self.subscriber is None:
            return
        move, number = self._move, event["move"]
        begins = move is None or move.number != number
        if move is None or begins:
            self._drop_move()
            move = self._move = Move(number, self._subscribe_transport())
        answer, offer = move.transport.answer(event["offer"])
        await self.signalling.request(
            "subscribe_answer", move=number, version=event["version"], answer=answer
        )
        await move.transport.connect(offer)
        if begins:
            mids = {item["mid"]: item["publication_id"] for item in event["mids"]}
            self._moving = asyncio.create_task(self._arrive(self.subscriber, move, mids))

    async def _arrive(self, old: SubscribeTransport, move: Move, mids: dict[str, str]) -> None:
        if not await arrive(old, move.transport) or self._move is not move:
            return
        try:
            await self.signalling.request("subscribe_moved", move=move.number)
        except BotError as error:
            if not isinstance(error, RefusedError):  # else it was called off
                self.problems.append(f"subscribe_moved: {error}")
            if self._move is move:
                self._drop_move()
            return
        if self._move is move:
            self._move = None
            self.subscriber, self._mids = move.transport, mids
            old.close()
            self.left.append(old)

    def _drop_move(self) -> None:
        move, self._move = self._move, None
        if move is not None:
            move.transport.close()

    async def _answer(self, event: Message) -> None:
        if self._moving is not None and self._move is not None and event.get("moved") == self._move.number:
            await self._moving  # the word that it moved is on its way
        if self.subscriber is None:
            self.subscriber = self._subscribe_transport()
        self._mids = {item["mid"]: item["publication_id"] for item in event["mids"]}
        answer, offer = self.subscriber.answer(event["offer"])
        await self.signalling.request("subscribe_answer", version=event["version"], answer=answer)
        await self.subscriber.connect(offer)
