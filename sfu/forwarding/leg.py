"""The prepared state that the hot loop reads: one `Egress` per receiving transport, one `Leg` per consumer.

Everything a packet needs is computed when a subscription changes, not when a packet comes. A leg maps the
sequence and timestamp of its current encoding onto one continuous outgoing stream by two offsets; every
change of them opens a new `Epoch`, so that a NACK for an older packet still finds its source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from sfu.bandwidth.twcc import MAX_BATCHES, Departure
from sfu.rtp.negotiation import OPUS_PAYLOAD_TYPE
from sfu.webrtc.udp import no_socket

if TYPE_CHECKING:
    from sfu.forwarding.cut import Cut
    from sfu.forwarding.encoding import Encoding
    from sfu.forwarding.history import History
    from sfu.webrtc.plain import Outbound
    from sfu.webrtc.srtp import Encrypt
    from sfu.webrtc.udp import Path

MAX_EPOCHS = 64
REPAIRABLE = 1024
"""Packets back to which a receiver may ask for one again; histories hold no more of video."""
HEADER_WITH_TWCC = 20
"""12 bytes of RTP header, 4 of extension header, one word with the transport-wide sequence number."""
HEADER_BARE = 12

# Where the fields of a header with TWCC stand in it, as a number of 160 bits (RFC 3550 5.1, RFC 8285 4.2).
FIRST_BYTE_SHIFT, MARKER_SHIFT, SEQUENCE_SHIFT, TIMESTAMP_SHIFT, SSRC_SHIFT = 152, 144, 128, 96, 64
PROFILE_SHIFT, WORDS_SHIFT = 48, 32


class Shape(NamedTuple):
    """How a header with TWCC ends, in one-byte or two-byte elements (RFC 8285 sections 4.2, 4.3).

    The shifts are those of the TWCC element's head and value; `head` bytes of the 20 are before the tail.
    """

    profile: int
    tag_shift: int
    transport_sequence_shift: int
    head: int

    def tag(self, id_: int) -> int:
        """The head of the TWCC element."""
        return id_ << 4 | 1 if self.head == 19 else id_ << 8 | 2


ONE_BYTE = Shape(0xBEDE, 24, 8, 19)
UNNUMBERED = Shape(0xBEDE, 0, 0, 12)
"""Of legs without transport-wide numbers, under our own ids: an extension only where one is forwarded."""
TWO_BYTE = Shape(0x1000, 16, 0, 20)


class Epoch(NamedTuple):
    """From outgoing index `start` on, packets come from `history` under these offsets."""

    start: int
    history: History
    index_offset: int
    timestamp_offset: int
    picture_offset: int
    tl0_offset: int


class Egress:
    """The sending side of one subscribe transport."""

    __slots__ = (
        "address",
        "blocked",
        "datagrams",
        "outbound",
        "path",
        "sendmsg",
        "sendto",
        "sent",
        "transport_sequence",
        "transport_tag",
    )

    def __init__(self) -> None:
        self.outbound: Outbound | None = None
        self.path: Path | None = None
        self.sendto: Callable[[bytes, tuple[Any, ...]], int] | None = None
        """The socket's own calls for a UDP path; None for one that takes whole datagrams (TCP)."""
        self.sendmsg: Callable[..., int] = no_socket
        self.address: tuple[Any, ...] = ()
        self.transport_sequence = 0
        self.transport_tag = 0
        """First byte of the TWCC element (id << 4 | 1), 0 where the receiver did not negotiate it."""
        self.sent: deque[Departure] = deque(maxlen=MAX_BATCHES)
        """What left with transport-wide sequence numbers, for `sfu.bandwidth.twcc.Ledger` to settle."""
        self.blocked = 0
        self.datagrams = 0


