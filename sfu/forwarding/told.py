"""What the origin of a piped encoding says of it.

To here comes no more than is wanted here, so what is missing says nothing: which layers there are and what
they take, only the origin knows.
"""

from __future__ import annotations

from sfu.layers import WHOLE, Layer, LayerRate

TOLD_FOR = 2.5
"""Seconds for which the word about a layer counts; it is repeated every half second."""


class Told:
    """`rates` and `rate` are like those of `sfu.forwarding.reading.Reading`, empty until the origin says more
    than that there is one layer. `revision` is another number whenever there are other layers."""

    __slots__ = ("_said", "carried", "rate", "rates", "revision")

    def __init__(self) -> None:
        self.rates: tuple[LayerRate, ...] = ()
        self.rate = 0
        self.carried: Layer | None = None
        """What comes to here, from the next key frame on at the latest; None where nothing was said."""
        self.revision = 0
        self._said: dict[Layer, tuple[int, float]] = {}
        """By layer: bits per second, and when that was said."""

    def handle_rate(self, layer: Layer, bitrate: int, now: float) -> None:
        """0: it is not sent any more. Of `WHOLE`: what all of the encoding takes."""
        if layer == WHOLE:
            self.rate = bitrate
        elif bitrate:
            self._said[layer] = (bitrate, now)
        else:
            self._said.pop(layer, None)

    def settle(self, now: float) -> None:
        """On a tick: what was said since, and what is too old to count."""
        if not self._said and not self.rates:
            return
        self._said = {layer: said for layer, said in self._said.items() if now - said[1] < TOLD_FOR}
        before = [rate.layer for rate in self.rates]
        self.rates = tuple(LayerRate(layer, self._said[layer][0]) for layer in sorted(self._said))
        self.revision += before != [rate.layer for rate in self.rates]
