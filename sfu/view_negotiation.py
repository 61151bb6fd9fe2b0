"""How the m-lines of a receiving transport are agreed on where the client offers (WHEP): once, for good.

The one offer fixes the m-lines, with every codec that both sides know. A line keeps its SSRC and its outgoing
stream for life; which consumer feeds it changes without another offer, which is how a viewer follows the
speaker. Sibling of `sfu.subscribe_negotiation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sfu.consumer import Consumer
from sfu.errors import NodeCommandError
from sfu.forwarding.leg import Leg
from sfu.producer import Producer
from sfu.rtp.parameters import Codec, Kind, MediaSection
from sfu.rtp.view import ViewParameters, choose_view
from sfu.subscribe_negotiation import Receiver
from sfu.webrtc.description import ViewSection, view_answer
from sfu.webrtc.sdp import parse_sdp, to_sdp


@dataclass(slots=True)
class Line:
    """One m-line of the offer that may carry media. `payload_type` is what went out last, 0 before."""

    kind: Kind
    parameters: ViewParameters
    leg: Leg
    active: bool
    consumer: Consumer | None = None
    payload_type: int = 0


class ClientOffer:
    def __init__(self, receiver: Receiver, new_leg: Callable[[], Leg]) -> None:
        self._receiver = receiver
        self._new_leg = new_leg
        self._lines: dict[str, Line] = {}
        self._answered = False

    def handle_offer(self, sdp: str, wanted: Mapping[str, Codec], now: float) -> str:
        """Returns the answer. `wanted` are the codecs to begin with, by mid: lines that lack theirs are
        answered inactive.

        Raises `SdpError` for an offer that cannot be read, `NodeCommandError` for a second one and for one
        without any m-line to send on; nothing has changed then.
        """
        if self._answered:
            raise NodeCommandError("wrong_offerer", "the m-lines of this transport are fixed already")
        offer = parse_sdp(sdp)
        lines = {
            section.mid: line
            for section in offer.sections
            if (line := self._line_for(section, wanted.get(section.mid), mixed=offer.extmap_allow_mixed))
            is not None
        }
        if not any(line.active for line in lines.values()):
            raise NodeCommandError(
                "unsupported_codec", "the offer has no m-line to send on, or no codec for it"
            )
        sections = {mid: self._section(line) for mid, line in lines.items()}
        view_answer(offer, sections, self._receiver.local)  # raises before anything has changed
        self._receiver.take_remote(offer, now)
        self._answered, self._lines = True, lines
        return to_sdp(view_answer(offer, sections, self._receiver.local))

    def leg_for(self, mid: str | None, producer: Producer) -> Leg:
        """The leg of a free line that can carry this producer. Raises `NodeCommandError`."""
        line = None if mid is None else self._lines.get(mid)
        if line is None or line.kind != producer.kind:
            raise NodeCommandError("no_such_line", f"there is no m-line {mid!r} for {producer.kind}")
        if not line.active or line.parameters.format_for(producer.codec) is None:
            raise NodeCommandError("unsupported_codec", f"m-line {mid!r} cannot carry {producer.codec.mime}")
        if line.consumer is not None:
            raise NodeCommandError("line_taken", f"m-line {mid!r} carries another consumer")
        return line.leg

    def add(self, consumer: Consumer, mid: str | None, now: float) -> None:
        """Put a consumer on the line that `leg_for` found, and let it send."""
        assert mid is not None
        line = self._lines[mid]
        format_ = line.parameters.format_for(consumer.producer.codec)
        assert format_ is not None
        line.consumer = consumer
        if line.payload_type not in (0, format_.codec.payload_type):
            line.leg.forget_packets()
        line.payload_type = format_.codec.payload_type
        line.leg.numbering = line.parameters.numbering
        line.leg.wide = line.parameters.is_wide_with(format_.codec)
        self._receiver.start(
            consumer,
            line.payload_type,
            format_.rtx_payload_type,
            line.parameters.red_payload_type,
            line.parameters.twcc_id,
            now,
        )

    def remove(self, consumer: Consumer) -> None:
        """The line stays, silent, for the next one."""
        for line in self._lines.values():
            if line.consumer is consumer:
                line.consumer = None

    def close(self) -> None:
        """Nothing is left to be said."""

    # --- inside --------------------------------------------------------------------------------------

    def _line_for(self, section: MediaSection, wanted: Codec | None, *, mixed: bool) -> Line | None:
        if section.kind == "application" or section.is_rejected:
            return None
        parameters = choose_view(section, mixed=mixed)
        if parameters is None:
            return None
        active = section.direction.receives and (wanted is None or parameters.format_for(wanted) is not None)
        return Line(section.kind, parameters, self._new_leg(), active)

    def _section(self, line: Line) -> ViewSection:
        return ViewSection(
            parameters=line.parameters,
            ssrc=line.leg.ssrc,
            rtx_ssrc=line.leg.rtx_ssrc,
            stream_id=self._receiver.id,
            active=line.active,
        )
