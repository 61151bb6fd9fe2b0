"""From the datagrams of one publisher to packets of its encodings.

Per packet: check the lengths, find the stream by SSRC, open, note the arrival, read the few header extensions
that matter, hand over. An SSRC that is not known yet is looked into only after it authenticated: its MID and
RID extensions say which encoding it is (RFC 8852, RFC 9143), and only encodings of a granted producer exist.
Nothing here raises for what a client sends.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from itertools import chain, repeat

from sfu.codecs.red import parse_red
from sfu.errors import CodecError, RtpError
from sfu.forwarding.batch import PLAIN_TAIL, WIDE_PLAIN_TAIL, padded
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.feedback import ArrivalRecorder
from sfu.forwarding.numbers import DESCRIPTOR_ID
from sfu.forwarding.redundancy import recover
from sfu.rtp.extensions import parse_extensions
from sfu.webrtc.plain import Inbound

_unpack = struct.Struct("!BBHII").unpack_from
MAX_SOURCES = 256
"""SSRCs followed per publisher."""


class Source:
    """What an SSRC is: an encoding, or the repair stream of one; with its extension ids."""

    __slots__ = (
        "audio_level_id",
        "encoding",
        "forwarded_ids",
        "on_level",
        "payload_type",
        "plain_tail",
        "red_payload_type",
        "repair",
        "twcc_id",
        "twcc_tag",
        "wide",
    )

    def __init__(
        self,
        encoding: Encoding,
        *,
        payload_type: int,
        repair: bool,
        twcc_id: int,
        audio_level_id: int,
        forwarded_ids: dict[int, int],
        on_level: Callable[[int, float], None] | None,
        red_payload_type: int = -1,
    ) -> None:
        self.encoding = encoding
        self.payload_type = payload_type
        self.red_payload_type = red_payload_type
        """Of redundant audio (RFC 2198), -1 where it was not negotiated."""
        self.repair = repair
        self.twcc_id = twcc_id
        self.twcc_tag = twcc_id << 4 | 1
        """The element's head in the one-byte form."""
        self.audio_level_id = audio_level_id
        self.forwarded_ids = forwarded_ids
        """Extension id of this publisher -> id towards receivers."""
        self.on_level = on_level
        self.wide = encoding.is_wide
        """Its packets are forwarded with two-byte elements, whatever they came with."""
        self.plain_tail = WIDE_PLAIN_TAIL if self.wide else PLAIN_TAIL


