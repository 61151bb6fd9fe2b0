"""A media node: its ports, its routers, and the tick that everything off the packet path runs on.

    STARTING --> SERVING --> DRAINING --> STOPPED

A node knows nothing of meetings or permissions; `sfu.control.server` turns signaling's commands into calls
here. All of it runs in one loop and nothing in it waits, so a command's effect is complete when it returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from enum import Enum

import structlog

from sfu.bandwidth.stalls import Stalls
from sfu.clock import busy_time, monotonic, utc_now
from sfu.config import NodeConfig
from sfu.consumer import Consumer
from sfu.control.messages import (
    ConsumerClosed,
    CreateTransport,
    Event,
    ProducerClosed,
    ReceiveProducer,
)
from sfu.data.relay import DataRate
from sfu.errors import NodeCommandError, NotFoundError
from sfu.load_report import LoadReport
from sfu.pipes.node_pipes import NodePipes
from sfu.ports import NodePorts
from sfu.pressure import Limits, Measures, Pressure
from sfu.producer import Producer
from sfu.publish_transport import PublishTransport
from sfu.quality.spreads import QualitySpreads
from sfu.router import Router
from sfu.slices import Slices
from sfu.subscribe_transport import SubscribeTransport
from sfu.totals import Totals, layers_received
from sfu.transport import Transport
from sfu.turns import SLOW_INTERVAL, Turns
from sfu.webrtc.association import Association
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.description import LocalTransport
from sfu.webrtc.udp import Path, SocketCalls

log = structlog.get_logger("sfu.node")

TICK = 0.02
CATCH_UP = 0.1
"""Seconds after media was dropped for being read too late, in which nobody is asked to send any again."""


class NodeState(Enum):
    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    STOPPED = "stopped"


class Node:
    """Created in the loop it runs in. `emit` receives the node's events."""

    def __init__(self, config: NodeConfig, emit: Callable[[Event], None]) -> None:
        self.config = config
        self.state = NodeState.STARTING
        self.certificate = Certificate.generate(utc_now())
        self.ports = NodePorts(config)
        self.pipes = NodePipes(config, emit)
        self.routers: dict[str, Router] = {}
        self.transports: dict[str, Transport] = {}
        self.producers: dict[str, Producer] = {}
        self.consumers: dict[str, Consumer] = {}
        self.closed = 0
        """Transports, producers and consumers that were closed since the start."""
        self._totals = Totals()
        self._emit = emit
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._turns: Turns[Transport] = Turns()
        self._slices: Slices[Transport] = Slices(self._loop, self._tick_transport, monotonic)
        self._tick_due = 0.0
        self.stalls = Stalls()
        self.behind = False
        self.quality = QualitySpreads()
        self.pressure = Pressure(Limits(config.shed_above, config.shed_lag), 0.0, 0.0)
        self._report = LoadReport()

    async def start(self) -> None:
        """Bind the ports. Raises `OSError` when one is taken."""
        await self.ports.start()
        self.state = NodeState.SERVING
        now = monotonic()
        self._report.begin(now, time.process_time())
        self.pressure = Pressure(self.pressure.limits, now, busy_time())
        self._schedule_tick(now)
        log.info("node serving", node=self.config.node_id, port=self.ports.number, gro=self.ports.gro)

    # --- what a transport needs (sfu.transport.Host) -------------------------------------------------

    @property
    def consent_timeout(self) -> float:
        return self.config.consent_timeout

    @property
    def data_rate(self) -> DataRate:
        return DataRate(self.config.data_messages, self.config.data_bytes)

    @property
    def measures(self) -> Measures:
        return self.pressure.measures

    def wake(self, transport: Transport) -> None:
        self._turns.wake(transport)

    def emit(self, event: Event) -> None:
        self._emit(event)

    def local_transport(self, ufrag: str, pwd: str) -> LocalTransport:
        return LocalTransport(
            ufrag=ufrag,
            pwd=pwd,
            fingerprint=self.certificate.fingerprint,
            candidates=self.ports.candidates,
        )

    def register_ufrag(self, ufrag: str, association: Association) -> None:
        self.ports.associations[ufrag] = association

    def unregister_ufrag(self, ufrag: str) -> None:
        self.ports.associations.pop(ufrag, None)

    def socket_calls(self, path: Path) -> SocketCalls:
        return self.ports.socket_calls(path)

    # --- commands ------------------------------------------------------------------------------------

    def create_router(self, router_id: str, *, loudest_audio: int | None = None) -> None:
        if self.state is not NodeState.SERVING:
            raise NodeCommandError("draining", "this node takes no new sessions; place it elsewhere")
        self.routers.setdefault(router_id, Router(self, router_id, loudest_audio=loudest_audio))

    def close_router(self, router_id: str) -> None:
        router = self.routers.pop(router_id, None)
        if router is None:
            return
        for transport_id in (*router.publishing, *router.subscribing):
            self.close_transport(transport_id)
        for producer_id in list(router.piped):
            self.close_producer(producer_id, None)
        self._totals.handle_router_closed(router)

    def create_transport(self, command: CreateTransport) -> None:
        router = self.routers.get(command.router_id)
        if router is None:
            raise NotFoundError("router", command.router_id)
        if command.transport_id in self.transports:
            raise NodeCommandError("exists", f"transport {command.transport_id!r} is there already")
        now = monotonic()
        if command.direction == "publish":
            publish = PublishTransport(self, router, command.transport_id, command.label, command.grants, now)
            router.publishing[publish.id] = publish
            made: Transport = publish
        else:
            subscribe = SubscribeTransport(
                self,
                router.id,
                command.transport_id,
                command.label,
                now,
                client_offers=command.client_offers,
            )
            subscribe.set_dominant(router.dominant)
            router.subscribing[subscribe.id] = subscribe
            made = subscribe
        self.transports[made.id] = made
        self._turns.add(made)

    def close_transport(self, transport_id: str) -> None:
        transport = self.transports.get(transport_id)
        if transport is None:
            return
        router = self.routers.get(transport.router_id)
        if isinstance(transport, PublishTransport):
            for producer_id in list(transport.producers):
                self.close_producer(producer_id, "transport_closed")
            if router is not None:
                router.publishing.pop(transport_id, None)
        elif isinstance(transport, SubscribeTransport):
            for consumer_id in list(transport.consumers):
                self.close_consumer(consumer_id, None)
            if router is not None:
                router.subscribing.pop(transport_id, None)
        del self.transports[transport_id]
        self.closed += 1
        self._totals.handle_transport_closed(transport)
        self._turns.forget(transport)
        transport.close()

    def close_producer(self, producer_id: str, reason: str | None) -> None:
        """Close a producer and its consumers. With a reason, signaling is told; without, it asked for it."""
        producer = self.producers.pop(producer_id, None)
        if producer is None:
            return
        self.closed += 1
        producer.close()
        self._totals.handle_producer_closed(producer)
        self.pipes.forget_producer(producer_id)
        for router in self.routers.values():
            router.piped.pop(producer_id, None)
        transport = self.transports.get(producer.transport_id)
        if isinstance(transport, PublishTransport):
            transport.forget_producer(producer_id)
        for consumer_id in list(producer.consumers):
            self.close_consumer(consumer_id, "producer_closed")
        if reason is not None:
            self.emit(ProducerClosed(producer_id=producer_id, reason=reason))

    def receive_producer(self, command: ReceiveProducer) -> None:
        """Make a producer that comes by a pipe. Asking twice changes nothing."""
        router = self.routers.get(command.router_id)
        if router is None:
            raise NotFoundError("router", command.router_id)
        spec = command.producer
        if spec.producer_id in self.producers:
            return
        receiver = self.pipes.get(command.pipe_id).receive(spec, router.id, router.detector)
        self.producers[spec.producer_id] = receiver.producer
        router.piped[spec.producer_id] = receiver.producer

    def close_pipe(self, pipe_id: str) -> None:
        """The producers that came by it end here; their consumers are told."""
        for producer_id in self.pipes.close_pipe(pipe_id):
            self.close_producer(producer_id, None)

    def close_consumer(self, consumer_id: str, reason: str | None) -> None:
        consumer = self.consumers.pop(consumer_id, None)
        if consumer is None:
            return
        self.closed += 1
        consumer.close()
        transport = self.transports.get(consumer.transport_id)
        if isinstance(transport, SubscribeTransport):
            transport.forget_consumer(consumer_id)
        if reason is not None:
            self.emit(ConsumerClosed(consumer_id=consumer_id, reason=reason))

    def publish_transport(self, transport_id: str) -> PublishTransport:
        transport = self.transports.get(transport_id)
        if not isinstance(transport, PublishTransport):
            raise NotFoundError("publish_transport", transport_id)
        return transport

    def subscribe_transport(self, transport_id: str) -> SubscribeTransport:
        transport = self.transports.get(transport_id)
        if not isinstance(transport, SubscribeTransport):
            raise NotFoundError("subscribe_transport", transport_id)
        return transport

    def router(self, router_id: str) -> Router:
        router = self.routers.get(router_id)
        if router is None:
            raise NotFoundError("router", router_id)
        return router

    def producer(self, producer_id: str) -> Producer:
        producer = self.producers.get(producer_id)
        if producer is None:
            raise NotFoundError("producer", producer_id)
        return producer

    def router_of(self, producer: Producer) -> str | None:
        """The router a producer is in, published there or piped to it."""
        transport = self.transports.get(producer.transport_id)
        if transport is not None:
            return transport.router_id
        return next((router.id for router in self.routers.values() if producer.id in router.piped), None)

    def consumer(self, consumer_id: str) -> Consumer:
        consumer = self.consumers.get(consumer_id)
        if consumer is None:
            raise NotFoundError("consumer", consumer_id)
        return consumer

    @property
    def live(self) -> int:
        """Transports, producers and consumers that are open."""
        return len(self.transports) + len(self.producers) + len(self.consumers)

    def counters(self) -> dict[str, float]:
        """Totals since the start, for /metrics and for load reports."""
        return (
            self.ports.counters()
            | self._totals.counters(self.routers, self.transports, self.producers, self.consumers)
            | self.pipes.counters()
            | {"turns_seconds": self._slices.seconds}
        )

    # --- time ----------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = monotonic()
        self.pressure.handle_tick(now - self._tick_due)
        self._schedule_tick(now)
        self.behind = now - max(self.ports.late_at, self.pipes.late_at) < CATCH_UP
        slow = False
        if not self._slices.busy:  # else turns are late, which is better than media
            due, slow = self._turns.poll(now)
            self._slices.begin(due)
        self.pipes.tick(now, slow=slow, behind=self.behind)
        if slow:
            for router in self.routers.values():
                router.poll_speakers(now)
        if self.pressure.is_due(now) and self.pressure.poll(now, busy_time()):
            self._handle_pressure(now)
        elif now >= self._report.due:
            self._report_load(now)

    def _schedule_tick(self, now: float) -> None:
        wait = TICK if self.pipes.open or not self._turns.idle else SLOW_INTERVAL
        self._tick_due = now + wait
        self.stalls.handle_tick(now, self._tick_due)
        self._timer = self._loop.call_later(wait, self._tick)

    def _handle_pressure(self, now: float) -> None:
        """The receivers follow with their next turns; signaling places nobody here meanwhile."""
        pressure = self.pressure
        log.warning(
            "node pressure",
            node=self.config.node_id,
            level=pressure.level.name.lower(),
            busy=round(pressure.busy, 2),
            lag_ms=round(1000 * pressure.lag, 1),
        )
        self._report_load(now)

    def _tick_transport(self, transport: Transport, now: float) -> None:
        if self.transports.get(transport.id) is not transport:
            return  # closed while it waited for its turn
        try:
            transport.tick(now)
        except Exception:
            # A defect of ours: it costs this transport its turn, not the node its timer.
            log.exception("a transport's tick failed", transport=transport.id)

    def _report_load(self, now: float) -> None:
        self.emit(
            self._report.make(
                now,
                time.process_time(),
                counters=self.counters(),
                delays=self.ports.delays(),
                pressure=self.pressure,
                quality=self.quality,
                layers=layers_received(self.consumers.values()),
                routers=len(self.routers),
                transports=len(self.transports),
            )
        )

    # --- closing -------------------------------------------------------------------------------------

    async def close(self, deadline: float = 0.0) -> None:
        """Take nothing new, wait up to `deadline` seconds for the routers to empty, close what is left."""
        if self.state in (NodeState.DRAINING, NodeState.STOPPED):
            return
        self.state = NodeState.DRAINING
        until = monotonic() + deadline
        while self.transports and monotonic() < until:
            await asyncio.sleep(0.05)
        left = len(self.transports)
        for router_id in list(self.routers):
            self.close_router(router_id)
        if self._timer is not None:
            self._timer.cancel()
        self._slices.close()
        self.pipes.close()
        with contextlib.suppress(OSError):
            await self.ports.close()
        self.state = NodeState.STOPPED
        log.info("node stopped", node=self.config.node_id, transports_cut=left)
