"""One session's forwarding graph on one node: its transports, and who of them is speaking."""

from __future__ import annotations

from sfu.control.messages import DataForwarded, Speaker, SpeakersChanged
from sfu.data.relay import DataRelay, Relayed
from sfu.loudest import choose_loudest
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
        self.piped: set[str] = set()
        """Producers of other nodes that came to this router by a pipe."""
        self.detector = SpeakerDetector()
        self.data = DataRelay()
        self._host = host
        self._loudest_audio = loudest_audio
        self._audible: frozenset[str] = frozenset()
        self._told: tuple[tuple[str, ...], str | None] = ((), None)

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
        state = (tuple(producer_id for producer_id, _ in speakers), dominant)
        if state == self._told:
            return
        if dominant != self._told[1]:
            for transport in self.subscribing.values():
                transport.set_dominant(dominant)
        self._told = state
        self._host.emit(
            SpeakersChanged(
                router_id=self.id,
                speakers=tuple(Speaker(producer_id=producer, level=level) for producer, level in speakers),
                dominant=dominant,
            )
        )

    def _forward_loudest(self, most: int, dominant: str | None, now: float) -> None:
        """Of the voices whose level is known; one that is muted neither counts nor is heard."""
        loudness = self.detector.loudness()
        voices = {
            producer.id: producer
            for transport in self.publishing.values()
            for producer in transport.producers.values()
            if producer.source == "microphone" and producer.id in loudness and not producer.paused
        }
        heard = {producer_id: loudness[producer_id] for producer_id in voices}
        self._audible = choose_loudest(heard, self._audible, dominant, most)
        for producer_id, producer in voices.items():
            producer.set_audible(producer_id in self._audible, now)

    def stats(self, now: float) -> dict[str, object]:
        return {
            "router_id": self.id,
            "publishing": [transport.stats(now) for transport in self.publishing.values()],
            "piped": sorted(self.piped),
            "subscribing": [transport.stats() for transport in self.subscribing.values()],
        }
