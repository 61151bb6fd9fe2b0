"""Receivers with extension ids of their own (WHEP) that take the dependency descriptor: a recorded AV1 camera
goes to one of them and, beside it, to one under our ids, over changes of the layer."""

from __future__ import annotations

import pytest

from sfu.forwarding.leg import Leg
from sfu.forwarding.retransmit import retransmit
from sfu.forwarding.selector import aim_at
from sfu.layers import WHOLE, Layer
from sfu.rtp.extensions import TWO_BYTE_PROFILE, parse_extensions
from sfu.rtp.negotiation import SUBSCRIBE_EXTENSIONS
from sfu.rtp.parameters import ExtensionUri
from tests.sfu.forwarding.test_recorded import Choice, capture, feed, turns
from tests.sfu.forwarding.world import Received, Receiver, encoding

OURS = SUBSCRIBE_EXTENSIONS[ExtensionUri.DEPENDENCY_DESCRIPTOR]
THEIRS, THEIR_TWCC = 12, 4


def leg_of(receiver: Receiver, *, own_ids: bool) -> Leg:
    leg = receiver.leg(first_index=60000)
    leg.wide = True
    if own_ids:
        numbering = bytearray(16)
        numbering[OURS] = THEIRS
        leg.numbering = bytes(numbering)
    leg.prepare(payload_type=96, rtx_payload_type=97)
    return leg


def descriptors(got: list[Received], id_: int) -> list[tuple[int, int, bytes, bytes]]:
    """Each packet's (sequence, timestamp, descriptor, payload); fails where one is missing."""
    return [
        (
            one.sequence,
            one.timestamp,
            dict(parse_extensions(TWO_BYTE_PROFILE, one.extension))[id_],
            one.payload,
        )
        for one in got
    ]


CHANGES: dict[str, dict[int, Choice]] = {
    "av1_l3t3_key": {40: (0, Layer(0, 0))},
    "av1_simulcast": {1: (1, WHOLE), 50: (0, WHOLE)},
}
"""By the number of a picture, what the receivers are aimed at from then on; at first at all of encoding 0."""


@pytest.mark.parametrize("twcc", [True, False])
@pytest.mark.parametrize("name", CHANGES)
def test_the_descriptor_comes_under_their_id_over_every_change_and_with_repairs(
    name: str, twcc: bool
) -> None:
    viewer, usual = Receiver(twcc=twcc), Receiver()
    viewer.egress.transport_tag = THEIR_TWCC << 4 | 1 if twcc else 0
    legs = (leg_of(viewer, own_ids=True), leg_of(usual, own_ids=False))
    sources = [encoding("video/AV1", spatial=one, ssrc=7 + one) for one in (0, 1)]
    speaker = encoding("video/AV1", ssrc=3)
    for source in (speaker, sources[0]):
        for leg in legs:
            aim_at(leg, source.whole)
        if source is speaker:
            for turn in turns(capture("av1_l1t3").packets):
                feed(source, turn)
    for number, turn in enumerate(turns(capture(name).packets)):
        if number in CHANGES[name]:
            of, layer = CHANGES[name][number]
            for leg in legs:
                aim_at(leg, sources[of].cut(layer))
        feed(sources[turn[0].encoding], turn)
        for source in sources:
            source.measure(turn[-1].at)
    got, reference = viewer.receive(), usual.receive()
    assert descriptors(got, THEIRS) == descriptors(reference, OURS)
    assert len(legs[0].epochs) == 2 + len(CHANGES[name]), "every change has happened"
    assert legs[0].picture_offset, "pictures are numbered on, from one camera to the next"
    elements = [dict(parse_extensions(TWO_BYTE_PROFILE, one.extension)) for one in got]
    assert all((THEIR_TWCC in one) is twcc and OURS not in one for one in elements)
    now = capture(name).packets[-1].at + 1.0
    lost = [one.sequence for one in got[-40:]]
    assert retransmit(legs[0], lost, now) == retransmit(legs[1], lost, now) > 0
    assert descriptors(viewer.receive(), THEIRS) == descriptors(usual.receive(), OURS)
