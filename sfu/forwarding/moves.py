"""Which legs of an encoding change their layer at a frame, and which have to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfu.forwarding.leg import Leg
from sfu.forwarding.selector import aim_at, take_out
from sfu.layers import Layer, Mark

if TYPE_CHECKING:
    from sfu.forwarding.encoding import Encoding


def find_moves(encoding: Encoding, mark: Mark) -> list[tuple[Leg, Layer]]:
    """Waiting legs that the frame which begins here lets change, and to which layer."""
    moves = []
    for leg in encoding.waiting:
        target = leg.target
        assert target is not None
        if not leg.ready:
            continue
        if mark.key:
            if encoding.brings(target.layer):
                moves.append((leg, target.layer))
        elif leg.carried and leg.cut is not None and leg.cut.encoding is encoding:
            layer = encoding.reader.reach(leg.cut.layer, target.layer)
            if layer is not None and layer != leg.cut.layer:
                moves.append((leg, layer))
    return moves


def strand(encoding: Encoding, top: int) -> None:
    """The spatial layers above `top` came to an end between key frames. Whoever was at one of them was spared
    those below, and enters them at the next key frame, which is asked for."""
    for cut in encoding.cuts:
        if cut.layer.spatial > top:
            for leg in list(cut.legs):
                target = leg.target if leg.target is not None else cut
                take_out(leg)
                aim_at(leg, target)
