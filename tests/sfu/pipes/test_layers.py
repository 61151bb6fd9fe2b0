"""Of an encoding with layers, no more is carried to another node than somebody there gets."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.layers import WHOLE, Layer
from sfu.rtp.pipe_report import CARRIED, RATE, SENT, VOICE, WANTED, PipeReport
from tests.sfu.forwarding.test_recorded import choices
from tests.sfu.pipes.world import TICK, PipedCamera

SCALABLE = ["vp9_l3t3", "vp9_groups_l3t3", "vp9_l3t3_key", "av1_l2t2", "av1_l3t3_key"]
"""VP9 in flexible and in non-flexible mode, and AV1; the last of each with K-SVC."""
KEYED = ["vp9_l3t3_key", "av1_l3t3_key"]
LAYERED = [*SCALABLE, "vp9_l1t3", "av1_l1t3", "vp8_l1t3", "h264_l1t3"]
BEGUN = 4.2
"""Seconds after which a watcher is there since a key frame, and the layers are known on both sides."""
SETTLED = BEGUN + 6.0
"""After two more key frames and a second's patience: one for the watcher's way down, one for the pipe's."""
END = SETTLED + 3.0


def top_of(name: str) -> Layer:
    return max(layer for _, layer in choices(name))


def layers_of(shown: list[tuple[float, Layer]], since: float) -> set[Layer]:
    return {layer for at, layer in shown if at >= since}


@pytest.mark.parametrize("name", LAYERED)
def test_what_only_a_low_layer_is_wanted_of_costs_no_more_than_that_layer(name: str) -> None:
    low, top = Layer(0, 0), top_of(name)
    camera = PipedCamera(name, seconds=END)
    watcher = camera.watch(top)
    camera.play_until(BEGUN)
    assert top in layers_of(camera.shown(watcher), 0.0)
    watcher.limit = low
    camera.play_until(SETTLED)
    assert camera.carried == low
    taken = camera.play_until(END)
    wanted, whole = camera.takes(low, SETTLED, END), camera.takes(None, SETTLED, END)
    assert 0.9 * wanted < taken < 1.1 * wanted < 0.8 * whole, (wanted, taken, whole)
    assert layers_of(camera.shown(watcher), SETTLED) == {low}
    assert top in camera.offered, "it can be had again"


@pytest.mark.parametrize("name", LAYERED)
def test_what_was_not_carried_comes_back_when_it_is_wanted_again(name: str) -> None:
    top = top_of(name)
    camera = PipedCamera(name, seconds=END + 6.0)
    watcher = camera.watch(top)
    camera.play_until(BEGUN)
    watcher.limit = Layer(0, 0)
    camera.play_until(SETTLED)
    watcher.limit = top
    camera.play_until(SETTLED + TICK)
    if top.spatial:
        assert camera.source.keyframes.wanted, "the way up leads over a key frame"
    camera.play_until(END + 3.0)
    shown = camera.shown(watcher)
    assert top in layers_of(shown, END)
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(shown)]
    assert max(gaps) < 0.5, "the low layer goes on until the other one is there"


@pytest.mark.parametrize("name", SCALABLE)
def test_who_is_at_a_low_layer_and_who_is_at_the_top_each_get_theirs(name: str) -> None:
    low, top = Layer(0, 0), top_of(name)
    camera = PipedCamera(name, seconds=END)
    high, small = camera.watch(top), camera.watch(top)
    camera.play_until(BEGUN)
    small.limit = low
    camera.play_until(END)
    assert camera.carried == WHOLE
    assert layers_of(camera.shown(small), SETTLED) == {low}
    assert top in layers_of(camera.shown(high), SETTLED)


@pytest.mark.parametrize("name", ["av1_l2t2", "av1_l3t3_key"])
def test_who_takes_no_descriptor_gets_the_lowest_spatial_layer_and_no_more_is_carried(name: str) -> None:
    top = top_of(name)
    camera = PipedCamera(name, seconds=END)
    watcher = camera.watch(top, described=False)
    camera.play_until(END)
    assert camera.carried == Layer(0, top.temporal)
    shown = layers_of(camera.shown(watcher), BEGUN)
    assert shown == {Layer(0, temporal) for temporal in range(top.temporal + 1)}


