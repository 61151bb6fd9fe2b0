"""What an encoding took, on its way out: to everybody who is on one of its cuts, or gets redundant audio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfu.forwarding.batch import Batch, Packet
from sfu.forwarding.cut import Cut
from sfu.forwarding.fanout import forward, send
from sfu.forwarding.leg import Leg
from sfu.forwarding.redundancy import with_redundancy
from sfu.rtp.negotiation import OPUS_PAYLOAD_TYPE

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
        (made,) = with_redundancy((packet,), encoding.history, OPUS_PAYLOAD_TYPE)
        _send_late(encoding, made, encoding.redundant, now)
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
    made = with_redundancy(packets, encoding.history, OPUS_PAYLOAD_TYPE)
    forwarded, blocked = forward(Batch(made), encoding.redundant, now)
    encoding.forwarded += forwarded
    encoding.blocked += len(blocked or ())


def _send_late(encoding: Encoding, packet: Packet, legs: list[Leg], now: float) -> None:
    single = Batch([packet], encoding.history.shape, encoding.history.numbers)
    for leg in legs:
        if packet[0] + leg.index_offset < leg.epochs[-1].start:
            continue
        if send(leg, single, now):
            encoding.forwarded += 1
