"""Dividing an estimate: the promises by property, the order by example."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.bandwidth.allocator import Allocation, Available, Demand, Layer, Memory, Tile, allocate, ladder

NOTHING = Memory()
SIMULCAST = (100_000.0, 400_000.0, 1_500_000.0)


def camera(name: str, *rates: float, tile: Tile | None = None, **fields: object) -> Demand:
    available = tuple(Available(Layer(spatial, 0), rate) for spatial, rate in enumerate(rates or SIMULCAST))
    demand = Demand(name, "video", "camera", available, tile)
    return replace(demand, **fields)  # type: ignore[arg-type]


def microphone(name: str, rate: float = 40_000.0) -> Demand:
    return Demand(name, "audio", "microphone", (Available(Layer(0, 0), rate),))


def spatials(allocation: Allocation) -> dict[str, int | None]:
    return {
        name: None if grant.layer is None else grant.layer.spatial
        for name, grant in allocation.grants.items()
    }


def bitrate(allocation: Allocation) -> float:
    return sum(grant.bitrate for grant in allocation.grants.values())


# --- any demands -----------------------------------------------------------------------------------------

rates = st.floats(5_000, 4_000_000)


@st.composite
def video(draw: st.DrawFn, name: str) -> Demand:
    spatial_layers, temporal_layers = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    each = draw(
        st.lists(rates, min_size=spatial_layers * temporal_layers, max_size=spatial_layers * temporal_layers)
    )
    available = tuple(
        Available(Layer(number // temporal_layers, number % temporal_layers), rate)
        for number, rate in enumerate(each)
    )
    tile = draw(st.none() | st.builds(Tile, st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 2)))
    preferred = draw(st.none() | st.builds(Layer, st.integers(0, 3), st.integers(0, 3)))
    source = draw(st.sampled_from(("camera", "screen", "drone")))
    return Demand(name, "video", source, available, tile, preferred, draw(st.booleans()))


@st.composite
def all_demands(draw: st.DrawFn) -> list[Demand]:
    audios = [
        microphone(f"a{number}", draw(st.floats(0, 200_000))) for number in range(draw(st.integers(0, 4)))
    ]
    return audios + [draw(video(f"v{number}")) for number in range(draw(st.integers(0, 7)))]


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    layers = st.none() | st.builds(Layer, st.integers(0, 2), st.integers(0, 2))
    return Memory(draw(st.dictionaries(st.sampled_from([f"v{number}" for number in range(8)]), layers)))


estimates = st.floats(0, 12_000_000)


@given(estimates, all_demands(), memories())
def test_never_above_the_estimate_but_for_audio(
    estimate: float, demands: list[Demand], memory: Memory
) -> None:
    allocation = allocate(estimate, demands, memory)
    audio = sum(one.available[0].bitrate for one in demands if one.kind == "audio")
    assert bitrate(allocation) <= max(estimate, audio) * (1 + 1e-9)
    assert math.isclose(allocation.spent, bitrate(allocation), rel_tol=1e-9, abs_tol=1e-3)


@given(estimates, all_demands(), memories())
def test_audio_is_never_paused(estimate: float, demands: list[Demand], memory: Memory) -> None:
    allocation = allocate(estimate, demands, memory)
    assert all(allocation.grants[one.consumer_id].layer is not None for one in demands if one.kind == "audio")


@given(estimates, all_demands(), memories())
def test_base_for_all_comes_before_more_for_one(
    estimate: float, demands: list[Demand], memory: Memory
) -> None:
    """With what was spent on more than the base of others, no paused video could have been shown."""
    allocation = allocate(estimate, demands, memory)
    bases = {
        one.consumer_id: ladder(one)[0].bitrate for one in demands if one.kind == "video" and one.visible
    }
    spent = sum(one.available[0].bitrate for one in demands if one.kind == "audio")
    spent += sum(rate for name, rate in bases.items() if allocation.grants[name].layer is not None)
    for name, rate in bases.items():
        if allocation.grants[name].outcome == "bandwidth":
            assert (spent + rate) * 1.2 > estimate * (1 - 1e-9)


@given(estimates, all_demands(), memories())
def test_what_is_not_shown_is_not_sent_and_is_not_called_a_lack_of_bandwidth(
    estimate: float, demands: list[Demand], memory: Memory
) -> None:
    allocation = allocate(estimate, demands, memory)
    for one in demands:
        grant = allocation.grants[one.consumer_id]
        assert (grant.outcome == "hidden") == (one.kind == "video" and not one.visible)
        assert (grant.layer is None) == (grant.outcome != "granted")


@settings(max_examples=40)
@given(estimates, all_demands(), memories(), st.integers(0, 2**32))
def test_small_noise_makes_each_video_give_way_at_most_a_few_times(
    estimate: float, demands: list[Demand], memory: Memory, seed: int
) -> None:
    """Two percent up and down in the estimate and every bitrate, fifty times: after the first rounds the
    pictures stand still."""
    noise = _Noise(seed)
    history = []
    for _ in range(50):
        shaken = [noise.shake(one) for one in demands]
        allocation = allocate(estimate * noise.factor(), shaken, memory)
        memory = allocation.memory
        history.append(tuple((name, grant.layer) for name, grant in sorted(allocation.grants.items())))
    changes = sum(before != after for before, after in pairwise(history))
    steps = sum(len(one.available) + 1 for one in demands if one.kind == "video")
    assert changes <= 2 * steps
    assert len(set(history[-20:])) <= 2


class _Noise:
    """A seeded generator of its own, so that Hypothesis can shrink the rest."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def factor(self) -> float:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return 0.98 + 0.04 * (self._state >> 33) / 2**31

    def shake(self, demand: Demand) -> Demand:
        factor = self.factor()
        return replace(
            demand,
            available=tuple(replace(one, bitrate=one.bitrate * factor) for one in demand.available),
        )


