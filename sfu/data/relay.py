"""Data messages between the clients of a session: who may send, how much, and to whom it goes.

    client --SCTP--> DataEnd --granted? within the rate?--> DataRelay --> DataEnd of each receiver --SCTP-->
                                                                |
                                                                +--> `elsewhere`: the session on other nodes

A `DataEnd` belongs to a publish transport: the client offers an application m-line on it. To receive needs no
grant, to send needs the grant of kind "data". What is not relayed is counted by reason, and signaling is told
about once a second.

Delivery keeps the channel's promise or ends the channel: a lossy message is dropped where the receiver is
slow; a receiver that is too slow for reliable messages loses its channel, which it can open again, and not
some message out of the middle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from sfu.bucket import TokenBucket
from sfu.control.messages import DataDropped, DataDropReason, Event
from sfu.data.message import DataMessage, parse_message, to_message
from sfu.errors import DataError
from sfu.webrtc.sctp import Received, SctpAssociation, SendOutcome

Label = Literal["reliable", "lossy"]
RELIABLE: Final = "reliable"
LOSSY: Final = "lossy"
MOST_BUFFERED: Final[dict[Label, int]] = {RELIABLE: 4 << 20, LOSSY: 256 << 10}
"""Bytes that wait for a slow receiver, by channel."""
REPORT_INTERVAL = 1.0
DELIVERIES_PER_SECOND, DELIVERY_BURST = 3000.0, 6000.0
"""What one router hands out: each costs about a tenth of a millisecond that media would have to wait."""
MESSAGE_BURST, BYTE_BURST = 2.0, 4.0
"""Seconds' worth of the rate that may come at once."""


@dataclass(frozen=True, slots=True)
class DataRate:
    """What one peer may send in the long run, each second. `payload` is in bytes, headers included."""

    messages: float = 100.0
    payload: float = 256.0 * 1024


@dataclass(frozen=True, slots=True)
class Relayed:
    """A message on its way: names are peers', `to` None is everybody but the sender."""

    sender: str
    to: tuple[str, ...] | None
    topic: str
    payload: bytes
    label: Label


@dataclass(slots=True)
class DataCounts:
    received: int = 0
    delivered: int = 0
    dropped: int = 0

    def add(self, others: DataCounts) -> None:
        self.received += others.received
        self.delivered += others.delivered
        self.dropped += others.dropped


class DataRelay:
    """One router's ends, by the name of their peer.

    `elsewhere` is the seam to the same session's routers on other nodes: it is called for a message to
    everybody and for one that names somebody who is not here. They call `deliver` with it.
    """

    def __init__(self) -> None:
        self.ends: dict[str, DataEnd] = {}
        self.elsewhere: Callable[[Relayed], None] | None = None
        self.counts = DataCounts()
        self._deliveries = TokenBucket(DELIVERIES_PER_SECOND, DELIVERY_BURST, 0.0)

    def relay(self, message: Relayed, now: float) -> bool:
        """From a client of this router. False: the router hands out as much as it may already."""
        receivers = len(self.ends if message.to is None else message.to)
        if not self._deliveries.take(now, min(float(receivers), DELIVERY_BURST)):
            return False
        if self.elsewhere is not None and (
            message.to is None or any(name not in self.ends for name in message.to)
        ):
            self.elsewhere(message)
        self.deliver(message)
        return True

    def deliver(self, message: Relayed) -> None:
        """To the clients of this router. Who is not here (any more) is passed over."""
        names = self.ends if message.to is None else message.to
        data = to_message(message.sender, message.topic, message.payload)
        for name in tuple(names):
            end = self.ends.get(name)
            if end is not None and name != message.sender and end.deliver(message.label, data):
                self.counts.delivered += 1


