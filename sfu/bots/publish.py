"""A publish connection: offers m-lines as a browser does and sends synthetic media on them.

Each encoding has a clock of its own that sends a frame, all its packets in one burst, when it is due. What a
browser does besides, so does this: key frames when asked, retransmissions by RTX when NACKed, sender reports
every second, transport-wide sequence numbers, and MID and RID until the server surely knows the SSRC.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sfu.bots import feedback
from sfu.bots.association import ClientAssociation
from sfu.bots.departures import Departures
from sfu.bots.description import (
    AUDIO_LEVEL,
    EXTENSION_IDS,
    MID,
    OPUS_PT,
    REPAIRED_RID,
    RID,
    TRANSPORT_CC,
    VP8_PT,
    VP8_RTX_PT,
    Kind,
    OfferedMedia,
    RemoteDescription,
    parse_description,
    to_offer,
)
from sfu.bots.media import AUDIO_CLOCK_RATE, HD, VIDEO_CLOCK_RATE, OpusFrames, Vp8Frames

FRAMES_PER_SECOND = 25.0
AUDIO_INTERVAL = 0.02
HISTORY = 1024
IDENTIFIED_PACKETS = 400
"""So many packets of an encoding carry MID and RID; a browser stops when the server reports on the SSRC."""
REPORT_INTERVAL = 1.0
MAX_BEHIND = 0.5
"""Seconds a clock may be late before it gives up the frames in between."""

_HEADER = struct.Struct("!BBHIIHH")
ONE_BYTE_PROFILE = 0xBEDE
EXTENSION_BIT_VERSION_2 = 0x90
MARKER = 0x80


@dataclass(eq=False, slots=True)
class OutboundEncoding:
    """One SSRC being sent. `frames` makes its payloads, `interval` is the seconds between two frames."""

    mid: str
    kind: Kind
    frames: Vp8Frames | OpusFrames
    interval: float
    ssrc: int
    rtx_ssrc: int
    sequence: int
    rid: str | None = None
    rtx_sequence: int = 0
    rtp_time: int = 0
    octets: int = 0
    key_frame_requests: int = 0
    retransmitted: int = 0
    frames_skipped: int = 0
    level: int = 30
    """Of audio: RFC 6464, 0 is loudest and 127 silence."""
    history: OrderedDict[int, tuple[int, bytes]] = field(default_factory=OrderedDict)
    """Sequence number -> (timestamp with marker in bit 32, payload)."""
    due: float = 0.0
    running: bool = False
    wanted: bool = True

    @property
    def packets_sent(self) -> int:
        """Packets of media; retransmissions do not count."""
        return self.frames.packets_sent

    def planned(self, seconds: float) -> int:
        """How many packets of media are to be sent in so many seconds, the frame at their end left out."""
        return max(0, int(seconds / self.interval - 1)) * self.frames.packets_per_frame

    @property
    def payload_type(self) -> int:
        return OPUS_PT if self.kind == "audio" else VP8_PT


@dataclass(eq=False, slots=True)
class OutboundTrack:
    """What is announced as one publication: an m-line with one encoding, or several under simulcast."""

    media: OfferedMedia
    source: str
    encodings: tuple[OutboundEncoding, ...]
    publication_id: str | None = None


class PublishTransport:
    """The publish connection of one bot.

    Add tracks, exchange `offer()` for an answer, `await handle_answer(...)`, then `start()`.
    """

    def __init__(
        self, association: ClientAssociation, *, ssrc_base: int, departures: Departures | None = None
    ) -> None:
        self.association = association
        self.tracks: list[OutboundTrack] = []
        self.feedback_packets = 0
        self.reception_reports = 0
        self._version = 0
        self._next_ssrc = ssrc_base
        self._departures = departures
        self._transport_sequence = 0
        self._extensions: dict[str, int] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._reporter: asyncio.TimerHandle | None = None
        self._by_ssrc: dict[int, OutboundEncoding] = {}
        association.on_media = self._handle_media

    # --- describing ----------------------------------------------------------------------------------

    def add_video(
        self,
        stream_ids: Iterable[int],
        *,
        source: str = "camera",
        packets_per_second: float = 400.0,
        payload_size: int = 1100,
        size: tuple[int, int] = HD,
    ) -> OutboundTrack:
        """A video m-line; with several stream ids, a simulcast encoding for each, lowest first.

        Of simulcast, the highest has the given rate and size, and each one below a quarter of the next.
        """
        ids = list(stream_ids)
        rids = tuple("qhf"[-len(ids) :]) if len(ids) > 1 else ()
        mid = str(len(self.tracks))
        encodings = []
        for index, stream_id in enumerate(ids):
            rate = packets_per_second / 4 ** (len(ids) - 1 - index)
            per_frame = max(1, round(rate / FRAMES_PER_SECOND))
            frames = Vp8Frames(
                stream_id,
                packets_per_frame=per_frame,
                payload_size=payload_size,
                width=size[0] >> (len(ids) - 1 - index),
                height=size[1] >> (len(ids) - 1 - index),
            )
            rid = rids[index] if rids else None
            encodings.append(self._new_encoding(mid, "video", frames, per_frame / rate, rid))
        return self._add_track(mid, "video", source, tuple(encodings), rids)

    def add_audio(
        self, stream_id: int, *, source: str = "microphone", payload_size: int = 100
    ) -> OutboundTrack:
        """An audio m-line with 50 packets a second."""
        mid = str(len(self.tracks))
        frames = OpusFrames(stream_id, payload_size=payload_size)
        encoding = self._new_encoding(mid, "audio", frames, AUDIO_INTERVAL, None)
        return self._add_track(mid, "audio", source, (encoding,), ())

    def offer(self) -> str:
        """SDP with every track; each call is a new version."""
        self._version += 1
        return to_offer(self.association.local, [track.media for track in self.tracks], self._version)

    async def handle_answer(self, sdp: str) -> RemoteDescription:
        """Connect by the first answer, take over changes from later ones."""
        answer = parse_description(sdp)
        self._extensions = {
            uri: number for one in answer.media if one.port for uri, number in one.extensions.items()
        }
        await self.association.connect(answer)
        return answer

    # --- sending -------------------------------------------------------------------------------------

    def start(self, *, phase: float = 0.0, only: Kind | None = None) -> None:
        """Let every encoding send, or those of one kind, the first frame after `phase` seconds."""
        now = asyncio.get_running_loop().time()
        for encoding in self._by_ssrc.values():
            if not encoding.running and only in (None, encoding.kind):
                encoding.running = True
                self._schedule(encoding, now + phase)
        if self._reporter is None:
            self._reporter = asyncio.get_running_loop().call_later(REPORT_INTERVAL, self._report)

    def stop(self, *, only: Kind | None = None) -> None:
        """Stop sending media, or that of one kind, at once; the connection stays."""
        for encoding in self._by_ssrc.values():
            if encoding.running and only in (None, encoding.kind):
                encoding.running = False
                self._timers.pop(encoding.ssrc).cancel()
        if self._reporter is not None and not self._timers:
            self._reporter.cancel()
            self._reporter = None

    def set_wanted(self, publication_id: str, encodings: Sequence[bool]) -> None:
        """Send of a publication only the encodings that somebody receives, lowest first."""
        for track in self.tracks:
            if track.publication_id == publication_id:
                for encoding, wanted in zip(track.encodings, encodings, strict=False):
                    encoding.wanted = wanted

    def close(self) -> None:
        self.stop()
        self.association.close()

    def send_packet(self, encoding: OutboundEncoding, payload: bytes, *, marker: bool = True) -> None:
        """Send one packet now, outside the clock (tests)."""
        self._send_burst(encoding, [payload], marker=marker)

    def _schedule(self, encoding: OutboundEncoding, due: float) -> None:
        encoding.due = due
        loop = asyncio.get_running_loop()
        self._timers[encoding.ssrc] = loop.call_at(due, self._handle_due, encoding)

    def _handle_due(self, encoding: OutboundEncoding) -> None:
        loop = asyncio.get_running_loop()
        if encoding.wanted:
            self._send_burst(encoding, encoding.frames.next_frame(time.monotonic_ns()), marker=True)
        rate = AUDIO_CLOCK_RATE if encoding.kind == "audio" else VIDEO_CLOCK_RATE
        encoding.rtp_time = (encoding.rtp_time + round(encoding.interval * rate)) & 0xFFFF_FFFF
        due = encoding.due + encoding.interval
        behind = loop.time() - due
        if behind > MAX_BEHIND:
            missed = int(behind / encoding.interval)
            encoding.frames_skipped += missed
            due += missed * encoding.interval
        self._schedule(encoding, due)

    def _send_burst(self, encoding: OutboundEncoding, payloads: list[bytes], *, marker: bool) -> None:
        outbound = self.association.outbound
        if outbound is None:
            return
        last = len(payloads) - 1
        datagrams = []
        for index, payload in enumerate(payloads):
            sequence = encoding.sequence
            encoding.sequence = sequence + 1
            marked = MARKER if marker and index == last and encoding.kind == "video" else 0
            header = self._header(
                encoding, encoding.payload_type | marked, sequence, encoding.rtp_time, encoding.ssrc
            )
            datagrams.append(outbound.seal_rtp(header, payload, sequence))
            encoding.octets += len(payload)
            if encoding.kind == "video":
                encoding.history[sequence & 0xFFFF] = (encoding.rtp_time | marked << 32, payload)
                if len(encoding.history) > HISTORY:
                    encoding.history.popitem(last=False)
        if self._departures is not None:
            first = encoding.packets_sent - len(payloads)
            self._departures.note(encoding.frames.stream_id, first, len(payloads), time.time_ns())
        self.association.send_burst(datagrams)

    def _header(
        self, encoding: OutboundEncoding, marker_and_type: int, sequence: int, rtp_time: int, ssrc: int
    ) -> bytes:
        extension = self._extension_bytes(encoding, repaired=ssrc != encoding.ssrc)
        return (
            _HEADER.pack(
                EXTENSION_BIT_VERSION_2,
                marker_and_type,
                sequence & 0xFFFF,
                rtp_time,
                ssrc,
                ONE_BYTE_PROFILE,
                len(extension) // 4,
            )
            + extension
        )

    def _extension_bytes(self, encoding: OutboundEncoding, *, repaired: bool) -> bytes:
        """One-byte header extensions (RFC 8285 section 4.2), only those the answer accepted."""
        elements = [self._element(TRANSPORT_CC, self._transport_sequence.to_bytes(2, "big"))]
        self._transport_sequence = (self._transport_sequence + 1) & 0xFFFF
        if encoding.kind == "audio":
            elements.append(self._element(AUDIO_LEVEL, bytes((0x80 | encoding.level,))))
        if repaired or encoding.packets_sent <= IDENTIFIED_PACKETS:
            elements.append(self._element(MID, encoding.mid.encode()))
            if encoding.rid is not None:
                elements.append(self._element(REPAIRED_RID if repaired else RID, encoding.rid.encode()))
        joined = b"".join(elements)
        return joined + bytes(-len(joined) % 4)

    def _element(self, uri: str, value: bytes) -> bytes:
        if uri not in self._extensions:
            return b""
        return bytes((EXTENSION_IDS[uri] << 4 | len(value) - 1,)) + value

    # --- what the server says ------------------------------------------------------------------------

    def _handle_media(self, data: bytes, size: int, _arrived_ns: int) -> None:
        for start in range(0, len(data), size):
            self._handle_datagram(data[start : start + size])

    def _handle_datagram(self, data: bytes) -> None:
        if len(data) < 8 or not 192 <= data[1] <= 223 or self.association.inbound is None:
            return
        opened = self.association.inbound.open_rtcp(data)
        if opened is None:
            return
        for form, kind, body in feedback.split_compound(opened):
            self._handle_rtcp(form, kind, body)

    def _handle_rtcp(self, form: int, kind: int, body: bytes) -> None:
        if kind == feedback.RECEIVER_REPORT:
            self.reception_reports += 1
        elif kind == feedback.PAYLOAD_FEEDBACK and form == feedback.PLI_FORMAT and len(body) >= 8:
            self._handle_key_frame_request(int.from_bytes(body[4:8], "big"))
        elif kind == feedback.PAYLOAD_FEEDBACK and form == feedback.FIR_FORMAT and len(body) >= 16:
            self._handle_key_frame_request(int.from_bytes(body[8:12], "big"))
        elif kind == feedback.EXTENDED_REPORT:
            self._tell_delay(body)
        elif kind == feedback.TRANSPORT_FEEDBACK and form == feedback.TRANSPORT_CC_FORMAT:
            self.feedback_packets += 1
        elif kind == feedback.TRANSPORT_FEEDBACK and form == feedback.NACK_FORMAT and len(body) >= 12:
            self._retransmit(int.from_bytes(body[4:8], "big"), feedback.nacked_sequences(body))

    def _tell_delay(self, body: bytes) -> None:
        """Answered at once, so without a delay to tell."""
        question = feedback.question_in(body)
        own_ssrc = next(iter(self._by_ssrc), None)
        if question is not None and own_ssrc is not None:
            asker, last = question
            self.association.send_rtcp(feedback.delays(own_ssrc, asker, last, 0))

    def _handle_key_frame_request(self, ssrc: int) -> None:
        encoding = self._by_ssrc.get(ssrc)
        if encoding is not None and isinstance(encoding.frames, Vp8Frames):
            encoding.key_frame_requests += 1
            encoding.frames.request_key_frame()

    def _retransmit(self, ssrc: int, sequences: list[int]) -> None:
        encoding, outbound = self._by_ssrc.get(ssrc), self.association.outbound
        if encoding is None or outbound is None:
            return
        for sequence in sequences:
            known = encoding.history.get(sequence)
            if known is None:
                continue
            rtp_time, payload = known[0] & 0xFFFF_FFFF, known[1]
            marked = known[0] >> 32
            header = self._header(
                encoding, VP8_RTX_PT | marked, encoding.rtx_sequence, rtp_time, encoding.rtx_ssrc
            )
            sealed = outbound.seal_rtp(header, sequence.to_bytes(2, "big") + payload, encoding.rtx_sequence)
            encoding.rtx_sequence += 1
            encoding.retransmitted += 1
            self.association.send_burst([sealed])

    def _report(self) -> None:
        for encoding in self._by_ssrc.values():
            if encoding.packets_sent:
                report = feedback.sender_report(
                    encoding.ssrc, time.time(), encoding.rtp_time, encoding.packets_sent, encoding.octets
                )
                self.association.send_rtcp(report)
        self._reporter = asyncio.get_running_loop().call_later(REPORT_INTERVAL, self._report)

    # --- inside --------------------------------------------------------------------------------------

    def _new_encoding(
        self, mid: str, kind: Kind, frames: Vp8Frames | OpusFrames, interval: float, rid: str | None
    ) -> OutboundEncoding:
        ssrc = self._next_ssrc
        self._next_ssrc += 2
        encoding = OutboundEncoding(
            mid, kind, frames, interval, ssrc, ssrc + 1, sequence=ssrc * 7919 & 0x3FFF, rid=rid
        )
        self._by_ssrc[ssrc] = encoding
        return encoding

    def _add_track(
        self,
        mid: str,
        kind: Kind,
        source: str,
        encodings: tuple[OutboundEncoding, ...],
        rids: tuple[str, ...],
    ) -> OutboundTrack:
        first = encodings[0]
        track = OutboundTrack(OfferedMedia(mid, kind, first.ssrc, first.rtx_ssrc, rids), source, encodings)
        self.tracks.append(track)
        return track
