"""Which granted encoding a publisher's SSRC is: by what its offer declares, or by the names in its packets.

    SSRC --declared in the offer?--> bound when the producer is made
         --else MID and RID of its first authenticated packet--> the encoding of that rid on that m-line

What belongs to no granted producer has no `Source`, and is dropped (RFC 8852, RFC 9143 section 9.2).
"""

from __future__ import annotations

from collections.abc import Iterable

from sfu.forwarding.encoding import Encoding
from sfu.forwarding.receive import MAX_SOURCES, Inlet, Source
from sfu.producer import Producer
from sfu.rtp.negotiation import SUBSCRIBE_EXTENSIONS
from sfu.rtp.parameters import ExtensionUri, PublishParameters
from sfu.speakers import SpeakerDetector


class Identification:
    """The producers of one publish transport, each with what was negotiated for it, and its inlet."""

    def __init__(self, detector: SpeakerDetector) -> None:
        self.inlet = Inlet(self._identify)
        self._detector = detector
        self._known: dict[str, tuple[Producer, PublishParameters]] = {}
        self._names: dict[int, tuple[str | None, str | None, str | None]] = {}
        """MID, RID and repaired RID by SSRC, as declared or as once said in an authenticated packet."""

    def parameters_of(self, producer_id: str) -> PublishParameters:
        """What was negotiated for a producer that was added."""
        return self._known[producer_id][1]

    def learn_extensions(self, negotiated: Iterable[PublishParameters]) -> None:
        """The ids that identify a stream. In a BUNDLE group an id means one URI (RFC 9143 section 9.2)."""
        for parameters in negotiated:
            ids = {extension.uri: extension.id for extension in parameters.extensions}
            inlet = self.inlet
            inlet.mid_id = ids.get(ExtensionUri.MID, inlet.mid_id)
            inlet.rid_id = ids.get(ExtensionUri.RID, inlet.rid_id)
            inlet.repaired_rid_id = ids.get(ExtensionUri.REPAIRED_RID, inlet.repaired_rid_id)
            inlet.twcc_id = ids.get(ExtensionUri.TWCC, inlet.twcc_id)

    def add(self, producer: Producer, parameters: PublishParameters) -> None:
        self._known[producer.id] = (producer, parameters)
        self._bind_declared(producer, parameters)

    def forget(self, producer_id: str) -> None:
        """Nothing is taken for it any more."""
        known = self._known.pop(producer_id, None)
        if known is None:
            return
        gone = {id(encoding) for encoding in known[0].encodings}
        self.inlet.sources = {
            ssrc: source for ssrc, source in self.inlet.sources.items() if id(source.encoding) not in gone
        }

    def _bind_declared(self, producer: Producer, parameters: PublishParameters) -> None:
        """SSRCs that the offer declares need no identification by header extension."""
        if parameters.rids or parameters.ssrc is None:
            return
        encoding = producer.encodings[0]
        self.inlet.sources[parameters.ssrc] = self._source(producer, encoding, parameters, repair=False)
        self._note_names(parameters.ssrc, producer.mid)
        if parameters.rtx_ssrc is not None and parameters.rtx_payload_type is not None:
            self._note_names(parameters.rtx_ssrc, producer.mid)
            self.inlet.sources[parameters.rtx_ssrc] = self._source(
                producer, encoding, parameters, repair=True
            )

    def _source(
        self, producer: Producer, encoding: Encoding, parameters: PublishParameters, *, repair: bool
    ) -> Source:
        ids = {extension.uri: extension.id for extension in parameters.extensions}
        level_id = ids.get(ExtensionUri.AUDIO_LEVEL, 0) if producer.kind == "audio" else 0
        detector = self._detector

        def on_level(level: int, now: float) -> None:
            if not producer.paused:
                detector.handle_level(producer.id, level, now)

        return Source(
            encoding,
            payload_type=(parameters.rtx_payload_type or 0) if repair else parameters.codec.payload_type,
            repair=repair,
            twcc_id=ids.get(ExtensionUri.TWCC, 0),
            audio_level_id=level_id,
            forwarded_ids={
                ids[uri]: ours
                for uri, ours in SUBSCRIBE_EXTENSIONS.items()
                if uri in ids and uri not in (ExtensionUri.TWCC, ExtensionUri.MID)
            },
            on_level=on_level if level_id else None,
            red_payload_type=-1 if parameters.red_payload_type is None else parameters.red_payload_type,
        )

    def _identify(
        self, ssrc: int, payload_type: int, mid: str | None, rid: str | None, repaired: str | None
    ) -> Source | None:
        """Which granted encoding an unknown, authenticated SSRC belongs to (RFC 9143 section 9.2).

        Browsers name a stream only until they are heard. One that comes back after its producer ended and
        another was made on the same m-line is known by the names it gave then. One that a client goes on
        sending after its producer ended is nothing of a producer on another m-line.
        """
        if mid is None and rid is None and repaired is None:
            mid, rid, repaired = self._names.get(ssrc, (None, None, None))
        else:
            self._note_names(ssrc, mid, rid, repaired)
        for producer, parameters in self._known.values():
            if mid is not None and producer.mid != mid:
                continue
            repair = payload_type == parameters.rtx_payload_type
            if not repair and payload_type not in (
                parameters.codec.payload_type,
                parameters.red_payload_type,
            ):
                continue
            if mid is None and rid is None and repaired is None and not self._sole(payload_type):
                continue
            encoding = producer.encoding_of((repaired or rid) if parameters.rids else None)
            if encoding is None:
                continue
            if repair:
                encoding.rtx_ssrc = ssrc
            else:
                self._supersede(encoding, ssrc)
            return self._source(producer, encoding, parameters, repair=repair)
        return None

    def _note_names(
        self, ssrc: int, mid: str | None, rid: str | None = None, repaired: str | None = None
    ) -> None:
        if ssrc in self._names or len(self._names) < MAX_SOURCES:
            self._names[ssrc] = (mid, rid, repaired)

    def _sole(self, payload_type: int) -> bool:
        """Whether just one producer, without simulcast, uses this payload type."""
        users = [
            parameters
            for _, parameters in self._known.values()
            if payload_type
            in (parameters.codec.payload_type, parameters.rtx_payload_type, parameters.red_payload_type)
        ]
        return len(users) == 1 and not users[0].rids

    def _supersede(self, encoding: Encoding, ssrc: int) -> None:
        """The client sends an encoding under another SSRC now (it was restarted)."""
        previous = encoding.stream.ssrc
        if previous and previous != ssrc:
            self.inlet.sources.pop(previous, None)
            encoding.restart(ssrc)
        encoding.stream.ssrc = ssrc
