"""The score: its promises by property, what it stands for by example."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.quality.score import BEST, Gauge, Sample, score

share = st.floats(0, 1)
seconds = st.floats(0, 10)
samples = st.builds(
    Sample,
    kind=st.sampled_from(("audio", "video")),
    loss=share,
    repaired=share,
    jitter=seconds,
    rtt=seconds,
    fill=st.floats(0, 2),
    frozen=share,
    pictures_lost=st.floats(0, 20),
)
WORSE_WHEN_HIGHER = ("loss", "repaired", "jitter", "rtt", "frozen", "pictures_lost")


@given(samples)
def test_a_score_is_between_0_and_10(sample: Sample) -> None:
    assert 0.0 <= score(sample) <= 10.0


@pytest.mark.parametrize("name", WORSE_WHEN_HIGHER)
@given(sample=samples, more=st.floats(0, 10))
def test_nothing_gets_better_because_something_got_worse(name: str, sample: Sample, more: float) -> None:
    worse = replace(sample, **{name: getattr(sample, name) + more})
    assert score(worse) <= score(sample) + 1e-9


@given(sample=samples, less=st.floats(0, 2))
def test_a_lower_bitrate_is_no_better(sample: Sample, less: float) -> None:
    assert score(replace(sample, fill=max(0.0, sample.fill - less))) <= score(sample) + 1e-9


def test_a_perfect_stream_scores_10_and_one_that_stands_still_0() -> None:
    assert score(Sample("video")) == BEST
    assert score(Sample("video", frozen=1.0)) == 0.0


def test_speech_stands_losses_better_than_a_picture() -> None:
    assert score(Sample("audio", loss=0.05)) > score(Sample("video", loss=0.05))


def test_what_was_repaired_costs_less_than_what_was_lost() -> None:
    assert score(Sample("video", repaired=0.05)) > 8 > score(Sample("video", loss=0.05))


@given(st.lists(samples, max_size=60))
def test_what_is_told_is_a_whole_number_from_0_to_10_and_another_one_each_time(history: list[Sample]) -> None:
    gauge = Gauge()
    told = [BEST]
    for sample in history:
        found = gauge.handle(sample, 2.0)
        if found is not None:
            told.append(found)
    assert all(0 <= one <= BEST for one in told)
    assert all(one != other for one, other in itertools.pairwise(told))


def test_a_score_that_wavers_about_a_half_is_told_once() -> None:
    gauge = Gauge()
    told = []
    for step in range(200):
        sample = Sample("audio", loss=0.05 + (0.004 if step % 2 else -0.004))
        found = gauge.handle(sample, 2.0)
        if found is not None:
            told.append(found)
    assert told == [9, 8], "on the way there, and then never again"


def test_worse_is_believed_sooner_than_better() -> None:
    gauge = Gauge()
    falling = 0
    while gauge.told > 3:
        gauge.handle(Sample("video", frozen=1.0), 2.0)
        falling += 1
    rising = 0
    while gauge.told < BEST:
        gauge.handle(Sample("video"), 2.0)
        rising += 1
    assert falling < rising < 30
