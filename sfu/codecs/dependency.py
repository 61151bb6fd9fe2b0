"""The dependency descriptor, an RTP header extension (AOM "RTP Payload Format For AV1", appendix A).

It says of a frame, whatever its codec and even when the payload is encrypted, which others it refers to and
for which *decode targets* (what a receiver may choose to decode) it is needed. Most of that stands in
templates, which a key frame carries and later frames name by number:

     start_of_frame(1) end_of_frame(1) template_id(6) frame_number(16)      every packet: 3 bytes
     structure_present(1) active_targets_present(1) custom_dtis(1) custom_fdiffs(1) custom_chains(1)
     [template structure] [active decode targets] [dtis] [fdiffs] [chains]

A frame's part in a decode target: absent from it, discardable (nobody refers to it), a switch (who decodes it
may go on with the target), or required.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sfu.codecs.bits import BitReader
from sfu.codecs.counters import Counters
from sfu.errors import CodecError

ABSENT: Final = 0
DISCARDABLE: Final = 1
SWITCH: Final = 2
REQUIRED: Final = 3

MANDATORY_BYTES = 3
MAX_TEMPLATES = 64
MAX_FDIFFS = 64
_NEXT_TEMPORAL, _NEXT_SPATIAL, _NO_MORE = 1, 2, 3


class Template(NamedTuple):
    """A kind of frame: its layer, `dtis` by decode target, `fdiffs` and chain differences in frames."""

    spatial: int
    temporal: int
    dtis: tuple[int, ...]
    fdiffs: tuple[int, ...]
    chains: tuple[int, ...]


class Structure(NamedTuple):
    """Everything that stays the same until the next key frame."""

    id_offset: int
    templates: tuple[Template, ...]
    targets: tuple[tuple[int, int], ...]
    """The (spatial, temporal) layer of each decode target."""
    protected_by: tuple[int, ...]
    """The chain of each decode target; empty without chains."""
    chain_count: int
    resolutions: tuple[tuple[int, int], ...]
    """(width, height) by spatial layer, where told."""

    def template(self, template_id: int) -> Template:
        """Raises `CodecError` for a template that there is none of."""
        index = (template_id - self.id_offset) % MAX_TEMPLATES
        if index >= len(self.templates):
            raise CodecError("a dependency descriptor names a template that its structure lacks")
        return self.templates[index]


class Descriptor(NamedTuple):
    """Of one packet. `structure` and `active` only where the descriptor carries them."""

    starts_frame: bool
    ends_frame: bool
    template_id: int
    number: int
    structure: Structure | None
    active: int | None
    """Bit n set: decode target n is being sent."""
    frame: Template
    """Its template, with what the descriptor says otherwise."""


class _Bits(BitReader):
    __slots__ = ()

    def read_non_symmetric(self, size: int) -> int:
        """A value below `size` in as few bits as it may take: ns(n) of the AV1 specification, 4.10.7."""
        width = size.bit_length()
        short = (1 << width) - size
        value = self.read(width - 1)
        return value if value < short else (value << 1) - short + self.read(1)


def parse_descriptor(data: bytes, known: Structure | None) -> Descriptor:
    """Read the element of one packet under the structure of the last key frame.

    Raises `CodecError`, also for a descriptor that needs a structure while none is known.
    """
    bits = _Bits(data)
    starts, ends = bool(bits.read(1)), bool(bits.read(1))
    template_id, number = bits.read(6), bits.read(16)
    carried: Structure | None = None
    active: int | None = None
    custom_dtis = custom_fdiffs = custom_chains = 0
    if len(data) > MANDATORY_BYTES:
        has_structure, has_active = bits.read(1), bits.read(1)
        custom_dtis, custom_fdiffs, custom_chains = bits.read(1), bits.read(1), bits.read(1)
        if has_structure:
            carried = known = _read_structure(bits)
            active = (1 << len(carried.targets)) - 1
        if has_active and known is not None:
            active = bits.read(len(known.targets))
    if known is None:
        raise CodecError("a dependency descriptor without a structure to read it by")
    frame = known.template(template_id)
    if custom_dtis:
        frame = frame._replace(dtis=tuple(bits.read(2) for _ in known.targets))
    if custom_fdiffs:
        frame = frame._replace(fdiffs=_read_custom_fdiffs(bits))
    if custom_chains:
        frame = frame._replace(chains=tuple(bits.read(8) for _ in range(known.chain_count)))
    return Descriptor(starts, ends, template_id, number, carried, active, frame)


def carries_structure(data: bytes) -> bool:
    """Whether a coded video sequence begins here: with the templates, at the start of a frame."""
    return len(data) > MANDATORY_BYTES and bool(data[0] & 0x80) and bool(data[3] & 0x80)


def find_counters(data: bytes, start: int) -> Counters:
    """The frame number of the descriptor that stands in `data` from `start` on."""
    return Counters(start + 1, start + 3, data[start + 1] << 8 | data[start + 2], 16, b"", None)


def _read_structure(bits: _Bits) -> Structure:
    id_offset = bits.read(6)
    target_count = bits.read(5) + 1
    layers = _read_layers(bits)
    dtis = [tuple(bits.read(2) for _ in range(target_count)) for _ in layers]
    fdiffs = [_read_template_fdiffs(bits) for _ in layers]
    chain_count = bits.read_non_symmetric(target_count + 1)
    protected_by: tuple[int, ...] = ()
    chains: list[tuple[int, ...]] = [() for _ in layers]
    if chain_count:
        protected_by = tuple(bits.read_non_symmetric(chain_count) for _ in range(target_count))
        chains = [tuple(bits.read(4) for _ in range(chain_count)) for _ in layers]
    resolutions: tuple[tuple[int, int], ...] = ()
    if bits.read(1):
        resolutions = tuple((bits.read(16) + 1, bits.read(16) + 1) for _ in range(layers[-1][0] + 1))
    templates = tuple(
        Template(spatial, temporal, *rest)
        for (spatial, temporal), *rest in zip(layers, dtis, fdiffs, chains, strict=True)
    )
    targets = tuple(_target_layer(templates, target) for target in range(target_count))
    return Structure(id_offset, templates, targets, protected_by, chain_count, resolutions)


def _read_layers(bits: _Bits) -> list[tuple[int, int]]:
    spatial = temporal = 0
    layers: list[tuple[int, int]] = []
    while True:
        layers.append((spatial, temporal))
        step = bits.read(2)
        if step == _NO_MORE:
            return layers
        if step == _NEXT_TEMPORAL:
            temporal += 1
        elif step == _NEXT_SPATIAL:
            spatial, temporal = spatial + 1, 0
        if len(layers) == MAX_TEMPLATES or spatial > 7 or temporal > 7:
            raise CodecError("a dependency descriptor has more templates or layers than there can be")


def _read_template_fdiffs(bits: _Bits) -> tuple[int, ...]:
    fdiffs: list[int] = []
    while bits.read(1):
        fdiffs.append(bits.read(4) + 1)
        _check_fdiffs(fdiffs)
    return tuple(fdiffs)


def _read_custom_fdiffs(bits: _Bits) -> tuple[int, ...]:
    fdiffs: list[int] = []
    while size := bits.read(2):
        fdiffs.append(bits.read(4 * size) + 1)
        _check_fdiffs(fdiffs)
    return tuple(fdiffs)


def _check_fdiffs(fdiffs: list[int]) -> None:
    if len(fdiffs) > MAX_FDIFFS:
        raise CodecError("a frame refers to more others than it can")


def _target_layer(templates: tuple[Template, ...], target: int) -> tuple[int, int]:
    within = [template for template in templates if template.dtis[target] != ABSENT]
    if not within:
        return 0, 0
    return max(template.spatial for template in within), max(template.temporal for template in within)
