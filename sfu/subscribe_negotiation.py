"""How the m-lines of a subscribe transport are agreed on: the server offers.

The server is the only offerer. At most one offer is outstanding; what changes meanwhile goes into the next.
An m-line (`Slot`) belongs to one consumer at a time; when that ended and the client has seen the m-line
inactive, the next consumer of the same kind takes it over.

With each change all m-lines are said again, and most are as before: what was offered and answered on one is
kept with it, so that only what differs costs anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from sfu.consumer import Consumer
from sfu.control.messages import ConsumerMid, Event, Kind, OfferReady
from sfu.errors import NodeCommandError
from sfu.rtp.negotiation import RED_PAYLOAD_TYPE, SUBSCRIBE_EXTENSIONS, subscribe_codec, supports_red
from sfu.rtp.parameters import ExtensionUri
from sfu.webrtc.description import (
    LocalTransport,
    SubscribeAnswer,
    SubscribeSection,
    candidates_of,
    check_subscribe_answer,
    describe_offer,
    offer_section,
    read_subscribe_section,
)
from sfu.webrtc.sdp import MediaSection, Printer, SessionDescription, parse_sdp


class Receiver(Protocol):
    """What a negotiation needs of the transport it is for."""

    @property
    def id(self) -> str: ...

    @property
    def local(self) -> LocalTransport: ...

    def take_remote(self, description: SessionDescription, now: float) -> None: ...

    def carries(self, consumer: Consumer) -> bool: ...

    def start(
        self,
        consumer: Consumer,
        payload_type: int,
        rtx_payload_type: int | None,
        red_payload_type: int | None,
        twcc_id: int | None,
        now: float,
    ) -> None: ...


@dataclass(slots=True)
class Slot:
    """One m-line of the subscribe connection.

    `section` is what was last offered on it, `media` that as a part of a description, `told` whose it is.
    `free`: the client has answered it as inactive. `stopped`: the client rejected it, so it can never be used
    again. `agreed` is what was offered and answered when its consumer was started, and whether the client
    took mixed header extensions: as long as all three are the same objects, there is nothing to do.
    """

    mid: str
    kind: Kind
    consumer: Consumer | None
    section: SubscribeSection | None = None
    media: MediaSection | None = None
    told: ConsumerMid | None = None
    agreed: tuple[SubscribeSection, MediaSection, bool] | None = None
    free: bool = False
    stopped: bool = False


class ServerOffers:
    """The offers of one subscribe transport, made in the loop it was created in."""

    def __init__(self, receiver: Receiver, emit: Callable[[Event], None]) -> None:
        self._receiver = receiver
        self._emit = emit
        self._slots: list[Slot] = []
        self._version = 0
        self._printer = Printer()
        self._outstanding: OfferReady | None = None
        self._offered: list[tuple[Slot, Consumer | None, SubscribeSection]] = []
        self._dirty = False
        self._scheduled = False
        self._loop = asyncio.get_running_loop()

    def add(self, consumer: Consumer) -> None:
        """Give a consumer an m-line; an offer follows in a later turn of the loop."""
        self._take_slot(consumer)
        self.schedule()

    def remove(self, consumer: Consumer) -> None:
        for slot in self._slots:
            if slot.consumer is consumer:
                slot.consumer = None
                slot.free = False
                if slot.section is None:
                    # Never offered, and the last one: as if it had not been.
                    self._slots.remove(slot)
                break
        self.schedule()

    def schedule(self) -> None:
        """Coalesce: one offer for all changes of this turn, none while one is outstanding."""
        self._dirty = True
        if not self._scheduled and self._outstanding is None:
            self._scheduled = True
            self._loop.call_soon(self._offer)

    def handle_answer(self, version: int, sdp: str, now: float) -> list[str]:
        """Apply the client's answer. Returns the consumers whose codec it refused, to be closed.

        Raises `NodeCommandError` for an answer to another offer than the outstanding one, `SdpError` for one
        that cannot be read; the offer stays outstanding then.
        """
        waiting = None if self._outstanding is None else self._outstanding.version
        if version != waiting:
            raise NodeCommandError(
                "stale_answer", f"answer to offer {version}, but {waiting or 'none'} is outstanding"
            )
        answer = parse_sdp(sdp)
        check_subscribe_answer(answer, [slot.mid for slot, _, _ in self._offered])
        self._outstanding = None
        self._receiver.take_remote(answer, now)
        refused: list[str] = []
        mixed = answer.extmap_allow_mixed
        for (slot, consumer, section), answered in zip(self._offered, answer.sections, strict=True):
            slot.stopped = answered.is_rejected
            if consumer is None:
                slot.free = slot.consumer is None and not slot.stopped
            elif self._receiver.carries(consumer) and not _is_agreed(slot, section, answered, mixed=mixed):
                outcome = read_subscribe_section(answered, section, mixed=mixed)
                if outcome.accepted:
                    self._start(consumer, section, outcome, now)
                    slot.agreed = (section, answered, mixed)
                else:
                    refused.append(consumer.id)
        if self._dirty:
            self.schedule()
        return refused

    def retell(self) -> None:
        """Offer again what waits for an answer; the client takes the same version twice."""
        if self._outstanding is not None:
            self._emit(self._outstanding)

    def close(self) -> None:
        """No offer follows any more."""
        self._dirty = False

    # --- inside --------------------------------------------------------------------------------------

    def _take_slot(self, consumer: Consumer) -> None:
        kind = consumer.producer.kind
        for slot in self._slots:
            if slot.free and slot.consumer is None and slot.kind == kind:
                slot.consumer = consumer
                slot.free = False
                return
        self._slots.append(Slot(str(len(self._slots)), kind, consumer))

    def _start(
        self, consumer: Consumer, section: SubscribeSection, outcome: SubscribeAnswer, now: float
    ) -> None:
        consumer.leg.wide = ExtensionUri.DEPENDENCY_DESCRIPTOR in outcome.extensions
        self._receiver.start(
            consumer,
            section.codec.payload_type,
            section.rtx_payload_type if outcome.supports_rtx else None,
            section.red_payload_type if outcome.supports_red else None,
            SUBSCRIBE_EXTENSIONS[ExtensionUri.TWCC] if ExtensionUri.TWCC in outcome.extensions else None,
            now,
        )

    def _offer(self) -> None:
        self._scheduled = False
        if not self._dirty or self._outstanding is not None or not self._slots:
            return
        self._dirty = False
        self._version += 1
        self._offered = [(slot, slot.consumer, self._section(slot)) for slot in self._slots]
        local = self._receiver.local
        candidates = candidates_of(local)
        sections = [_media(slot, section, candidates) for slot, _, section in self._offered]
        description = describe_offer(sections, local, session_version=self._version)
        self._outstanding = OfferReady(
            transport_id=self._receiver.id,
            version=self._version,
            sdp=self._printer.to_sdp(description),
            mids=tuple(_told(slot, slot.consumer) for slot in self._slots if slot.consumer is not None),
        )
        self._emit(self._outstanding)

    def _section(self, slot: Slot) -> SubscribeSection:
        consumer, before = slot.consumer, slot.section
        if consumer is None:
            # What this m-line carried last, now inactive.
            assert before is not None
            if before.active or before.stopped is not slot.stopped:
                slot.section, slot.media = replace(before, active=False, stopped=slot.stopped), None
            return slot.section or before
        if before is not None and before.active and before.track_id == consumer.id:
            return before
        codec, rtx_payload_type = subscribe_codec(consumer.producer.codec)
        section = SubscribeSection(
            mid=slot.mid,
            kind=slot.kind,
            codec=codec,
            rtx_payload_type=rtx_payload_type,
            ssrc=consumer.leg.ssrc,
            rtx_ssrc=consumer.leg.rtx_ssrc,
            cname=consumer.producer.transport_id,
            stream_id=consumer.producer.transport_id,
            track_id=consumer.id,
            active=True,
            red_payload_type=RED_PAYLOAD_TYPE if supports_red(codec) else None,
        )
        slot.section, slot.media = section, None
        return section


def _media(slot: Slot, section: SubscribeSection, candidates: tuple[str, ...]) -> MediaSection:
    media = slot.media
    if media is None or media.candidates != candidates:
        media = slot.media = offer_section(section, candidates)
    return media


def _told(slot: Slot, consumer: Consumer) -> ConsumerMid:
    told = slot.told
    if told is None or told.consumer_id != consumer.id:
        told = slot.told = ConsumerMid(
            mid=slot.mid, consumer_id=consumer.id, producer_id=consumer.producer.id, kind=slot.kind
        )
    return told


def _is_agreed(slot: Slot, section: SubscribeSection, answered: MediaSection, *, mixed: bool) -> bool:
    agreed = slot.agreed
    return agreed is not None and agreed[0] is section and agreed[1] is answered and agreed[2] is mixed
