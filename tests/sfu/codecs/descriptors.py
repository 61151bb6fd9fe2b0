"""Dependency descriptors printed bit by bit, for tests: the other way round than the node reads them."""

from __future__ import annotations

from collections.abc import Sequence

from sfu.codecs.dependency import Structure, Template


class BitWriter:
    def __init__(self) -> None:
        self._text = ""

    def put(self, value: int, count: int) -> None:
        if count:
            self._text += f"{value:0{count}b}"

    def put_non_symmetric(self, value: int, size: int) -> None:
        width = size.bit_length()
        short = (1 << width) - size
        if value < short:
            self.put(value, width - 1)
        else:
            self.put(value + short >> 1, width - 1)
            self.put(value + short & 1, 1)

    def to_bytes(self) -> bytes:
        text = self._text + "0" * (-len(self._text) % 8)
        return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def build(
    template_id: int,
    number: int,
    *,
    starts: bool = True,
    ends: bool = True,
    structure: Structure | None = None,
    active: tuple[int, int] | None = None,
    dtis: Sequence[int] = (),
    fdiffs: Sequence[int] | None = None,
    chains: Sequence[int] = (),
) -> bytes:
    """`active` is (mask, number of decode targets); the rest says what differs from the template."""
    bits = BitWriter()
    for value, count in ((starts, 1), (ends, 1), (template_id, 6), (number & 0xFFFF, 16)):
        bits.put(int(value), count)
    if structure is None and active is None and not dtis and fdiffs is None and not chains:
        return bits.to_bytes()
    for flag in (structure is not None, active is not None, bool(dtis), fdiffs is not None, bool(chains)):
        bits.put(int(flag), 1)
    if structure is not None:
        _put_structure(bits, structure)
    if active is not None:
        bits.put(*active)
    for dti in dtis:
        bits.put(dti, 2)
    if fdiffs is not None:
        for fdiff in fdiffs:
            size = 1 if fdiff <= 16 else 2 if fdiff <= 256 else 3
            bits.put(size, 2)
            bits.put(fdiff - 1, 4 * size)
        bits.put(0, 2)
    for chain in chains:
        bits.put(chain, 8)
    return bits.to_bytes()


def _put_structure(bits: BitWriter, structure: Structure) -> None:
    templates = structure.templates
    bits.put(structure.id_offset, 6)
    bits.put(len(structure.targets) - 1, 5)
    for one, after in zip(templates, (*templates[1:], None), strict=True):
        if after is None:
            bits.put(3, 2)
        elif after.spatial > one.spatial:
            bits.put(2, 2)
        else:
            bits.put(int(after.temporal > one.temporal), 2)
    for one in templates:
        for dti in one.dtis:
            bits.put(dti, 2)
    for one in templates:
        for fdiff in one.fdiffs:
            bits.put(1, 1)
            bits.put(fdiff - 1, 4)
        bits.put(0, 1)
    bits.put_non_symmetric(structure.chain_count, len(structure.targets) + 1)
    if structure.chain_count:
        for chain in structure.protected_by:
            bits.put_non_symmetric(chain, structure.chain_count)
        for one in templates:
            for chain in one.chains:
                bits.put(chain, 4)
    bits.put(int(bool(structure.resolutions)), 1)
    for width, height in structure.resolutions:
        bits.put(width - 1, 16)
        bits.put(height - 1, 16)


def template(
    layer: tuple[int, int], dtis: str, fdiffs: Sequence[int] = (), chains: Sequence[int] = ()
) -> Template:
    """`dtis` as the specification writes them: "-" absent, "D" discardable, "S" switch, "R" required."""
    return Template(*layer, tuple("-DSR".index(one) for one in dtis), tuple(fdiffs), tuple(chains))


L1T3 = Structure(
    id_offset=0,
    templates=(
        template((0, 0), "SSS", (), (0,)),
        template((0, 0), "SSS", (4,), (4,)),
        template((0, 1), "-DS", (2,), (2,)),
        template((0, 2), "--D", (1,), (1,)),
        template((0, 2), "--D", (1,), (3,)),
    ),
    targets=((0, 0), (0, 1), (0, 2)),
    protected_by=(0, 0, 0),
    chain_count=1,
    resolutions=((640, 360),),
)
L2T1_KEY = Structure(
    id_offset=7,
    templates=(
        template((0, 0), "S-", (2,), (2, 1)),
        template((0, 0), "SS", (), (0, 0)),
        template((1, 0), "-S", (2,), (1, 2)),
        template((1, 0), "-S", (1,), (1, 1)),
    ),
    targets=((0, 0), (1, 0)),
    protected_by=(0, 1),
    chain_count=2,
    resolutions=((320, 180), (640, 360)),
)
