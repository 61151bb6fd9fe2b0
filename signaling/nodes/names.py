"""What a session's things are called at a node, both ways: people's ids above, the node's below.

Everything with a name here is registered with the link, so that the node's events about it find the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from signaling.domain.publication import Grant
from signaling.ids import new_id
from signaling.nodes.link import EventSink, NodeLink
from signaling.services.live.ports import Direction


@dataclass(slots=True)
class Transport:
    id: str
    peer_id: str
    direction: Direction
    grants: tuple[Grant, ...] = ()


def producer_id_of(publication_id: str) -> str:
    """The name follows from the publication's, so that whoever finds the one knows the other."""
    return f"pr_{publication_id.removeprefix('pub_')}"


class Names:
    """Of one session on one node. The maps are for looking, the methods for changing."""

    def __init__(self, link: NodeLink, sink: EventSink) -> None:
        self.transports: dict[tuple[str, Direction], Transport] = {}
        """By peer id and direction."""
        self.by_transport: dict[str, Transport] = {}
        self.producers: dict[str, str] = {}
        """Publication id -> producer id."""
        self.publications: dict[str, str] = {}
        """Producer id -> publication id."""
        self.consumers: dict[tuple[str, str], str] = {}
        """(Peer id, publication id) -> consumer id."""
        self.subscriptions: dict[str, tuple[str, str]] = {}
        """Consumer id -> (peer id, publication id)."""
        self._link = link
        self._sink = sink

    def add_transport(self, peer_id: str, direction: Direction, grants: tuple[Grant, ...]) -> Transport:
        transport = Transport(new_id("tp"), peer_id, direction, grants)
        self.transports[peer_id, direction] = self.by_transport[transport.id] = transport
        self._link.register(transport.id, self._sink)
        return transport

    def take_transport(self, transport_id: str, peer_id: str, direction: Direction) -> None:
        """One that the node has already. Which grants are in force there is not known here, so the next ones
        are sent whatever they are."""
        transport = Transport(transport_id, peer_id, direction, ())
        self.transports[peer_id, direction] = self.by_transport[transport_id] = transport
        self._link.register(transport_id, self._sink)

    def drop_transport(self, peer_id: str, direction: Direction) -> Transport | None:
        transport = self.transports.pop((peer_id, direction), None)
        if transport is not None:
            del self.by_transport[transport.id]
            self._link.forget(transport.id)
        return transport

    def add_producer(self, publication_id: str) -> None:
        producer_id = producer_id_of(publication_id)
        self.adopt(publication_id, producer_id)
        self._link.register(producer_id, self._sink)

    def adopt(self, publication_id: str, producer_id: str) -> None:
        """A producer whose name was given at another node, which is the one that tells of it."""
        self.producers[publication_id] = producer_id
        self.publications[producer_id] = publication_id

    def drop_producer(self, publication_id: str) -> str | None:
        """Also what was subscribed to it: the node closes the consumers with the producer."""
        producer_id = self.producers.pop(publication_id, None)
        if producer_id is None:
            return None
        del self.publications[producer_id]
        self._link.forget(producer_id)
        for key in [key for key in self.consumers if key[1] == publication_id]:
            self.drop_consumer(*key)
        return producer_id

    def add_consumer(self, peer_id: str, publication_id: str) -> str:
        consumer_id = new_id("cs")
        self.take_consumer(consumer_id, peer_id, publication_id)
        return consumer_id

    def take_consumer(self, consumer_id: str, peer_id: str, publication_id: str) -> None:
        """One that the node has already, or is about to get under that id."""
        self.consumers[peer_id, publication_id] = consumer_id
        self.subscriptions[consumer_id] = (peer_id, publication_id)
        self._link.register(consumer_id, self._sink)

    def drop_consumer(self, peer_id: str, publication_id: str) -> str | None:
        consumer_id = self.consumers.pop((peer_id, publication_id), None)
        if consumer_id is not None:
            del self.subscriptions[consumer_id]
            self._link.forget(consumer_id)
        return consumer_id

    def drop_consumer_id(self, consumer_id: str) -> None:
        key = self.subscriptions.get(consumer_id)
        if key is not None:
            self.drop_consumer(*key)

    def drop_consumers_of(self, peer_id: str) -> None:
        for key in [key for key in self.consumers if key[0] == peer_id]:
            self.drop_consumer(*key)

    def drop_failed(self, failed: Mapping[str, str]) -> dict[str, str]:
        """A node's failures, by consumer id, as failures by publication id; their consumers are dropped."""
        by_publication: dict[str, str] = {}
        for consumer_id, code in failed.items():
            key = self.subscriptions[consumer_id]
            by_publication[key[1]] = code
            self.drop_consumer(*key)
        return by_publication

    def drop_everything(self) -> None:
        """The session has no part on this node any more."""
        for object_id in (*self.by_transport, *self.publications, *self.subscriptions):
            self._link.forget(object_id)