@given(estimates, st.floats(0, 6_000_000), all_demands(), memories())
def test_more_estimate_never_only_takes_away(
    estimate: float, more: float, demands: list[Demand], memory: Memory
) -> None:
    """Somebody may lose to somebody of higher rank, but never nobody gains."""
    less, much = allocate(estimate, demands, memory), allocate(estimate + more, demands, memory)
    worse = better = 0
    for name, grant in less.grants.items():
        before, after = grant.layer or (-1, -1), much.grants[name].layer or (-1, -1)
        worse += after < before
        better += after > before
    assert better or not worse


@given(all_demands(), memories())
def test_without_an_estimate_everybody_gets_the_best_they_can_use(
    demands: list[Demand], memory: Memory
) -> None:
    allocation = allocate(math.inf, demands, memory)
    for one in demands:
        if one.kind == "video" and one.visible:
            assert allocation.grants[one.consumer_id].layer == ladder(one)[-1].layer
    assert not allocation.deficient


# --- the order -------------------------------------------------------------------------------------------


def test_tiles_of_one_size_climb_together() -> None:
    grid = [camera(f"v{number}", tile=Tile(1280, 720)) for number in range(4)]
    assert spatials(allocate(3_000_000, grid, NOTHING)) == {"v0": 1, "v1": 1, "v2": 1, "v3": 1}


def test_a_screen_goes_before_the_speaker_and_the_speaker_before_a_larger_tile() -> None:
    screen = camera("screen", tile=Tile(400, 300), source="screen")
    speaker = camera("speaker", tile=Tile(640, 360), speaking=True)
    large = camera("large", tile=Tile(1280, 720))
    demands = [large, speaker, screen]
    assert spatials(allocate(750_000, demands, NOTHING)) == {"screen": 1, "speaker": 0, "large": 0}
    assert spatials(allocate(1_100_000, demands, NOTHING)) == {"screen": 1, "speaker": 1, "large": 0}
    assert spatials(allocate(2_700_000, demands, NOTHING)) == {"screen": 1, "speaker": 1, "large": 2}