class Leg:
    """One consumer as the fan-out sees it."""

    __slots__ = (
        "block_type",
        "carried",
        "cut",
        "egress",
        "encoding",
        "encrypt",
        "entered_at",
        "epochs",
        "extended",
        "first_index",
        "header_base",
        "highest_index",
        "index_offset",
        "last_sent_at",
        "last_timestamp",
        "numbered",
        "numbering",
        "octets",
        "overhead",
        "oversized",
        "packets",
        "padding",
        "payload_type",
        "picture_offset",
        "protect",
        "redundant",
        "repairable_from",
        "resent_at",
        "retransmitted",
        "rtt",
        "rtx_index",
        "rtx_payload_type",
        "rtx_ssrc",
        "shape",
        "ssrc",
        "target",
        "timestamp_offset",
        "tl0_offset",
        "wide",
    )

    def __init__(self, egress: Egress, *, ssrc: int, rtx_ssrc: int, first_index: int) -> None:
        self.egress = egress
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.payload_type = 0
        self.rtx_payload_type = 0
        """0 where the receiver took no RTX."""
        self.encoding: Encoding | None = None
        self.cut: Cut | None = None
        """What it carries of that encoding, or carried last."""
        self.carried = False
        """Whether it is in the fan-out of `cut`."""
        self.target: Cut | None = None
        """The cut this leg waits to get onto, None when it waits for nothing."""
        self.encrypt: Encrypt | None = None
        self.protect: Callable[[bytes], bytes] | None = None
        self.header_base = 0
        """The header as a number, with every field that does not change from packet to packet."""
        self.numbered = True
        """Its packets carry transport-wide sequence numbers, if the receiver knows them."""
        self.extended = False
        """Every packet does carry one, under whichever id."""
        self.numbering: bytes | None = None
        """The receiver's own ids of the forwarded extensions, by ours (`sfu.rtp.extensions.renumber`)."""
        self.wide = False
        """The receiver takes two-byte elements, and the dependency descriptor among them."""
        self.shape: Shape | None = None
        """Of a leg under our own ids: the case that the fan-out is made for. None of one whose headers are
        made field by field."""
        self.redundant = False
        """Gets each packet together with those before it; the payload type says so."""
        self.block_type = OPUS_PAYLOAD_TYPE
        """By which payload type redundant packets call what is in them: the receiver's own of the codec."""
        self.overhead = HEADER_BARE
        self.index_offset = 0
        self.timestamp_offset = 0
        self.picture_offset = 0
        self.tl0_offset = 0
        self.first_index = first_index
        self.highest_index = first_index - 1
        self.last_timestamp: int | None = None
        self.last_sent_at = 0.0
        self.rtx_index = first_index
        self.epochs: deque[Epoch] = deque(maxlen=MAX_EPOCHS)
        self.entered_at = first_index
        """Outgoing index with which its present encoding began, by a key frame."""
        self.repairable_from = 0
        """Outgoing index before which nothing is sent again."""
        self.resent_at: dict[int, float] = {}
        self.rtt = 0.05
        self.packets = 0
        self.octets = 0
        self.oversized = 0
        """Packets too large for the receiver's cipher, left out."""
        self.retransmitted = 0
        self.padding = 0
        """Packets sent for probing alone."""

    def prepare(self, *, payload_type: int, rtx_payload_type: int) -> None:
        """Fix what the answer and the DTLS handshake decided. Called whenever either changes."""
        outbound = self.egress.outbound
        self.payload_type = payload_type
        self.rtx_payload_type = rtx_payload_type
        self.extended = self.numbered and self.egress.transport_tag != 0
        self.shape = UNNUMBERED if self.numbering is None else None
        if self.extended and self.numbering is None:
            shape = self.shape = TWO_BYTE if self.wide else ONE_BYTE
            self.header_base = (
                0x90 << FIRST_BYTE_SHIFT
                | payload_type << MARKER_SHIFT
                | self.ssrc << SSRC_SHIFT
                | shape.profile << PROFILE_SHIFT
                | 1 << WORDS_SHIFT
                | shape.tag(self.egress.transport_tag >> 4) << shape.tag_shift
            )
        if outbound is None:
            return
        self.overhead = (HEADER_WITH_TWCC if self.extended else HEADER_BARE) + outbound.overhead
        if outbound.is_gcm:
            self.encrypt = outbound.encrypt_of(self.ssrc)
        else:
            self.protect = outbound.protect

    @property
    def wide_by_field(self) -> bool:
        """Takes two-byte elements under ids of its own."""
        return self.wide and self.numbering is not None

    @property
    def ready(self) -> bool:
        """May carry packets: negotiated, keyed and with a path."""
        return (self.encrypt is not None or self.protect is not None) and self.egress.path is not None

    def open_epoch(self, cut: Cut, first_sequence: int, timestamp_offset: int) -> None:
        """Continue the outgoing stream with `cut`, from its extended sequence `first_sequence` on."""
        if cut.encoding is not self.encoding:
            self.entered_at = self.highest_index + 1
        self.encoding = cut.encoding
        self.cut = cut
        self.index_offset = self.highest_index + 1 - first_sequence
        self.timestamp_offset = timestamp_offset
        self.epochs.append(
            Epoch(
                self.highest_index + 1,
                cut.history,
                self.index_offset,
                timestamp_offset,
                self.picture_offset,
                self.tl0_offset,
            )
        )
        epochs = self.epochs
        while len(epochs) > 1 and epochs[1].start <= self.highest_index - REPAIRABLE:
            # A cut that is no more has its packets remembered here only.
            epochs.popleft()

    def forget_packets(self) -> None:
        """Another codec follows: what was sent so far can be neither sent again nor continued."""
        self.epochs.clear()
        self.picture_offset = self.tl0_offset = 0

    def epoch_of(self, index: int) -> Epoch | None:
        """The epoch an outgoing index belongs to, None if it is from before the oldest one kept."""
        for epoch in reversed(self.epochs):
            if index >= epoch.start:
                return epoch
        return None