class Inlet:
    """The receiving side of one publish transport.

    `identify(ssrc, payload_type, mid, rid, repaired_rid)` is asked about unknown SSRCs and returns their
    `Source`, or None for one that is not granted.
    """

    def __init__(
        self,
        identify: Callable[[int, int, str | None, str | None, str | None], Source | None],
    ) -> None:
        self.inbound: Inbound | None = None
        self.sources: dict[int, Source] = {}
        self.arrivals = ArrivalRecorder()
        self.mid_id = self.rid_id = self.repaired_rid_id = self.twcc_id = 0
        """Extension ids of this publisher that identify a stream, 0 where not negotiated."""
        self.packets = 0
        self.malformed = 0
        self.unidentified = 0
        self.wrong_payload = 0
        self._identify = identify

    def handle_rtp(self, packets: list[bytes], now: float, came: Iterable[float] = ()) -> None:
        """`came`: when each of the packets did; those that it says nothing of came just now."""
        inbound = self.inbound
        if inbound is None:
            return
        open_rtp = inbound.open_rtp
        sources = self.sources
        touched: dict[int, Encoding] = {}
        self.packets += len(packets)
        for data, arrived in zip(packets, chain(came, repeat(now)), strict=False):
            length = len(data)
            if length < 12:
                self.malformed += 1
                continue
            first, second, sequence, timestamp, ssrc = _unpack(data)
            start = header = 12 + 4 * (first & 0x0F)
            if first & 0x10:
                if header + 4 > length:
                    self.malformed += 1
                    continue
                start = header + 4
                header = start + 4 * (data[header + 2] << 8 | data[header + 3])
            if header > length:
                self.malformed += 1
                continue
            payload = open_rtp(data, header, ssrc, sequence)
            if payload is None:
                continue
            if first & 0x20:
                # RFC 3550 section 5.1: the last byte counts the padding, itself included.
                padding = payload[-1] if payload else 0
                if padding == 0 or padding > len(payload):
                    self.malformed += 1
                    continue
                payload = payload[:-padding]
            source = sources.get(ssrc)
            if source is None:
                source = self._look_into(ssrc, second & 0x7F, data, start, header, arrived)
                if source is None:
                    continue
            if second & 0x7F != source.payload_type:
                if second & 0x7F != source.red_payload_type:
                    self.wrong_payload += 1
                    continue
                try:
                    payload = _unfold(source, sequence, timestamp, payload)
                except CodecError:
                    self.malformed += 1
                    continue
            words, tail = 1, source.plain_tail
            if header > start:
                if source.wide:
                    words, tail = self._read_widely(data, start, header, source, arrived)
                elif data[start - 4] == 0xBE and data[start - 3] == 0xDE:
                    if header == start + 4 and data[start] == source.twcc_tag:
                        # The usual packet of video: nothing but its transport-wide number.
                        self.arrivals.record(data[start + 1] << 8 | data[start + 2], arrived)
                    else:
                        words, tail = self._read_extensions(data, start, header, source, now, arrived)
                else:
                    self._read_two_byte_extensions(data, start, header, source, now, arrived)
            encoding = source.encoding
            if source.repair:
                # RFC 4588 section 4: the original sequence number leads; padding probes are empty.
                if len(payload) < 3:
                    continue
                sequence = payload[0] << 8 | payload[1]
                payload = payload[2:]
            if encoding.take(sequence, second & 0x80, timestamp, words, tail, payload, now):
                touched[id(encoding)] = encoding
        for encoding in touched.values():
            encoding.flush(now)

    def is_voice(self, data: bytes) -> bool:
        """Whether a packet says, by its SSRC, that it is audio. It is not opened, and may lie."""
        source = self.sources.get(int.from_bytes(data[8:12], "big"))
        return source is not None and not source.encoding.is_video

    def _read_extensions(
        self, data: bytes, position: int, end: int, source: Source, now: float, arrived: float
    ) -> tuple[int, bytes]:
        """One-byte elements (RFC 8285 section 4.2): note what is for us, keep what is for the receivers."""
        kept = b""
        forwarded = source.forwarded_ids
        while position < end:
            lead = data[position]
            if lead == 0:
                position += 1
                continue
            identifier = lead >> 4
            after = position + 2 + (lead & 0x0F)
            if identifier == 15 or after > end:
                break
            if identifier == source.twcc_id:
                if lead & 0x0F == 1:
                    self.arrivals.record(data[position + 1] << 8 | data[position + 2], arrived)
            elif identifier in forwarded:
                kept += bytes((forwarded[identifier] << 4 | lead & 0x0F,)) + data[position + 1 : after]
                if identifier == source.audio_level_id and source.on_level is not None:
                    source.on_level(data[position + 1] & 0x7F, now)
            position = after
        return padded(kept)

    def _read_widely(
        self, data: bytes, position: int, end: int, source: Source, arrived: float
    ) -> tuple[int, bytes]:
        """Elements of either form for receivers of the two-byte form, the dependency descriptor first."""
        descriptor = kept = b""
        forwarded = source.forwarded_ids
        for identifier, value in _elements(data, position, end):
            if identifier == source.twcc_id:
                if len(value) == 2:
                    self.arrivals.record(value[0] << 8 | value[1], arrived)
            elif identifier in forwarded:
                ours = forwarded[identifier]
                element = bytes((ours, len(value))) + value
                if ours == DESCRIPTOR_ID:
                    descriptor = element
                else:
                    kept += element
        kept = descriptor + kept
        kept += bytes(-len(kept) % 4)
        return 1 + len(kept) // 4, kept

    def _read_two_byte_extensions(
        self, data: bytes, position: int, end: int, source: Source, now: float, arrived: float
    ) -> None:
        for identifier, value in _elements(data, position, end):
            if identifier == source.twcc_id and len(value) == 2:
                self.arrivals.record(value[0] << 8 | value[1], arrived)
            elif identifier == source.audio_level_id and source.on_level is not None and value:
                source.on_level(value[0] & 0x7F, now)

    def _look_into(
        self, ssrc: int, payload_type: int, data: bytes, start: int, end: int, arrived: float
    ) -> Source | None:
        """An authenticated packet of an SSRC not seen before."""
        mid = rid = repaired = None
        for identifier, value in _elements(data, start, end):
            text = value.decode("ascii", "replace")
            if identifier == self.mid_id:
                mid = text
            elif identifier == self.rid_id:
                rid = text
            elif identifier == self.repaired_rid_id:
                repaired = text
            elif identifier == self.twcc_id and len(value) == 2:
                self.arrivals.record(value[0] << 8 | value[1], arrived)
        source = None
        if len(self.sources) < MAX_SOURCES:
            source = self._identify(ssrc, payload_type, mid, rid, repaired)
        if source is None:
            self.unidentified += 1
            return None
        self.sources[ssrc] = source
        return source


def _unfold(source: Source, sequence: int, timestamp: int, payload: bytes) -> bytes:
    """What redundant audio carries of its own; what it carries of lost packets takes their places."""
    red = parse_red(payload, source.payload_type)
    if red.earlier:
        recover(source.encoding, sequence, timestamp, red)
    return red.primary


def _elements(data: bytes, start: int, end: int) -> list[tuple[int, bytes]]:
    if end <= start:
        return []
    try:
        return parse_extensions(data[start - 4] << 8 | data[start - 3], data[start:end])
    except RtpError:
        return []
