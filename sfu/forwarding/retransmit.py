"""What leaves on a retransmission stream (RFC 4588): answers to a receiver's NACK, and padding.

Padding is what a bandwidth probe is made of. Packets sent lately go again, since that may even repair
something; where there are none, empty packets do, all padding (RFC 3550 section 5.1). To a receiver both are
retransmissions it has no use for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sfu.forwarding.batch import PLAIN_TAIL, WIDE_PLAIN_TAIL, narrowed_tail
from sfu.forwarding.leg import HEADER_WITH_TWCC, ONE_BYTE, TWO_BYTE, Epoch, Leg
from sfu.forwarding.numbers import TAIL
from sfu.rtp.extensions import renumber, renumber_wide

if TYPE_CHECKING:
    from sfu.webrtc.plain import Outbound
    from sfu.webrtc.udp import Path

_pack_extended = struct.Struct("!BBHIIHH").pack
_pack_bare = struct.Struct("!BBHII").pack
MIN_INTERVAL = 0.02
MAX_REMEMBERED = 1024
PADDING_SPAN = 32
"""How many of the last packets are gone through for padding."""
PADDING = bytes(254) + b"\xff"


def retransmit(leg: Leg, sequences: Iterable[int], now: float, *, copies: bool = False) -> int:
    """Resend the packets with these 16-bit outgoing sequence numbers; returns how many were.

    Each packet goes at most once per round-trip time, with `copies` only those that went within the last one.
    Without RTX, or for packets that the history lost, nothing is sent: the receiver will ask for a key frame.
    """
    egress = leg.egress
    outbound, path = egress.outbound, egress.path
    if not leg.rtx_payload_type or outbound is None or path is None:
        return 0
    wait = max(MIN_INTERVAL, leg.rtt)
    sent = 0
    for sequence in sequences:
        index = leg.highest_index - ((leg.highest_index - sequence) & 0xFFFF)
        if index < leg.repairable_from:
            continue
        last = leg.resent_at.get(index)
        recent = last is not None and now - last < wait
        if recent is not copies:
            continue
        packet = _original(leg, index)
        if packet is None:
            continue
        if not copies:
            leg.resent_at[index] = now
        _send(leg, outbound, path, *packet, now)
        sent += 1
    if not copies:
        leg.retransmitted += sent
    if len(leg.resent_at) > MAX_REMEMBERED:
        leg.resent_at = {index: at for index, at in leg.resent_at.items() if now - at < wait}
    return sent


def pad(leg: Leg, octets: int, now: float) -> int:
    """Send at least so many bytes of padding; returns how many packets that took, 0 where there is no RTX."""
    outbound, path = leg.egress.outbound, leg.egress.path
    if not leg.rtx_payload_type or outbound is None or path is None:
        return 0
    sent = 0
    while octets > 0:
        packet = _original(leg, leg.highest_index - sent % PADDING_SPAN)
        header, payload = packet if packet is not None else (_padding_header(leg), PADDING)
        _send(leg, outbound, path, header, payload, now)
        octets -= len(header) + len(payload)
        sent += 1
    leg.padding += sent
    return sent


def _send(leg: Leg, outbound: Outbound, path: Path, header: bytes, payload: bytes, now: float) -> None:
    egress = leg.egress
    if leg.extended:
        egress.sent.append((egress.transport_sequence, now, (len(header) + len(payload) - HEADER_WITH_TWCC,)))
        egress.transport_sequence += 1
    path.send(outbound.seal_rtp(header, payload, leg.rtx_index))
    leg.rtx_index += 1
    egress.datagrams += 1


def _padding_header(leg: Leg) -> bytes:
    fixed = (leg.rtx_payload_type, leg.rtx_index & 0xFFFF, leg.last_timestamp or 0, leg.rtx_ssrc)
    egress = leg.egress
    if not leg.extended:
        return _pack_bare(0xA0, *fixed)
    element = egress.transport_tag << 16 | egress.transport_sequence & 0xFFFF
    return _pack_extended(0xB0, *fixed, ONE_BYTE.profile, 1) + element.to_bytes(3, "big") + PLAIN_TAIL


def _original(leg: Leg, index: int) -> tuple[bytes, bytes] | None:
    """RTX header and payload of an outgoing packet, if it can still be made again."""
    if index > leg.highest_index:
        return None
    epoch = leg.epoch_of(index)
    if epoch is None:
        return None
    found = epoch.history.get(index - epoch.index_offset)
    if found is None:
        return None
    _, marker, timestamp, words, tail, payload = found
    if epoch.picture_offset or epoch.tl0_offset:
        tail, payload = _moved(epoch, tail, payload)
    shape = epoch.history.shape
    if shape is TWO_BYTE and leg.shape is not shape and not leg.wide_by_field:
        shape = ONE_BYTE
        words, tail = narrowed_tail(tail)
    fixed = (
        marker | leg.rtx_payload_type,
        leg.rtx_index & 0xFFFF,
        (timestamp + epoch.timestamp_offset) & 0xFFFFFFFF,
        leg.rtx_ssrc,
    )
    egress = leg.egress
    bare = PLAIN_TAIL if shape is ONE_BYTE else WIDE_PLAIN_TAIL
    if leg.numbering is not None and tail is not bare:
        tail = (renumber if shape is ONE_BYTE else renumber_wide)(tail, leg.numbering)
    if leg.extended:
        element = shape.tag(egress.transport_tag >> 4) << 16 | egress.transport_sequence & 0xFFFF
        header = (
            _pack_extended(0x90, *fixed, shape.profile, words)
            + element.to_bytes(shape.head - 16, "big")
            + tail
        )
    elif tail is bare:
        header = _pack_bare(0x80, *fixed)
    else:
        padding = bytes(shape.head - 16)
        header = _pack_bare(0x90, *fixed) + struct.pack("!HH", shape.profile, words) + padding + tail
    return header, (index & 0xFFFF).to_bytes(2, "big") + payload


def _moved(epoch: Epoch, tail: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """Tail and payload with the picture counters of that epoch."""
    numbers = epoch.history.numbers
    counters = numbers.find(tail if numbers.field == TAIL else payload)
    if counters is None:
        return tail, payload
    if numbers.field == TAIL:
        return counters.rewrite(tail, epoch.picture_offset, epoch.tl0_offset), payload
    return tail, counters.rewrite(payload, epoch.picture_offset, epoch.tl0_offset)
