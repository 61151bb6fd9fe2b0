"""One session's forwarding graph on one node: its transports, and who of them is speaking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfu.control.messages import DataForwarded, Speaker, SpeakersChanged
from sfu.data.relay import DataRelay, Relayed
from sfu.loudest import Voice, choose_loudest
from sfu.producer import Producer
from sfu.publish_transport import PublishTransport
from sfu.speakers import SpeakerDetector
from sfu.subscribe_transport import SubscribeTransport
from sfu.transport import Host


class Router:
    """Owns its transports and what is piped to it; closing it closes them."""

    def __init__(self, host: Host, router_id: str, *, loudest_audio: int | None = None) -> None:
        self.id = router_id
        self.publishing: dict[str, PublishTransport] = {}
        self.subscribing: dict[str, SubscribeTransport] = {}
        self.piped: dict[str, Producer] = {}
        """Producers of other nodes that came to this router by a pipe, by id."""
        self.detector = SpeakerDetector()
        self.data = DataRelay()
        self.notes: dict[str, str] = {}
        """Signaling's, about the session; not read here. See `sfu.control.messages.SetNotes`."""
        self.notes_revision = 0
        self._host = host
        self._loudest_audio = loudest_audio
        self._audible: frozenset[str] = frozenset()
        self._told: tuple[tuple[str, ...], str | None] = ((), None)
        self._announced: SpeakersChanged | None = None

    @property
    def dominant(self) -> str | None:
        """The producer id of the dominant speaker, as it was announced last."""
        return self._told[1]

    def spread_data(self, *, spread: bool) -> None:
        """Whether other nodes are told of data messages that concern their peers."""
        self.data.elsewhere = self._forward_data if spread else None

    def _forward_data(self, message: Relayed) -> None:
        self._host.emit(
            DataForwarded(
                router_id=self.id,
                sender=message.sender,
                to=message.to,
                topic=message.topic,
                payload=message.payload,
                channel=message.label,
            )
        )

    def poll_speakers(self, now: float) -> None:
        """Announce a change of who speaks, or of the dominant speaker."""
        speakers, dominant = self.detector.poll(now)
        if self._loudest_audio is not None:
            self._forward_loudest(self._loudest_audio, dominant, now)
        if not speakers and not self._told[0] and dominant == self._told[1]:
            return  # most rooms, most of the time
        state = (tuple(producer_id for producer_id, _ in speakers), dominant)
        if state == self._told:
            return
        if dominant != self._told[1]:
            for transport in self.subscribing.values():
                transport.set_dominant(dominant)
        self._told = state
        self._announced = SpeakersChanged(
            router_id=self.id,
            speakers=tuple(Speaker(producer_id=producer, level=level) for producer, level in speakers),
            dominant=dominant,
        )
        self._host.emit(self._announced)

    def retell_speakers(self) -> None:
        """Announce again what was announced last."""
        if self._announced is not None:
            self._host.emit(self._announced)

    def set_notes(self, revision: int, notes: Mapping[str, str | None]) -> None:
        """Keep these, forget those that are None; the others stay."""
        self.notes_revision = revision
        for key, text in notes.items():
            if text is None:
                self.notes.pop(key, None)
            else:
                self.notes[key] = text

    def limit_voices(self, most: int | None, now: float) -> None:
        """Forward only so many of the loudest voices from now on; all of them with None."""
        self._loudest_audio = most
        if most is None:
            for producer in (*self._own_voices(), *self._piped_voices()):
                producer.voice = None
                producer.set_audible(True, now)

    def _forward_loudest(self, most: int, dominant: str | None, now: float) -> None:
        """Of the voices whose level is known; one that is muted neither counts nor is heard."""
        loudness = self.detector.loudness()
        voices: dict[str, Voice] = {}
        for producer in self._own_voices():
            if producer.id in loudness:
                voices[producer.id] = Voice.heard(
                    loudness[producer.id],
                    forwarded=producer.id in self._audible,
                    dominant=producer.id == dominant,
                )
        told = {one.id: one.voice for one in self._piped_voices() if one.voice is not None}
        self._audible = choose_loudest(voices | told, most)
        for producer in self._own_voices():
            if producer.id in voices:
                audible = producer.id in self._audible
                producer.voice = voices[producer.id]._replace(forwarded=audible)
                producer.set_audible(audible, now)
        for producer in self._piped_voices():
            if producer.id in told:
                producer.set_audible(producer.id in self._audible, now)

    def _own_voices(self) -> Iterator[Producer]:
        for transport in self.publishing.values():
            yield from (one for one in transport.producers.values() if _is_heard(one))

    def _piped_voices(self) -> Iterator[Producer]:
        return (one for one in self.piped.values() if _is_heard(one))

    def stats(self, now: float) -> dict[str, object]:
        return {
            "router_id": self.id,
            "publishing": [transport.stats(now) for transport in self.publishing.values()],
            "piped": sorted(self.piped),
            "subscribing": [transport.stats() for transport in self.subscribing.values()],
        }


def _is_heard(producer: Producer) -> bool:
    return producer.source == "microphone" and not producer.paused
