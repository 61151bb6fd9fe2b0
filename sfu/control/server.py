"""Signaling's commands applied to a node: one function per command, each complete when it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sfu.clock import monotonic
from sfu.control import messages as m
from sfu.data.relay import Relayed
from sfu.errors import NodeCommandError, NotFoundError, SfuError
from sfu.holdings import holdings_of, retell, router_held
from sfu.node import Node
from sfu.sampling import sample_of
from sfu.stats import stats_of
from sfu.subscribe_transport import SubscribeTransport


class CommandServer:
    """Applies commands to `node`. Never raises for a command: what is wrong with it is the reply."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._handlers: dict[type[Any], Callable[[Any], m.Reply]] = {
            m.CreateRouter: self._create_router,
            m.LimitVoices: self._limit_voices,
            m.CloseRouter: self._close_router,
            m.CreateTransport: self._create_transport,
            m.CloseTransport: self._close_transport,
            m.SetGrants: self._set_grants,
            m.HandleOffer: self._handle_offer,
            m.HandleAnswer: self._handle_answer,
            m.HandleViewOffer: self._handle_view_offer,
            m.HandleCandidate: self._handle_candidate,
            m.RestartIce: self._restart_ice,
            m.HandleIceRestart: self._handle_ice_restart,
            m.CloseProducer: self._close_producer,
            m.PauseProducer: self._pause_producer,
            m.ResumeProducer: self._resume_producer,
            m.Consume: self._consume,
            m.CloseConsumers: self._close_consumers,
            m.SetPreferredLayer: self._set_preferred_layer,
            m.SetTiles: self._set_tiles,
            m.PauseConsumer: self._pause_consumer,
            m.ResumeConsumer: self._resume_consumer,
            m.CreatePipe: self._create_pipe,
            m.ConnectPipe: self._connect_pipe,
            m.ClosePipe: self._close_pipe,
            m.SendProducer: self._send_producer,
            m.StopSending: self._stop_sending,
            m.ReceiveProducer: self._receive_producer,
            m.SpreadData: self._spread_data,
            m.DeliverData: self._deliver_data,
            m.GetStats: self._get_stats,
            m.Sample: self._sample,
            m.SetNotes: self._set_notes,
            m.GetHoldings: self._get_holdings,
            m.GetRouter: self._get_router,
            m.Retell: self._retell,
            m.Ping: self._ping,
        }

    def apply(self, command: m.Command) -> m.Reply:
        """`Drain` is the link's business, since it ends the node; every other command is applied here."""
        handler = self._handlers.get(type(command))
        if handler is None:
            return m.Failed(code="unsupported", message=f"{command.type} cannot be applied to a node")
        try:
            return handler(command)
        except NodeCommandError as error:
            return m.Failed(code=error.code, message=error.message)
        except SfuError as error:
            return m.Failed(code=error.code, message=str(error))

    def _create_router(self, command: m.CreateRouter) -> m.Reply:
        self.node.create_router(command.router_id, loudest_audio=command.loudest_audio)
        return m.Done()

    def _limit_voices(self, command: m.LimitVoices) -> m.Reply:
        self.node.router(command.router_id).limit_voices(command.loudest_audio, monotonic())
        return m.Done()

    def _close_router(self, command: m.CloseRouter) -> m.Reply:
        self.node.close_router(command.router_id)
        return m.Done()

    def _create_transport(self, command: m.CreateTransport) -> m.Reply:
        self.node.create_transport(command)
        return m.Done()

    def _close_transport(self, command: m.CloseTransport) -> m.Reply:
        self.node.close_transport(command.transport_id)
        return m.Done()

    def _set_grants(self, command: m.SetGrants) -> m.Reply:
        transport = self.node.publish_transport(command.transport_id)
        for producer_id in transport.set_grants(command.grants):
            self.node.close_producer(producer_id, "grant")
        return m.Done()

    def _handle_offer(self, command: m.HandleOffer) -> m.Reply:
        transport = self.node.publish_transport(command.transport_id)
        outcome = transport.handle_offer(command.sdp, command.producers, monotonic())
        for producer_id in outcome.removed:
            self.node.close_producer(producer_id, "removed")
        for producer in outcome.created:
            self.node.producers[producer.id] = producer
        return m.Answered(sdp=outcome.answer, producers=tuple(p.info for p in outcome.active))

    def _handle_answer(self, command: m.HandleAnswer) -> m.Reply:
        transport = self.node.subscribe_transport(command.transport_id)
        for consumer_id in transport.handle_answer(command.version, command.sdp, monotonic()):
            self.node.close_consumer(consumer_id, "unsupported_codec")
        return m.Done()

    def _handle_view_offer(self, command: m.HandleViewOffer) -> m.Reply:
        transport = self.node.subscribe_transport(command.transport_id)
        wanted = {
            spec.mid: self.node.producers[spec.producer_id].codec
            for spec in command.consumers
            if spec.mid is not None and spec.producer_id in self.node.producers
        }
        sdp = transport.handle_view_offer(command.sdp, wanted, monotonic())
        return m.ViewAnswered(sdp=sdp, failed=self._add_consumers(transport, command.consumers))

    def _handle_candidate(self, command: m.HandleCandidate) -> m.Reply:
        """An ICE-lite agent sends no checks, so a client's candidate is of use for reports alone."""
        transport = self.node.transports.get(command.transport_id)
        if transport is None:
            raise NodeCommandError("transport_not_found", f"there is no transport {command.transport_id!r}")
        transport.announced.add(command.candidate)
        return m.Done()

    def _restart_ice(self, command: m.RestartIce) -> m.Reply:
        self.node.subscribe_transport(command.transport_id).request_ice_restart(monotonic())
        return m.Done()

    def _handle_ice_restart(self, command: m.HandleIceRestart) -> m.Reply:
        transport = self.node.transports.get(command.transport_id)
        if transport is None:
            raise NotFoundError("transport", command.transport_id)
        local = transport.handle_ice_restart(command.ufrag, command.pwd, monotonic())
        candidates = tuple(candidate.to_sdp() for candidate in local.candidates)
        return m.IceRestarted(ufrag=local.ufrag, pwd=local.pwd, candidates=candidates)

    def _close_producer(self, command: m.CloseProducer) -> m.Reply:
        self.node.close_producer(command.producer_id, None)
        return m.Done()

    def _pause_producer(self, command: m.PauseProducer) -> m.Reply:
        self.node.producer(command.producer_id).pause()
        return m.Done()

    def _resume_producer(self, command: m.ResumeProducer) -> m.Reply:
        self.node.producer(command.producer_id).resume(monotonic())
        return m.Done()

    def _consume(self, command: m.Consume) -> m.Reply:
        transport = self.node.subscribe_transport(command.transport_id)
        return m.Consumed(failed=self._add_consumers(transport, command.consumers))

    def _add_consumers(
        self, transport: SubscribeTransport, specs: Iterable[m.ConsumerSpec]
    ) -> dict[str, str]:
        """Returns those that could not be, with an error code."""
        now = monotonic()
        failed: dict[str, str] = {}
        for spec in specs:
            producer = self.node.producers.get(spec.producer_id)
            if producer is None:
                failed[spec.consumer_id] = "producer_not_found"
            elif spec.consumer_id in self.node.consumers:
                failed[spec.consumer_id] = "exists"
            elif self.node.router_of(producer) != transport.router_id:
                failed[spec.consumer_id] = "producer_not_found"
            else:
                try:
                    self.node.consumers[spec.consumer_id] = transport.consume(spec, producer, now)
                except NodeCommandError as error:
                    failed[spec.consumer_id] = error.code
        return failed

    def _close_consumers(self, command: m.CloseConsumers) -> m.Reply:
        for consumer_id in command.consumer_ids:
            self.node.close_consumer(consumer_id, None)
        return m.Done()

    def _set_preferred_layer(self, command: m.SetPreferredLayer) -> m.Reply:
        consumer = self.node.consumer(command.consumer_id)
        self.node.subscribe_transport(consumer.transport_id).set_preferred(consumer, command.preferred)
        return m.Done()

    def _set_tiles(self, command: m.SetTiles) -> m.Reply:
        self.node.subscribe_transport(command.transport_id).set_tiles(command.tiles)
        return m.Done()

    def _pause_consumer(self, command: m.PauseConsumer) -> m.Reply:
        consumer = self.node.consumer(command.consumer_id)
        self.node.subscribe_transport(consumer.transport_id).pause_consumer(consumer)
        return m.Done()

    def _resume_consumer(self, command: m.ResumeConsumer) -> m.Reply:
        consumer = self.node.consumer(command.consumer_id)
        self.node.subscribe_transport(consumer.transport_id).resume_consumer(consumer, monotonic())
        return m.Done()

    def _create_pipe(self, command: m.CreatePipe) -> m.Reply:
        return self.node.pipes.create(command)

    def _connect_pipe(self, command: m.ConnectPipe) -> m.Reply:
        self.node.pipes.connect(command, monotonic())
        return m.Done()

    def _close_pipe(self, command: m.ClosePipe) -> m.Reply:
        self.node.close_pipe(command.pipe_id)
        return m.Done()

    def _send_producer(self, command: m.SendProducer) -> m.Reply:
        pipe = self.node.pipes.get(command.pipe_id)
        return m.Piped(producer=pipe.send(self.node.producer(command.producer_id)))

    def _stop_sending(self, command: m.StopSending) -> m.Reply:
        self.node.pipes.get(command.pipe_id).stop_sending(command.producer_id)
        return m.Done()

    def _receive_producer(self, command: m.ReceiveProducer) -> m.Reply:
        self.node.receive_producer(command)
        return m.Done()

    def _spread_data(self, command: m.SpreadData) -> m.Reply:
        self.node.router(command.router_id).spread_data(spread=command.spread)
        return m.Done()

    def _deliver_data(self, command: m.DeliverData) -> m.Reply:
        relayed = Relayed(command.sender, command.to, command.topic, command.payload, command.channel)
        self.node.router(command.router_id).data.deliver(relayed)
        return m.Done()

    def _get_stats(self, command: m.GetStats) -> m.Reply:
        if command.transport_ids:
            transports = self.node.transports
            return stats_of(transports[one] for one in command.transport_ids if one in transports)
        router = None
        if command.router_id is not None:
            found = self.node.routers.get(command.router_id)
            if found is None:
                raise NodeCommandError("router_not_found", f"there is no router {command.router_id!r}")
            router = found.stats(monotonic())
        return m.Stats(counters=self.node.counters(), router=router)

    def _sample(self, command: m.Sample) -> m.Reply:
        transports = self.node.transports
        found = [transports[one] for one in command.transport_ids if one in transports]
        return m.Sampled(transports=tuple(sample_of(one, self.node.ports.local_of) for one in found))

    def _set_notes(self, command: m.SetNotes) -> m.Reply:
        self.node.router(command.router_id).set_notes(command.revision, command.notes)
        return m.Done()

    def _get_holdings(self, _command: m.GetHoldings) -> m.Reply:
        return holdings_of(self.node)

    def _get_router(self, command: m.GetRouter) -> m.Reply:
        return router_held(self.node, self.node.router(command.router_id))

    def _retell(self, command: m.Retell) -> m.Reply:
        retell(self.node, command)
        return m.Done()

    def _ping(self, _command: m.Ping) -> m.Reply:
        return m.Done()
