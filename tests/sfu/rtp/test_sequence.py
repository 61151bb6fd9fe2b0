"""Numbers that wrap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sfu.rtp.sequence import (
    extend,
    extend_timestamp,
    sequence_difference,
    sequence_newer,
    timestamp_difference,
    timestamp_newer,
)

sequences = st.integers(0, 0xFFFF)
timestamps = st.integers(0, 0xFFFFFFFF)


@given(sequences, st.integers(-32768, 32767))
def test_a_difference_is_what_was_added(start: int, step: int) -> None:
    assert sequence_difference((start + step) & 0xFFFF, start) == step


@given(timestamps, st.integers(-(2**31), 2**31 - 1))
def test_a_timestamps_difference_is_what_was_added(start: int, step: int) -> None:
    assert timestamp_difference((start + step) & 0xFFFFFFFF, start) == step


@given(sequences, sequences)
def test_of_two_sequence_numbers_at_most_one_is_newer(a: int, b: int) -> None:
    assert sequence_newer(a, b) == (sequence_difference(a, b) > 0)
    assert not (sequence_newer(a, b) and sequence_newer(b, a))


@given(timestamps, timestamps)
def test_of_two_timestamps_at_most_one_is_newer(a: int, b: int) -> None:
    assert timestamp_newer(a, b) == (timestamp_difference(a, b) > 0)
    assert not (timestamp_newer(a, b) and timestamp_newer(b, a))


@given(st.integers(0, 2**40), st.integers(-32768, 32767))
def test_extending_finds_the_nearest_number(highest: int, step: int) -> None:
    assert extend((highest + step) & 0xFFFF, highest) == highest + step


@given(st.integers(0, 2**60), st.integers(-(2**31), 2**31 - 1))
def test_extending_a_timestamp_finds_the_nearest_number(highest: int, step: int) -> None:
    assert extend_timestamp((highest + step) & 0xFFFFFFFF, highest) == highest + step


def test_the_wrap_itself() -> None:
    assert sequence_newer(0, 0xFFFF)
    assert not sequence_newer(0xFFFF, 0)
    assert not sequence_newer(5, 5)
    assert not sequence_newer(0x8000, 0)
    assert not sequence_newer(0, 0x8000)
    assert extend(3, 0x1FFFE) == 0x20003
    assert extend(0xFFFE, 0x20003) == 0x1FFFE
