"""Layers of one encoding: which there are, and for whose receivers a packet is. Pure.

A receiver is at a layer (spatial, temporal), which stands for everything that is needed to decode that far.
Whether it needs a packet is the same question for every receiver at that layer, so a packet is read once and
answers it for all layers in one number: a *mask*, where bit 8 * spatial + temporal is that layer's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

MAX_LAYERS = 8
"""Spatial ones, and temporal ones of each."""


class Layer(NamedTuple):
    """Counted from 0 = lowest."""

    spatial: int
    temporal: int

    @property
    def bit(self) -> int:
        return 8 * self.spatial + self.temporal

    def within(self, top: Layer) -> Layer:
        """This one, or as near to it as there is."""
        return Layer(min(self.spatial, top.spatial), min(self.temporal, top.temporal))


WHOLE = Layer(MAX_LAYERS - 1, MAX_LAYERS - 1)
"""All of an encoding, whatever its layers are."""
BASE = Layer(0, 0)
ALL = (1 << 64) - 1

LAYERS = tuple(Layer(spatial, temporal) for spatial in range(MAX_LAYERS) for temporal in range(MAX_LAYERS))
"""By bit."""


def mask_of(*layers: Layer) -> int:
    mask = 0
    for layer in layers:
        mask |= 1 << layer.bit
    return mask


AT_SPATIAL = tuple(mask_of(*(one for one in LAYERS if one.spatial == at)) for at in range(MAX_LAYERS))
"""The layers of one spatial index."""
FROM = {
    layer: mask_of(
        *(one for one in LAYERS if one.spatial >= layer.spatial and one.temporal >= layer.temporal)
    )
    for layer in LAYERS
}
"""The layers that are at or above one, both ways."""


class Mark(NamedTuple):
    """What was read of one packet.

    `needed` is the mask of the layers it belongs to, `final` of those for which it is the last of a picture.
    `key`: it begins a picture that anybody can start with. `picture` is the picture's number where dropping
    pictures must leave no gap in them.
    """

    layer: Layer
    needed: int
    final: int
    starts_frame: bool
    key: bool
    picture: int | None = None


class LayerRate(NamedTuple):
    """What it takes to carry a layer with all that it depends on, in bits per second."""

    layer: Layer
    bitrate: int


def cumulative_rates(octets: Mapping[tuple[Layer, int], int], seconds: float) -> tuple[LayerRate, ...]:
    """From the octets of each (layer, mask of who needs it) in a stretch of time, lowest layer first."""
    present = sorted({layer for layer, _ in octets})
    return tuple(
        LayerRate(
            layer, round(8 * sum(n for (_, mask), n in octets.items() if mask >> layer.bit & 1) / seconds)
        )
        for layer in present
    )


def together(layers: Collection[Layer], *, nested: bool) -> Layer | None:
    """The least layer that has everything of these; None for none of them.

    `nested`: who is at a layer has everything of the lower ones too. Otherwise only all of the encoding has
    two spatial layers.
    """
    if not layers:
        return None
    spatial = {one.spatial for one in layers}
    if WHOLE in layers or (len(spatial) > 1 and not nested):
        return WHOLE
    return Layer(max(spatial), max(one.temporal for one in layers))


def nearest(wanted: Layer, present: tuple[Layer, ...]) -> Layer:
    """The best layer present that is not above `wanted`, else the lowest; `wanted` where none is."""
    fitting = [one for one in present if one.spatial <= wanted.spatial and one.temporal <= wanted.temporal]
    if fitting:
        return max(fitting)
    return min(present) if present else wanted
