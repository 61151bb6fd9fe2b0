"""The routers, transports, producers, consumers and pipes of a node by hand, and what becomes of them.

What it does on its own, and news that a real node would tell, go to `emit`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from sfu.control import messages as node
from sfu.errors import NodeCommandError, NotFoundError
from signaling.nodes.testing.objects import FakeConsumer, FakePipe, FakeProducer, FakeTransport

BAD_SDP = "bad"
"""An offer or answer of this text is refused as `bad_sdp`."""


@dataclass
class FakeGraph(ABC):
    routers: set[str] = field(default_factory=set)
    transports: dict[str, FakeTransport] = field(default_factory=dict)
    producers: dict[str, FakeProducer] = field(default_factory=dict)
    consumers: dict[str, FakeConsumer] = field(default_factory=dict)
    pipes: dict[str, FakePipe] = field(default_factory=dict)
    notes: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """By router id: the revision, and the notes."""
    undecodable: set[str] = field(default_factory=set)
    """m-lines (mids) for which no codec is found."""

    @abstractmethod
    def emit(self, event: node.Event) -> None:
        """Tell signaling."""

    def producer_of(self, source: str) -> FakeProducer:
        """The one producer of that source."""
        (found,) = [one for one in self.producers.values() if one.spec.source == source]
        return found

    def clear(self) -> None:
        for kept in (self.transports, self.producers, self.consumers):
            kept.clear()
        self.routers.clear()

    def _set_notes(self, command: node.SetNotes) -> None:
        _, notes = self.notes.get(command.router_id, (0, {}))
        changed = {**notes, **command.notes}
        kept = {key: text for key, text in changed.items() if text is not None}
        self.notes[command.router_id] = (command.revision, kept)

    def _retell(self, command: node.Retell) -> None:
        for transport_id in command.transport_ids:
            transport = self.transports.get(transport_id)
            if transport is None:
                continue
            self.emit(node.TransportStateChanged(transport_id=transport_id, state="connected"))
            if transport.version > transport.answered:
                self.emit(self._offer_of(transport))

    def _streams_of(self, transport_ids: tuple[str, ...]) -> tuple[node.StreamStats, ...]:
        """Without anything wrong, of what those transports carry."""
        carried: list[tuple[str, str | None]] = [
            (one.id, None) for one in self.producers.values() if one.transport_id in transport_ids
        ]
        carried += [
            (one.producer_id, one.id) for one in self.consumers.values() if one.transport_id in transport_ids
        ]
        return tuple(
            node.StreamStats(
                producer_id=producer_id,
                consumer_id=consumer_id,
                bitrate=0.0,
                packet_rate=0.0,
                frame_rate=None,
                loss=0.0,
                repaired=0.0,
                jitter=0.0,
                rtt=None,
                frozen=0.0,
                freezes=0,
                score=10,
            )
            for producer_id, consumer_id in carried
        )

    def _samples_of(self, transport_ids: tuple[str, ...]) -> Iterator[node.TransportSample]:
        """Each stream of theirs carried 500 packets of 1,000 bytes, and lost none."""
        for transport in (self.transports[one] for one in transport_ids if one in self.transports):
            sources = [one.spec for one in self.producers.values() if one.transport_id == transport.id]
            sources += [
                self.producers[one.producer_id].spec
                for one in self.consumers.values()
                if one.transport_id == transport.id
            ]
            yield node.TransportSample(
                transport_id=transport.id,
                path=node.PathSample(
                    protocol="udp",
                    local_host="192.0.2.1",
                    local_port=40000,
                    remote_host="198.51.100.7",
                    remote_port=50000,
                    remote_type="srflx",
                    rtt=0.03,
                ),
                media=tuple(
                    node.MediumSample(
                        medium=kind,
                        streams=(streams := sum(one.kind == kind for one in sources)),
                        packets=500 * streams,
                        octets=500_000 * streams,
                        lost=0.0,
                        jitter=0.002,
                        rtt=0.03,
                        frame_rate=25.0 if kind == "video" else None,
                        frozen=0.0,
                        score=10.0,
                        worst=10,
                    )
                    for kind in dict.fromkeys(one.kind for one in sources)
                ),
            )

    def _close_router(self, router_id: str) -> None:
        if router_id not in self.routers:
            raise NotFoundError("router", router_id)
        self.routers.discard(router_id)
        self.notes.pop(router_id, None)
        for transport in [one for one in self.transports.values() if one.router_id == router_id]:
            self._close_transport(transport.id)

    def _create_transport(self, command: node.CreateTransport) -> None:
        if command.router_id not in self.routers:
            raise NotFoundError("router", command.router_id)
        self.transports[command.transport_id] = FakeTransport(
            command.transport_id,
            command.router_id,
            command.direction,
            command.client_offers,
            command.grants,
            command.label,
        )

    def _close_transport(self, transport_id: str) -> None:
        self._transport(transport_id)
        for producer in [one for one in self.producers.values() if one.transport_id == transport_id]:
            self._close_producer(producer.id, "transport_closed")
        for consumer in [one for one in self.consumers.values() if one.transport_id == transport_id]:
            self._close_consumer(consumer.id, "transport_closed")
        del self.transports[transport_id]

    def _set_grants(self, command: node.SetGrants) -> None:
        transport = self._transport(command.transport_id)
        transport.grants = command.grants
        for producer in [one for one in self.producers.values() if one.transport_id == transport.id]:
            if not self._granted(transport, producer.spec):
                self._close_producer(producer.id, "grant")

    def _handle_offer(self, command: node.HandleOffer) -> node.Answered:
        transport = self._transport(command.transport_id)
        if command.sdp == BAD_SDP:
            raise NodeCommandError("bad_sdp", "the offer is no SDP")
        accepted = [
            spec
            for spec in command.producers
            if self._granted(transport, spec) and spec.mid not in self.undecodable
        ]
        for spec in accepted:
            if spec.producer_id not in self.producers:
                self.producers[spec.producer_id] = FakeProducer(
                    spec.producer_id, transport.id, spec, spec.paused
                )
        return node.Answered(
            sdp=f"answer to {command.sdp}",
            producers=tuple(
                node.ProducerInfo(
                    producer_id=spec.producer_id,
                    mid=spec.mid,
                    kind=spec.kind,
                    codec="video/VP8" if spec.kind == "video" else "audio/opus",
                    encodings=1,
                )
                for spec in accepted
            ),
        )

    def _handle_view_offer(self, command: node.HandleViewOffer) -> node.ViewAnswered:
        if self.undecodable.issuperset(spec.mid for spec in command.consumers):
            raise NodeCommandError("unsupported_codec", "the offer has no codec for it")
        consumed = self._consume(node.Consume(transport_id=command.transport_id, consumers=command.consumers))
        return node.ViewAnswered(sdp="v=0 the answer", failed=consumed.failed)

    def _handle_answer(self, command: node.HandleAnswer) -> None:
        transport = self._transport(command.transport_id)
        if command.version != transport.version or command.version == transport.answered:
            raise NodeCommandError("stale_answer", f"offer {command.version} is not outstanding")
        if command.sdp == BAD_SDP:
            raise NodeCommandError("bad_sdp", "the answer is no SDP")
        transport.answered = command.version
        if transport.dirty:
            self._offer_soon(transport)

    def _consume(self, command: node.Consume) -> node.Consumed:
        transport = self._transport(command.transport_id)
        failed: dict[str, str] = {}
        for spec in command.consumers:
            if spec.producer_id not in self.producers:
                failed[spec.consumer_id] = "producer_not_found"
                continue
            if spec.mid in self.undecodable:
                failed[spec.consumer_id] = "unsupported_codec"
                continue
            mid = spec.mid or str(sum(one.transport_id == transport.id for one in self.consumers.values()))
            self.consumers[spec.consumer_id] = FakeConsumer(
                spec.consumer_id, transport.id, spec.producer_id, mid, spec.preferred, spec.paused
            )
        self._offer_soon(transport)
        return node.Consumed(failed=failed)

    # --- pipes -----------------------------------------------------------------------------------------

    def _pipe(self, pipe_id: str) -> FakePipe:
        if pipe_id not in self.pipes:
            raise NotFoundError("pipe", pipe_id)
        return self.pipes[pipe_id]

    def _close_pipe(self, pipe_id: str) -> None:
        for producer_id in self._pipe(pipe_id).receiving & set(self.producers):
            self._close_producer(producer_id, None)
        del self.pipes[pipe_id]

    def _send_producer(self, command: node.SendProducer) -> node.Piped:
        producer = self._producer(command.producer_id)
        self._pipe(command.pipe_id).sending.add(producer.id)
        spec = producer.spec
        return node.Piped(
            producer=node.PipedProducer(
                producer_id=producer.id,
                transport_id=producer.transport_id,
                source=spec.source,
                kind=spec.kind,
                codec=node.PipedCodec(mime="video/VP8", payload_type=96, clock_rate=90000, channels=1),
                payload_type=96,
                rtx_payload_type=97,
                encodings=(node.PipedEncoding(rid=None, ssrc=1, rtx_ssrc=2),),
                paused=producer.paused,
            )
        )

    def _receive_producer(self, command: node.ReceiveProducer) -> None:
        if command.router_id not in self.routers:
            raise NotFoundError("router", command.router_id)
        spec = command.producer
        self._pipe(command.pipe_id).receiving.add(spec.producer_id)
        local = node.ProducerSpec(
            producer_id=spec.producer_id, mid="", source=spec.source, kind=spec.kind, paused=spec.paused
        )
        self.producers[spec.producer_id] = FakeProducer(
            spec.producer_id, spec.transport_id, local, spec.paused
        )

    # --- inside ----------------------------------------------------------------------------------------

    def _transport(self, transport_id: str) -> FakeTransport:
        if transport_id not in self.transports:
            raise NotFoundError("transport", transport_id)
        return self.transports[transport_id]

    def _producer(self, producer_id: str) -> FakeProducer:
        if producer_id not in self.producers:
            raise NotFoundError("producer", producer_id)
        return self.producers[producer_id]

    def _consumer(self, consumer_id: str) -> FakeConsumer:
        if consumer_id not in self.consumers:
            raise NotFoundError("consumer", consumer_id)
        return self.consumers[consumer_id]

    def _granted(self, transport: FakeTransport, spec: node.ProducerSpec) -> bool:
        return any((grant.source, grant.kind) == (spec.source, spec.kind) for grant in transport.grants)

    def _close_producer(self, producer_id: str, reason: str | None) -> None:
        """With a reason where the node does it on its own, which it then tells."""
        del self.producers[producer_id]
        for consumer in [one for one in self.consumers.values() if one.producer_id == producer_id]:
            self._close_consumer(consumer.id, "producer_closed")
        if reason is not None:
            self.emit(node.ProducerClosed(producer_id=producer_id, reason=reason))

    def _close_consumer(self, consumer_id: str, reason: str | None) -> None:
        consumer = self.consumers.pop(consumer_id, None)
        if consumer is None:
            return
        if reason is not None:
            self.emit(node.ConsumerClosed(consumer_id=consumer_id, reason=reason))
        if reason != "transport_closed":
            self._offer_soon(self.transports[consumer.transport_id])

    def _offer_soon(self, transport: FakeTransport) -> None:
        if transport.client_offers:
            return
        if transport.version > transport.answered or transport.dirty:
            transport.dirty = True
            return
        transport.dirty = True
        asyncio.get_running_loop().call_soon(self._offer, transport.id)

    def _offer(self, transport_id: str) -> None:
        transport = self.transports.get(transport_id)
        if transport is None:
            return
        transport.dirty = False
        transport.version += 1
        self.emit(self._offer_of(transport))

    def _offer_of(self, transport: FakeTransport) -> node.OfferReady:
        mids = tuple(
            node.ConsumerMid(
                mid=one.mid,
                consumer_id=one.id,
                producer_id=one.producer_id,
                kind=self.producers[one.producer_id].spec.kind,
            )
            for one in self.consumers.values()
            if one.transport_id == transport.id
        )
        return node.OfferReady(
            transport_id=transport.id,
            version=transport.version,
            sdp=f"offer {transport.version}",
            mids=mids,
        )
