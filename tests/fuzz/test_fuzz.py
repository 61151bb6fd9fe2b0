"""The short form: every target on its seeds, on what was once found, and on seeded mutations."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz import authentic, media, text, wire
from tests.fuzz.mutation import inputs
from tests.fuzz.target import Target, joined, parts

TARGETS = (*wire.TARGETS, *authentic.TARGETS, *media.TARGETS, *text.TARGETS)
FINDINGS = Path(__file__).parent / "findings"
COUNTS = {"dtls": 150, "dtls-record": 200, "repeated-check": 1000, "rtp": 800, "sdp": 250}
"""Fewer for targets whose every input makes keys or a world."""
COUNT = 1500


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.asvs("17.2.4")
def test_nothing_that_comes_from_outside_raises_what_is_not_documented(target: Target) -> None:
    chance = random.Random(target.name)
    for data in inputs(target.seeds(), COUNTS.get(target.name, COUNT), chance):
        try:
            target.run(data)
        except Exception as error:
            pytest.fail(f"{type(error).__name__}: {error}; input: {data.hex()}")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_was_found_once_stays_mended(target: Target) -> None:
    for path in sorted(FINDINGS.glob(f"{target.name}.*.hex")):
        target.run(bytes.fromhex(path.read_text()))


def test_every_finding_belongs_to_a_target() -> None:
    names = {target.name for target in TARGETS}
    assert {path.name.split(".")[0] for path in FINDINGS.glob("*.hex")} <= names


def test_an_input_comes_apart_into_the_packets_it_was_joined_of() -> None:
    packets = [b"one", b"", b"three"]
    assert parts(joined(packets)) == packets
