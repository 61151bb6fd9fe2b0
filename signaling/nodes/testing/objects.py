"""What a node by hand has instead of transports, producers, consumers and pipes."""

from __future__ import annotations

from dataclasses import dataclass, field

from sfu.control import messages as node


@dataclass
class FakeTransport:
    id: str
    router_id: str
    direction: node.Direction
    client_offers: bool
    grants: tuple[node.Grant, ...]
    label: str = ""
    version: int = 0
    answered: int = 0
    dirty: bool = False


@dataclass
class FakeProducer:
    id: str
    transport_id: str
    spec: node.ProducerSpec
    paused: bool


@dataclass
class FakeConsumer:
    id: str
    transport_id: str
    producer_id: str
    mid: str
    preferred: node.LayerSpec | None
    paused: bool
    tile: node.TileSpec | None = None


@dataclass
class FakePipe:
    """`sending` and `receiving` are producer ids."""

    id: str
    connected: bool = False
    silent: bool = False
    sending: set[str] = field(default_factory=set)
    receiving: set[str] = field(default_factory=set)
