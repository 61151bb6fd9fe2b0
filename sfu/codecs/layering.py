"""Reading the layers of a stream, packet by packet: one `LayerReader` for each encoding.

A reader remembers what later packets are read by (structures, where a picture began), so it is given every
packet once, in order. A late one is read with `late=True` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sfu.codecs import dependency, h264, h265, keyframe_test, vp8, vp9
from sfu.codecs.dependency import ABSENT, SWITCH, Structure
from sfu.errors import CodecError
from sfu.layers import ALL, AT_SPATIAL, BASE, FROM, LAYERS, WHOLE, Layer, Mark

HISTORY = 256
"""Frames whose receivers are remembered, for those that refer to them."""
MAX_MASKS = 512
DROPPABLE = Layer(0, 1)
"""Where a stream tells nothing but that: the pictures that no other refers to."""
TOP_MISSED = 5
"""Pictures in a row that end below the highest spatial layer, after which that is gone: an encoder that is
short of bits leaves it out of one or two."""


class LayerReader(Protocol):
    """`top` is the highest layer known; `nested`: who is at a layer has everything of the lower ones too."""

    top: Layer
    nested: bool

    def read(self, timestamp: int, marker: int, tail: bytes, payload: bytes, *, late: bool = False) -> Mark:
        """What a packet is and for whom. Whatever cannot be read is for everybody."""
        ...

    def reach(self, origin: Layer, wanted: Layer) -> Layer | None:
        """Where a receiver at `origin` may go from the frame that the last packet read began.

        `wanted`, or a step towards it, or None to stay.
        """
        ...

    def handle_top(self, spatial: int) -> None:
        """Which spatial layer is the highest, where not all of them come to here. From then on nothing is
        made of it that one does not come."""
        ...


def needs_keyframe(reader: LayerReader, origin: Layer, wanted: Layer) -> bool:
    """Whether the way from one layer to another leads over a key frame for certain."""
    come, go = origin.within(reader.top).spatial, wanted.within(reader.top).spatial
    return go > come or (go < come and not reader.nested)


def _unread(marker: int, *, key: bool) -> Mark:
    return Mark(BASE, ALL, ALL if marker else 0, starts_frame=True, key=key)


class PlainReader:
    """Of a codec without layers."""

    def __init__(self, starts_keyframe: Callable[[bytes], bool]) -> None:
        self.top = BASE
        self.nested = True
        self._starts_keyframe = starts_keyframe

    def read(self, timestamp: int, marker: int, tail: bytes, payload: bytes, *, late: bool = False) -> Mark:
        return _unread(marker, key=self._starts_keyframe(payload))

    def reach(self, origin: Layer, wanted: Layer) -> Layer | None:
        return wanted

    def handle_top(self, spatial: int) -> None:
        """There is but one."""


class Vp8Reader:
    """Temporal layers by the payload descriptor. Upwards one layer at a time, at frames that say "sync": what
    follows in that layer refers to nothing of it from before."""

    def __init__(self) -> None:
        self.top = BASE
        self.nested = True
        self._sync: int | None = None
        """The temporal layer of the frame begun last, where one may go up to it."""
        self._inner: bytes | tuple[()] = ()
        """The descriptor of the last packet read, if it was an inner one of its frame; no payload starts with
        an empty tuple."""
        self._mark = Mark(BASE, ALL, 0, starts_frame=False, key=False)

    def read(self, timestamp: int, marker: int, tail: bytes, payload: bytes, *, late: bool = False) -> Mark:
        if not (marker or late) and payload.startswith(self._inner):
            # The frame goes on: most packets are like the one before.
            return self._mark
        self._inner = ()
        try:
            descriptor = vp8.parse_descriptor(payload)
        except CodecError:
            return _unread(marker, key=False)._replace(starts_frame=False)
        temporal = descriptor.temporal or 0
        if not late:
            if temporal > self.top.temporal:
                self.top = Layer(0, temporal)
            self._sync = temporal if descriptor.layer_sync else None
        layer = Layer(0, temporal)
        starts = descriptor.starts_frame
        key = starts and vp8.starts_keyframe(payload)
        mark = Mark(layer, FROM[layer], ALL if marker else 0, starts, key, descriptor.picture_id)
        if not (marker or late or starts):
            self._inner = payload[: descriptor.length]
            self._mark = mark
        return mark

    def reach(self, origin: Layer, wanted: Layer) -> Layer | None:
        if wanted.temporal <= origin.temporal:
            return wanted
        sync = self._sync
        if sync is None or not sync - 1 <= origin.temporal < sync <= wanted.temporal:
            return None
        return wanted if sync >= self.top.temporal else Layer(wanted.spatial, sync)

    def handle_top(self, spatial: int) -> None:
        """There is but one."""


class Vp9Reader:
    """Spatial and temporal layers by the payload descriptor.

    Where frames say that no higher layer refers to them (Z: K-SVC between key pictures), a receiver of a
    higher layer is spared them, and can come down at a key picture only. A key picture does not say whether
    that goes on; the next picture does, and until then nothing has changed.
    """

    def __init__(self) -> None:
        self.top = BASE
        self.nested = True
        self._open = True
        """Whether no picture since the last key picture has said if the layers are nested."""
        self._told_top = False
        self._timestamp = -1
        self._begins_picture = False
        self._switching: int | None = None
        self._missed = 0
        """Pictures without the highest spatial layer, one after the other; and the highest they had."""
        self._highest = 0

    def read(self, timestamp: int, marker: int, tail: bytes, payload: bytes, *, late: bool = False) -> Mark:
        try:
            descriptor = vp9.parse_descriptor(payload)
        except CodecError:
            return _unread(marker, key=False)._replace(starts_frame=False)
        layer = Layer(descriptor.spatial, descriptor.temporal)
        key = descriptor.starts_frame and not descriptor.predicted and layer.spatial == 0
        if not late:
            self._learn(descriptor, layer, timestamp, key=key)
            if marker and not self.nested and not self._told_top:
                self._look_for_top(layer.spatial)
        needed = FROM[layer]
        if descriptor.no_upper_reference and layer.spatial < self.top.spatial:
            needed &= AT_SPATIAL[layer.spatial]
        final = ALL if marker else AT_SPATIAL[layer.spatial] if descriptor.ends_frame else 0
        return Mark(layer, needed, final, descriptor.starts_frame, key)

    def _learn(self, descriptor: vp9.Vp9Descriptor, layer: Layer, timestamp: int, *, key: bool) -> None:
        if key:
            self._open = True
            if descriptor.scalability is not None:
                self.top = Layer(descriptor.scalability.spatial_layers - 1, self.top.temporal)
        self.top = Layer(max(self.top.spatial, layer.spatial), max(self.top.temporal, layer.temporal))
        if descriptor.predicted and layer.spatial < self.top.spatial:
            if descriptor.no_upper_reference:
                self.nested = False
            elif self._open:
                self.nested = True
            self._open = False
        if descriptor.starts_frame:
            self._begins_picture = timestamp != self._timestamp
            self._switching = layer.temporal if descriptor.switching_point else None
        self._timestamp = timestamp

    def handle_top(self, spatial: int) -> None:
        self._told_top = True
        self.top = Layer(spatial, self.top.temporal)

    def _look_for_top(self, ended_at: int) -> None:
        """The highest layer may be given up between key pictures, and nothing says so but that pictures end
        without it."""
        if ended_at >= self.top.spatial:
            self._missed = self._highest = 0
            return
        self._highest = max(self._highest, ended_at)
        self._missed += 1
        if self._missed == TOP_MISSED:
            self.top = Layer(self._highest, self.top.temporal)
            self._missed = self._highest = 0

    def reach(self, origin: Layer, wanted: Layer) -> Layer | None:
        come, go = origin.within(self.top), wanted.within(self.top)
        if not self._begins_picture and (go.spatial != come.spatial or go.temporal <= come.temporal):
            return None
        if go.spatial > come.spatial or (go.spatial < come.spatial and not self.nested):
            return None
        if go.temporal <= come.temporal:
            return wanted
        if self._switching is not None and self._switching <= come.temporal:
            return wanted
        return None if go.spatial == come.spatial else Layer(wanted.spatial, origin.temporal)


class DescribedReader:
    """Layers by the dependency descriptor, whatever the codec. Without one, all is for everybody, but for the
    pictures that are `droppable`: no other refers to them, so they are a temporal layer above the rest, which
    one may leave and join at any picture."""

    def __init__(
        self,
        find: Callable[[bytes], bytes | None],
        starts_keyframe: Callable[[bytes], bool],
        droppable: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._droppable = droppable
        self._spared = False
        """Whether the picture begun last is one that may be dropped."""
        self.top = BASE
        self.nested = True
        self._find = find
        self._starts_keyframe = starts_keyframe
        self._structure: Structure | None = None
        self._targets: tuple[int, ...] = ()
        """The decode target for each layer, by its bit."""
        self._masks: dict[tuple[int, ...], tuple[int, int]] = {}
        """By the indications of a frame: who needs it, and who may go on from it."""
        self._needed: list[tuple[int, int]] = [(-1, 0)] * HISTORY
        """(frame number, who has it), by number."""
        self._timestamp = -1
        self._begins_picture = False
        self._entry = self._origins = 0
        """Of the frame begun last: which layers may be entered, and from which."""

    def read(self, timestamp: int, marker: int, tail: bytes, payload: bytes, *, late: bool = False) -> Mark:
        data = self._find(tail)
        if data is None:
            return self._read_plain(timestamp, marker, payload, late=late)
        try:
            descriptor = dependency.parse_descriptor(data, self._structure)
        except CodecError:
            return _unread(marker, key=False)._replace(starts_frame=False)
        key = dependency.carries_structure(data)
        if descriptor.structure is not None and not late and descriptor.structure != self._structure:
            self._adopt(descriptor.structure)
        if self._structure is None:
            return _unread(marker, key=key)
        frame = descriptor.frame
        if len(frame.dtis) != len(self._structure.targets):
            # A late packet of a structure that is no longer.
            return _unread(marker, key=False)._replace(starts_frame=False)
        needed, entry = self._masks_of(frame.dtis)
        if not late:
            self._needed[descriptor.number % HISTORY] = (descriptor.number, needed)
            if descriptor.starts_frame:
                self._begins_picture = timestamp != self._timestamp
                self._entry = entry
                self._origins = self._who_has(descriptor.number, frame.fdiffs)
            self._timestamp = timestamp
        final = ALL if marker else self._final(frame.spatial) if descriptor.ends_frame else 0
        return Mark(Layer(frame.spatial, frame.temporal), needed, final, descriptor.starts_frame, key)

    def _read_plain(self, timestamp: int, marker: int, payload: bytes, *, late: bool) -> Mark:
        """A picture goes as a whole: what comes in front of its slices, and is not theirs alone, keeps it."""
        mark = _unread(marker, key=self._starts_keyframe(payload))
        droppable = self._droppable is not None and self._structure is None and self._droppable(payload)
        if not late:
            self._begins_picture = timestamp != self._timestamp
            self._timestamp = timestamp
            self._spared = droppable and (self._begins_picture or self._spared)
            droppable = self._spared
        if not droppable:
            return mark
        if not late:
            self.top = DROPPABLE
        return mark._replace(layer=DROPPABLE, needed=FROM[DROPPABLE])

    def reach(self, origin: Layer, wanted: Layer) -> Layer | None:
        structure = self._structure
        if structure is None:
            return wanted if self._begins_picture or self.top == BASE else None
        come, go = self._targets[origin.bit], self._targets[wanted.bit]
        moves_sideways = structure.targets[come][0] != structure.targets[go][0]
        if self._begins_picture and self._contains(come, go):
            return wanted
        if moves_sideways and not self._begins_picture:
            return None
        if self._entry >> wanted.bit & 1 and self._origins >> origin.bit & 1:
            return wanted
        step = Layer(wanted.spatial, min(wanted.temporal, origin.temporal))
        if (
            self._begins_picture
            and step not in (wanted, origin)
            and self._contains(come, self._targets[step.bit])
        ):
            return step
        return None

    def handle_top(self, spatial: int) -> None:
        """The structure says it."""

    def _adopt(self, structure: Structure) -> None:
        self._structure = structure
        self.top = Layer(
            max(spatial for spatial, _ in structure.targets),
            max(temporal for _, temporal in structure.targets),
        )
        targets = structure.targets
        self._targets = tuple(_target_for(layer, targets) for layer in LAYERS)
        self._masks.clear()
        self.nested = all(
            self._contains(high, low)
            for low, (spatial, temporal) in enumerate(targets)
            for high, (above, faster) in enumerate(targets)
            if above > spatial and faster >= temporal
        )

    def _masks_of(self, dtis: tuple[int, ...]) -> tuple[int, int]:
        masks = self._masks.get(dtis)
        if masks is None:
            needed = entry = 0
            for bit, target in enumerate(self._targets):
                needed |= (dtis[target] != ABSENT) << bit
                entry |= (dtis[target] == SWITCH) << bit
            if len(self._masks) >= MAX_MASKS:
                self._masks.clear()
            masks = self._masks[dtis] = (needed, entry)
        return masks

    def _who_has(self, number: int, fdiffs: tuple[int, ...]) -> int:
        """The layers whose receivers got every frame that this one refers to."""
        mask = ALL
        for fdiff in fdiffs:
            wanted = (number - fdiff) & 0xFFFF
            found, needed = self._needed[wanted % HISTORY]
            mask &= needed if found == wanted else 0
        return mask

    def _final(self, spatial: int) -> int:
        assert self._structure is not None
        targets = self._structure.targets
        return sum(1 << bit for bit, target in enumerate(self._targets) if targets[target][0] == spatial)

    def _contains(self, outer: int, inner: int) -> bool:
        """Whether who decodes the one target has every frame of the other, by the templates."""
        assert self._structure is not None
        return all(
            template.dtis[outer] != ABSENT
            for template in self._structure.templates
            if template.dtis[inner] != ABSENT
        )


def _target_for(layer: Layer, targets: tuple[tuple[int, int], ...]) -> int:
    """The best decode target not above a layer; the lowest of all where every one is above it."""
    fitting = [
        (one, index)
        for index, one in enumerate(targets)
        if one[0] <= layer.spatial and one[1] <= layer.temporal
    ]
    return max(fitting)[1] if fitting else min((one, index) for index, one in enumerate(targets))[1]


def reader_for(mime: str, find_descriptor: Callable[[bytes], bytes | None]) -> LayerReader:
    """`find_descriptor` gets the dependency descriptor out of a packet's extension tail."""
    name = mime.lower()
    if name == "video/vp8":
        return Vp8Reader()
    if name == "video/vp9":
        return Vp9Reader()
    if name == "video/av1":
        return DescribedReader(find_descriptor, keyframe_test(mime))
    if name == "video/h264":
        return DescribedReader(find_descriptor, keyframe_test(mime), h264.is_droppable)
    if name == "video/h265":
        return DescribedReader(find_descriptor, keyframe_test(mime), h265.DroppableTest())
    return PlainReader(keyframe_test(mime))


def is_whole(reader: LayerReader, layer: Layer) -> bool:
    """Whether a layer is everything there is: the highest, and nothing to be spared below it."""
    return layer == WHOLE or (reader.nested and layer.within(reader.top) == reader.top)
