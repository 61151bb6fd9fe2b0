"""What a publisher's producers send, measured on a tick and held against its grants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sfu.codecs.frame_size import UNKNOWN
from sfu.control.messages import Event, Grant, GrantKind, ProducerLimited
from sfu.policing.police import INTERVAL, Limits, Police, Sample, count_frames
from sfu.producer import Producer
from sfu.rtp.parameters import SendTerms


class Meter:
    """One producer's. Frames are counted from the history, so nothing is done for a packet.

    An encoding that is cut for its size is not asked for, so no key frame of it tells of another: its size is
    taken for what it was until a lower encoding changes, with which the publisher chose other sizes.
    """

    def __init__(self, producer: Producer, limits: Limits, *, encrypted: bool) -> None:
        self.producer = producer
        self._encrypted = encrypted
        self._sizes = [UNKNOWN] * len(producer.encodings)
        self._keys = [0] * len(producer.encodings)
        self.police = Police(len(producer.encodings), limits)
        self._seen = [-1] * len(producer.encodings)
        self._frames = [0] * len(producer.encodings)

    def measure(self, now: float) -> bool:
        """Whether the encodings that may be forwarded are others now."""
        self._look_at_sizes()
        before = self.police.ceiling
        self.police.handle_samples([self._sample(rank) for rank in range(len(self._seen))], now)
        return self.police.ceiling != before

    def _sample(self, rank: int) -> Sample:
        encoding = self.producer.encodings[rank]
        highest, seen = encoding.stream.highest, self._seen[rank]
        if encoding.is_video and seen >= 0 and highest > seen:
            self._frames[rank] += count_frames(encoding.history, seen + 1, highest + 1)
        self._seen[rank] = highest
        return Sample(encoding.stream.bytes, self._frames[rank], self._sizes[rank].area)

    def _look_at_sizes(self) -> None:
        if self._encrypted:
            return
        changed = False
        for rank, encoding in enumerate(self.producer.encodings):
            keys, size = encoding.reading.keys, encoding.reading.size
            if keys != self._keys[rank]:
                changed = changed or size != self._sizes[rank]
                self._keys[rank], self._sizes[rank] = keys, size
            elif changed:
                self._sizes[rank] = UNKNOWN


class Meters:
    """Of one publish transport. `emit` is told when more or less of a producer is forwarded."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._meters: dict[str, Meter] = {}
        self._due = 0.0

    def add(self, producer: Producer, grant: Grant, now: float, *, encrypted: bool = False) -> None:
        """Nothing is read of what is encrypted end to end: the size of its pictures is not known."""
        meter = self._meters[producer.id] = Meter(producer, limits_of(grant), encrypted=encrypted)
        producer.set_ceiling(meter.police.ceiling, now)

    def forget(self, producer_id: str) -> None:
        self._meters.pop(producer_id, None)

    def change(self, grants: Mapping[tuple[str, GrantKind], Grant]) -> None:
        """Other grants are in force; producers outside of them are closed by others."""
        for meter in self._meters.values():
            grant = grants.get((meter.producer.source, meter.producer.kind))
            if grant is not None:
                meter.police.change(limits_of(grant))

    def tick(self, now: float) -> None:
        if now < self._due:
            return
        self._due = now + INTERVAL
        for meter in self._meters.values():
            producer, changed = meter.producer, meter.measure(now)
            producer.set_ceiling(meter.police.ceiling, now)
            if changed:
                self._emit(
                    ProducerLimited(
                        producer_id=producer.id,
                        forwarded=meter.police.ceiling + 1,
                        encodings=len(producer.encodings),
                        reason=meter.police.reason,
                    )
                )


def limits_of(grant: Grant) -> Limits:
    return Limits(grant.max_bitrate, grant.max_frame_rate, grant.max_pixels, grant.max_spatial)


def terms_of(grant: Grant) -> SendTerms:
    """What the answer asks the client to keep to."""
    return SendTerms(
        max_bitrate=grant.max_bitrate,
        stereo=grant.stereo,
        dtx=grant.dtx,
        average_bitrate=grant.average_bitrate,
    )
