"""What an encoding took, on its way out: to everybody who is on one of its cuts, or gets redundant audio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfu.forwarding.batch import Batch, Packet
from sfu.forwarding.cut import Cut
from sfu.forwarding.fanout import forward, send
from sfu.forwarding.leg import Leg
from sfu.forwarding.redundancy import with_redundancy

if TYPE_CHECKING:
    from sfu.forwarding.encoding import Encoding


def forward_all(encoding: Encoding, packets: list[Packet], now: float) -> None:
    """Packets in order, and what the lesser cuts kept of them and those before."""
    if packets:
        forward_whole(encoding, packets, now)
    for cut in encoding.cuts:
        kept, cut.pending = cut.pending, []
        if kept and cut.legs:
            _forward(encoding, cut, kept, now)


def forward_whole(encoding: Encoding, packets: list[Packet], now: float) -> None:
    """Packets in order, to those who get all of them."""
    if encoding.redundant:
        _forward_redundant(encoding, packets, now)
    if encoding.whole.legs:
        _forward(encoding, encoding.whole, packets, now)


def forward_late(encoding: Encoding, packet: Packet, now: float) -> None:
    """A packet whose turn has passed, at once and alone."""
    if encoding.whole.legs:
        _send_late(encoding, packet, encoding.whole.legs, now)
    if encoding.redundant:
        for block_type, legs in _by_block_type(encoding.redundant):
            (made,) = with_redundancy((packet,), encoding.history, block_type)
            _send_late(encoding, made, legs, now)
    if not encoding.cuts:
        return
    mark = encoding.reading.read_late(packet)
    for cut in encoding.cuts:
        kept = cut.take_late(packet, mark)
        if kept is not None:
            _send_late(encoding, kept, cut.legs, now)


def _forward(encoding: Encoding, cut: Cut, packets: list[Packet], now: float) -> None:
    history = encoding.history
    forwarded, blocked = forward(Batch(packets, history.shape, history.numbers), cut.legs, now)
    encoding.forwarded += forwarded
    if blocked is not None:
        encoding.blocked += len(blocked)
        if encoding.is_video:
            for leg in blocked:
                encoding.leave(leg)


def _forward_redundant(encoding: Encoding, packets: list[Packet], now: float) -> None:
    for block_type, legs in _by_block_type(encoding.redundant):
        made = with_redundancy(packets, encoding.history, block_type)
        forwarded, blocked = forward(Batch(made), legs, now)
        encoding.forwarded += forwarded
        encoding.blocked += len(blocked or ())


def _by_block_type(legs: list[Leg]) -> Iterator[tuple[int, list[Leg]]]:
    """Mostly one group: only players that made the offer themselves (WHEP) have numbers of their own."""
    kinds = {leg.block_type for leg in legs}
    if len(kinds) == 1:
        yield kinds.pop(), legs
        return
    for kind in kinds:
        yield kind, [leg for leg in legs if leg.block_type == kind]


def _send_late(encoding: Encoding, packet: Packet, legs: list[Leg], now: float) -> None:
    single = Batch([packet], encoding.history.shape, encoding.history.numbers)
    for leg in legs:
        if packet[0] + leg.index_offset < leg.epochs[-1].start:
            continue
        if send(leg, single, now):
            encoding.forwarded += 1
