"""What a node needs to know before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sfu.webrtc.lateness import LATE_AFTER


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One media node: where it listens, what it announces.

    `udp_port` is bound on each of `hosts` for UDP and, where `tcp` is set, for ICE-TCP on the same number; 0
    picks a free one (tests). Where a machine has several addresses that clients send to, each should be a
    host of its own: an answer from a wildcard socket leaves with the address that routing picks, and a client
    takes no answer from another address than it asked. `announce` are the addresses put into candidates; with
    none, the addresses of this machine's interfaces (loopback if there is nothing else).

    `pipe_host` and `pipe_port` (0: any) are where pipes to other nodes come in; `pipe_announce` is the
    address that other nodes are told, if it is another one.

    `shed_above` and `shed_lag` are the limits above which it gives up video (`sfu.pressure.Limits`).

    `door` is the folder in which the worker can be found by the next signaling process, `survive` the seconds
    that it waits for one without a link; 0: it ends with its link (`sfu.control.custody`). `index` is its
    place among the workers.

    `late_after`: seconds in the socket after which voices are dropped unread, pictures sooner.

    `data_messages` and `data_bytes` are what each peer may send over data channels per second.
    """

    node_id: str
    hosts: tuple[str, ...] = ("0.0.0.0",)
    udp_port: int = 40000
    announce: tuple[str, ...] = ()
    tcp: bool = True
    consent_timeout: float = 30.0
    log_level: str = "info"
    pipe_host: str = "127.0.0.1"
    pipe_port: int = 0
    pipe_announce: str | None = None
    data_messages: float = 100.0
    data_bytes: float = 256.0 * 1024
    shed_above: float = 0.92
    shed_lag: float = 0.05
    late_after: float = LATE_AFTER
    index: int = 0
    survive: float = 0.0
    door: str | None = None


def config_from(values: Mapping[str, Any]) -> NodeConfig:
    """As it went over a link, where a tuple is a list. Raises `TypeError` for what is no configuration."""
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return NodeConfig(**{**values, **lists})
