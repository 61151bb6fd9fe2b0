"""What a node by hand says to a signaling process that takes it over."""

from __future__ import annotations

from sfu.control import messages as node
from sfu.errors import NotFoundError
from signaling.nodes.testing.graph import FakeGraph


def holdings_of(graph: FakeGraph) -> node.Holdings:
    return node.Holdings(
        router_ids=tuple(sorted(graph.routers)),
        pipes=tuple(
            node.PipeHeld(
                pipe_id=one.id,
                connected=one.connected,
                silent=one.silent,
                sending=tuple(sorted(one.sending)),
            )
            for one in graph.pipes.values()
        ),
    )


def router_held(graph: FakeGraph, router_id: str) -> node.RouterHeld:
    """As a real node has it; of its piped producers, those that came by a pipe belong to every router."""
    if router_id not in graph.routers:
        raise NotFoundError("router", router_id)
    own = [one for one in graph.transports.values() if one.router_id == router_id]
    ids = {one.id for one in own}
    pipe_of = {producer: pipe.id for pipe in graph.pipes.values() for producer in pipe.receiving}
    revision, notes = graph.notes.get(router_id, (0, {}))
    return node.RouterHeld(
        router_id=router_id,
        revision=revision,
        notes=dict(notes),
        transports=tuple(
            node.TransportHeld(
                transport_id=one.id,
                direction=one.direction,
                label=one.label,
                state="connected",
                grants=one.grants,
            )
            for one in own
        ),
        producers=tuple(
            node.ProducerHeld(
                producer_id=one.id,
                transport_id=None if one.id in pipe_of else one.transport_id,
                pipe_id=pipe_of.get(one.id),
                source=one.spec.source,
                kind=one.spec.kind,
                paused=one.paused,
            )
            for one in graph.producers.values()
            if one.transport_id in ids or one.id in pipe_of
        ),
        consumers=tuple(
            node.ConsumerHeld(
                consumer_id=one.id,
                transport_id=one.transport_id,
                producer_id=one.producer_id,
                preferred=one.preferred,
                paused=one.paused,
                tile=None
                if one.tile is None
                else node.TileHeld(width=one.tile.width, height=one.tile.height, priority=one.tile.priority),
            )
            for one in graph.consumers.values()
            if one.transport_id in ids
        ),
    )