class DataEnd:
    """One client's data channels. `transmit` sends an SCTP packet to it."""

    def __init__(
        self,
        relay: DataRelay,
        *,
        name: str,
        transport_id: str,
        rate: DataRate,
        transmit: Callable[[bytes], None],
        emit: Callable[[Event], None],
        now: float,
    ) -> None:
        self.granted = False
        self._relay = relay
        self._name = name
        self._transport_id = transport_id
        self._transmit = transmit
        self._emit = emit
        self._messages = TokenBucket(rate.messages, rate.messages * MESSAGE_BURST, now)
        self._bytes = TokenBucket(rate.payload, rate.payload * BYTE_BURST, now)
        self._dropped: Counter[DataDropReason] = Counter()
        self._report_due = now
        self._sctp: SctpAssociation | None = None
        self._connected = False

    # --- life ----------------------------------------------------------------------------------------

    def negotiate(self, port: int, max_message: int | None, now: float) -> None:
        """The client's m-line: its SCTP port and the largest message it takes, 64 KiB if it does not say."""
        if self._sctp is not None:
            return
        self._sctp = SctpAssociation(
            self._transmit,
            remote_port=port,
            remote_max_message=64 * 1024 if max_message is None else max_message,
            now=now,
        )
        self._relay.ends[self._name] = self
        if self._connected:
            self._sctp.start()

    def handle_connected(self) -> None:
        """DTLS is done and verified."""
        if not self._connected:
            self._connected = True
            if self._sctp is not None:
                self._sctp.start()

    def close(self) -> None:
        """The m-line or its transport went. Idempotent; may be negotiated again."""
        if self._relay.ends.get(self._name) is self:
            del self._relay.ends[self._name]
        if self._sctp is not None:
            self._sctp.close()
            self._sctp = None

    def tick(self, now: float) -> None:
        """Tells what was dropped, about once a second."""
        if not self._dropped or now < self._report_due:
            return
        self._report_due = now + REPORT_INTERVAL
        for reason, messages in self._dropped.items():
            self._emit(DataDropped(transport_id=self._transport_id, reason=reason, messages=messages))
        self._dropped.clear()

    @property
    def behind(self) -> bool:
        """Whether there is something to tell with the next ticks."""
        return bool(self._dropped)

    @property
    def channels(self) -> tuple[str, ...]:
        """The labels that are open."""
        sctp = self._sctp
        return () if sctp is None else tuple(label for label in MOST_BUFFERED if sctp.is_open(label))

    # --- messages ------------------------------------------------------------------------------------

    def handle_packets(self, packets: list[bytes], now: float) -> None:
        """SCTP packets of the client."""
        sctp = self._sctp
        if sctp is None or not self._connected:
            return
        for packet in packets:
            for received in sctp.handle_packet(packet, now):
                self._handle_message(received, now)

    def deliver(self, label: Label, data: bytes) -> bool:
        """Whether the message is on its way to this client. Nothing is wrong with one that has no channel."""
        if self._sctp is None:
            return False
        outcome = self._sctp.send(label, data, most_buffered=MOST_BUFFERED[label])
        if outcome is SendOutcome.SENT:
            return True
        if outcome is not SendOutcome.NOT_OPEN:
            self._drop("slow_receiver" if outcome is SendOutcome.FULL else "too_large")
            if outcome is SendOutcome.FULL and label == RELIABLE:
                self._sctp.close_channel(label)
        return False

    # --- inside --------------------------------------------------------------------------------------

    def _handle_message(self, received: Received, now: float) -> None:
        if not self.granted:
            self._drop("not_permitted")
            return
        if not (self._messages.take(now) and self._bytes.take(now, len(received.data))):
            self._drop("rate_limited")
            return
        label, message = _label(received), _read(received)
        if label is None or message is None:
            self._drop("malformed")
            return
        relayed = Relayed(self._name, message.to, message.topic, message.payload, label)
        if self._relay.relay(relayed, now):
            self._relay.counts.received += 1
        else:
            self._drop("rate_limited")

    def _drop(self, reason: DataDropReason) -> None:
        self._dropped[reason] += 1
        self._relay.counts.dropped += 1


def _label(received: Received) -> Label | None:
    return next((label for label in MOST_BUFFERED if label == received.label), None)


def _read(received: Received) -> DataMessage | None:
    if not received.binary:
        return None
    try:
        return parse_message(received.data)
    except DataError:
        return None