@pytest.mark.parametrize("name", KEYED)
def test_a_low_layer_that_was_spared_comes_when_somebody_goes_down_to_it(name: str) -> None:
    low, top = Layer(0, 0), top_of(name)
    camera = PipedCamera(name, seconds=END + 6.0)
    high, small = camera.watch(top), camera.watch(top)
    camera.play_until(SETTLED)
    assert camera.carried == top, "without the lower ones, which nobody looks at"
    small.limit = low
    camera.play_until(END + 3.0)
    assert camera.carried == WHOLE
    for watcher, layer in ((small, low), (high, top)):
        shown = camera.shown(watcher)
        assert layer in layers_of(shown, END)
        assert max(after - before for (before, _), (after, _) in itertools.pairwise(shown)) < 0.5


@pytest.mark.parametrize("name", KEYED)
def test_a_key_frame_before_the_origin_knows_is_not_taken_for_the_upper_layers(name: str) -> None:
    """Who went up at it would be spared the low layer from then on, and the other one does not come yet."""
    camera = PipedCamera(name, seconds=END + 6.0)
    watcher = camera.watch(top_of(name))
    camera.play_until(BEGUN)
    watcher.limit = Layer(0, 0)
    camera.play_until(SETTLED)
    assert camera.carried == Layer(0, 0)
    key = next(at for at in camera.key_frames() if at > SETTLED)
    camera.play_until(key)
    watcher.limit = top_of(name)
    watcher.consumer.set_target(watcher.limit, camera.now)
    camera.play_until(key + 1.0)
    pictures = [at for at, _ in camera.shown(watcher) if at >= key]
    assert len(pictures) > 5
    assert max(after - before for before, after in itertools.pairwise(pictures)) < 0.5


@pytest.mark.parametrize("name", SCALABLE)
def test_changing_at_any_time_over_a_bad_wire_never_breaks_a_picture(name: str) -> None:
    chance = random.Random(name)
    layers = [layer for _, layer in choices(name)]
    camera = PipedCamera(name, seconds=18.0, loss=0.02)
    watchers = [camera.watch(top_of(name)) for _ in range(2)]
    for second in range(1, 36):
        camera.play_until(second / 2)
        chance.choice(watchers).limit = chance.choice(layers)
    assert camera.wire.lost > 10
    for watcher in watchers:
        assert len(camera.shown(watcher)) > 100


@given(
    st.lists(
        st.tuples(
            st.sampled_from([WANTED, SENT, VOICE, RATE, CARRIED, 6]),
            st.integers(0, 2),
            st.one_of(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)),
        ),
        max_size=40,
    )
)
def test_whatever_the_other_end_says_is_bounded_and_harmless(said: list[tuple[int, int, int]]) -> None:
    camera = PipedCamera("vp9_l3t3", seconds=3.0)
    watcher = camera.watch(Layer(1, 2))
    (ssrc,) = camera.origin.sending["pr"].legs
    for count, (subject, step, value) in enumerate(said):
        report = PipeReport(subject, 1, ((ssrc + step, value),)).to_bytes()
        for end in (camera.far, camera.origin):
            end.rtcp_in.append(report)
        camera.play_until(0.02 * count)
    told = camera.there.encodings[0].told
    assert told is not None and len(told.rates) <= 64
    camera.play_until(3.2)
    assert camera.far.malformed <= len(said) and camera.origin.malformed <= len(said)
    assert camera.carried is not None, "the true wish has overruled it"
    assert watcher.consumer.leg.carried


def test_a_layer_that_there_cannot_be_is_refused() -> None:
    camera = PipedCamera("vp9_l3t3", seconds=3.0)
    camera.watch(Layer(1, 2))
    camera.play_until(0.1)
    (ssrc,) = camera.origin.sending["pr"].legs
    for subject, value, end in ((WANTED, 65, camera.origin), (CARRIED, 0x800, camera.far)):
        assert end.malformed == 0
        end.rtcp_in.append(PipeReport(subject, 1, ((ssrc, value),)).to_bytes())
        end.handle_batch(camera.now)
        assert end.malformed == 1
