"""A producer on its way between two nodes, as the control links of both describe it."""

from __future__ import annotations

from pydantic import Field

from sfu.control.messages.values import Kind, Message
from sfu.rtp.parameters import Codec


class PipedCodec(Message):
    """The publisher's codec, as `sfu.rtp.parameters.Codec` has it."""

    mime: str
    payload_type: int
    clock_rate: int
    channels: int
    parameters: tuple[tuple[str, str | None], ...] = ()
    feedback: tuple[str, ...] = ()

    @classmethod
    def of(cls, codec: Codec) -> PipedCodec:
        return cls(
            mime=codec.mime,
            payload_type=codec.payload_type,
            clock_rate=codec.clock_rate,
            channels=codec.channels,
            parameters=codec.parameters,
            feedback=codec.feedback,
        )

    def to_codec(self) -> Codec:
        return Codec(
            self.mime, self.payload_type, self.clock_rate, self.channels, self.parameters, self.feedback
        )


class PipedEncoding(Message):
    """An encoding, lowest first, and the SSRCs it has on the pipe."""

    rid: str | None
    ssrc: int
    rtx_ssrc: int


class PipedProducer(Message):
    """A producer as the far end of a pipe makes it: what the origin says in `Piped`, and `ReceiveProducer`
    carries over. `transport_id` is that of the publisher at the origin; it keeps the tracks of one person
    in one stream. `payload_type` and `rtx_payload_type` (0: none) are those on the pipe."""

    producer_id: str
    transport_id: str
    source: str
    kind: Kind
    codec: PipedCodec
    payload_type: int
    rtx_payload_type: int
    encodings: tuple[PipedEncoding, ...] = Field(min_length=1)
    paused: bool = False
    sends_red: bool = False
    """The publisher sends audio with redundancy, so receivers get it with redundancy."""