def test_the_clients_priority_goes_before_everything_among_videos() -> None:
    pinned = camera("pinned", tile=Tile(640, 360, priority=1))
    screen = camera("screen", tile=Tile(1280, 720), source="screen")
    assert spatials(allocate(700_000, [screen, pinned], NOTHING)) == {"pinned": 1, "screen": 0}


def test_a_small_tile_gets_no_more_than_it_can_show() -> None:
    sizes = {"a": Tile(320, 180), "b": Tile(600, 340), "c": Tile(1280, 720), "d": None}
    demands = [camera(name, tile=tile) for name, tile in sizes.items()]
    assert spatials(allocate(math.inf, demands, NOTHING)) == {"a": 0, "b": 1, "c": 2, "d": 2}


def test_known_widths_are_believed_over_the_usual_ones() -> None:
    available = (Available(Layer(0, 0), 1e5, width=480), Available(Layer(1, 0), 1e6, width=1920))
    demand = Demand("a", "video", "camera", available, Tile(480, 270))
    assert spatials(allocate(math.inf, [demand], NOTHING)) == {"a": 0}


def test_what_does_not_fit_is_paused_and_what_does_is_shown() -> None:
    screen = camera("screen", 2_000_000, source="screen")
    allocation = allocate(500_000, [screen, camera("person"), microphone("voice")], NOTHING)
    assert allocation.grants["screen"].outcome == "bandwidth"
    assert spatials(allocation) == {"screen": None, "person": 0, "voice": 0}
    assert allocation.deficient


def test_what_was_paused_comes_back_only_with_room_to_spare() -> None:
    demands = [camera("a", 300_000)]
    paused = allocate(250_000, demands, NOTHING)
    assert spatials(paused) == {"a": None}
    assert spatials(allocate(340_000, demands, paused.memory)) == {"a": None}
    assert spatials(allocate(370_000, demands, paused.memory)) == {"a": 0}


def test_what_is_held_is_given_up_late_and_taken_back_later() -> None:
    demands = [camera("a")]
    held = allocate(2_000_000, demands, NOTHING).memory
    assert spatials(allocate(1_510_000, demands, held)) == {"a": 2}
    lowered = allocate(1_490_000, demands, held)
    assert spatials(lowered) == {"a": 1}
    assert spatials(allocate(1_700_000, demands, lowered.memory)) == {"a": 1}
    assert spatials(allocate(1_750_000, demands, lowered.memory)) == {"a": 2}


# --- the ladder ------------------------------------------------------------------------------------------


def layers(source: str, *rows: tuple[int, int, float]) -> list[Layer]:
    available = tuple(Available(Layer(spatial, temporal), rate) for spatial, temporal, rate in rows)
    return [one.layer for one in ladder(Demand("a", "video", source, available))]


ROWS = (
    (0, 0, 60.0), (0, 1, 80.0), (0, 2, 100.0),
    (1, 0, 250.0), (1, 1, 330.0), (1, 2, 420.0),
)  # fmt: skip


def test_temporal_layers_are_given_up_before_spatial_ones_but_never_more_than_half_the_rate() -> None:
    assert layers("camera", *ROWS) == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2)]


def test_of_a_screen_sharpness_stays_longest() -> None:
    assert layers("screen", *ROWS) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


def test_a_layer_that_costs_no_less_than_a_better_one_is_left_out() -> None:
    assert layers("camera", (0, 0, 200.0), (1, 0, 150.0), (2, 0, 900.0)) == [(1, 0), (2, 0)]


def test_where_less_than_there_is_was_asked_for_the_least_is_closest() -> None:
    available = (Available(Layer(1, 1), 400.0), Available(Layer(1, 2), 600.0))
    demand = Demand("a", "video", "camera", available, preferred=Layer(0, 0))
    assert [one.layer for one in ladder(demand)] == [(1, 1)]
