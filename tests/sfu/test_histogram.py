"""Counts by bucket: nothing is lost, and a value on a bound belongs below it, as Prometheus has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.histogram import Histogram


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 50))))
def test_everything_is_counted_once(values: list[tuple[float, int]]) -> None:
    histogram = Histogram((0.1, 1.0, 5.0))
    for value, weight in values:
        histogram.observe(value, weight)
    assert sum(histogram.counts) == sum(weight for _, weight in values)
    assert histogram.total == pytest.approx(sum(value * weight for value, weight in values))


def test_a_value_on_a_bound_is_in_the_bucket_below_it_and_one_above_all_in_the_last() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.1, 0.11, 1.0, 1.1):
        histogram.observe(value)
    assert histogram.counts == [1, 2, 1]


def test_several_add_up() -> None:
    one, other = Histogram((1.0,)), Histogram((1.0,))
    one.observe(0.5, 3)
    other.observe(2.0)
    both = Histogram((1.0,)).add((one, other))
    assert (both.counts, both.total) == ([3, 1], 3.5)
