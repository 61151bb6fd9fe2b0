"""When a node gives things up, in which order, and when it takes them back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.bandwidth.allocator import Available, Demand, Tile
from sfu.layers import Layer
from sfu.pressure import EASE_AFTER, MEASURES, POLL_INTERVAL, Level, Limits, Pressure, relieve

LAYERS = tuple(Available(Layer(spatial, 0), 100_000.0 * 4**spatial) for spatial in range(3))


def camera(name: str, tile: Tile | None = None, *, source: str = "camera", speaking: bool = False) -> Demand:
    return Demand(name, "video", source, LAYERS, tile, speaking=speaking)


def microphone(name: str) -> Demand:
    return Demand(name, "audio", "microphone", (Available(Layer(0, 0), 40_000.0),))


def layers(demands: list[Demand], level: Level) -> dict[str, int]:
    return {one.consumer_id: len(one.available) for one in relieve(demands, MEASURES[level])}


class World:
    def __init__(self, **limits: float) -> None:
        self.now = 0.0
        self.busy_time = 0.0
        self.pressure = Pressure(Limits(**limits), 0.0, 0.0)
        self.levels = [Level.CALM]

    def run(self, seconds: float, *, busy: float, lag: float = 0.001) -> list[Level]:
        """The levels that were reached."""
        before = len(self.levels)
        for _ in range(round(seconds / POLL_INTERVAL)):
            for _ in range(25):
                self.pressure.handle_tick(lag)
            self.now += POLL_INTERVAL
            self.busy_time += POLL_INTERVAL * busy
            assert self.pressure.is_due(self.now)
            if self.pressure.poll(self.now, self.busy_time):
                self.levels.append(self.pressure.level)
        return self.levels[before:]


def test_a_busy_moment_is_no_pressure() -> None:
    world = World()
    assert world.run(0.5, busy=1.0) == []
    assert world.run(20.0, busy=0.5) == []


def test_lasting_pressure_goes_up_step_by_step_and_stays_at_the_last() -> None:
    world = World()
    assert world.run(10.0, busy=0.99) == [Level.UNSEEN, Level.SMALL, Level.BASE, Level.ESSENTIAL]


def test_ease_goes_back_step_by_step_and_slower() -> None:
    world = World()
    world.run(10.0, busy=0.99)
    assert world.run(EASE_AFTER - POLL_INTERVAL, busy=0.3) == []
    assert world.run(4 * EASE_AFTER, busy=0.3) == [Level.BASE, Level.SMALL, Level.UNSEEN, Level.CALM]


def test_between_the_limits_nothing_changes() -> None:
    world = World()
    world.run(1.5, busy=0.99)
    assert world.pressure.level is Level.UNSEEN
    assert world.run(60.0, busy=0.8) == []


def test_late_timers_are_pressure_only_where_there_is_much_to_do() -> None:
    world = World()
    assert world.run(5.0, busy=0.2, lag=0.5) == []
    assert Level.UNSEEN in world.run(5.0, busy=0.8, lag=0.5)


def test_what_brings_the_pressure_back_is_tried_less_and_less_often() -> None:
    world = World()
    times = []
    for _ in range(600):
        before = world.pressure.level
        if world.run(POLL_INTERVAL, busy=0.3 if before else 0.99) and world.pressure.level < before:
            times.append(world.now)
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[0] < 12
    assert pauses[-1] > 50, pauses


def test_a_limit_above_1_is_never_reached() -> None:
    assert World(busy=2.0).run(30.0, busy=1.0, lag=0.3) == []


# --- what is given up --------------------------------------------------------------------------------------


def test_in_the_calm_everything_is_left() -> None:
    demands = [camera("a"), microphone("b")]
    assert relieve(demands, MEASURES[Level.CALM]) == demands


def test_the_unseen_goes_first_and_what_is_seen_stays_as_it_is() -> None:
    demands = [camera("seen", Tile(640, 360)), camera("unseen"), microphone("voice")]
    assert layers(demands, Level.UNSEEN) == {"seen": 3, "voice": 1}


def test_of_a_receiver_that_says_nothing_of_tiles_every_video_counts_as_seen() -> None:
    assert layers([camera("a"), camera("b")], Level.UNSEEN) == {"a": 3, "b": 3}


def test_then_the_less_important_half_gets_the_lowest_layer() -> None:
    demands = [
        camera("large", Tile(1280, 720)),
        camera("small", Tile(160, 90)),
        camera("middle", Tile(640, 360)),
        camera("pinned", Tile(160, 90, priority=5)),
    ]
    assert layers(demands, Level.SMALL) == {"large": 3, "small": 1, "middle": 1, "pinned": 3}


def test_then_all_get_the_lowest_layer() -> None:
    demands = [camera("a", Tile(640, 360)), camera("s", Tile(1280, 720), source="screen"), microphone("m")]
    assert layers(demands, Level.BASE) == {"a": 1, "s": 1, "m": 1}


def test_at_last_only_screens_and_the_speaker_are_left_and_every_voice() -> None:
    demands = [
        camera("a", Tile(640, 360)),
        camera("speaker", Tile(640, 360), speaking=True),
        camera("s", Tile(1280, 720), source="screen"),
        *(microphone(f"m{number}") for number in range(5)),
    ]
    left = layers(demands, Level.ESSENTIAL)
    assert set(left) == {"speaker", "s", "m0", "m1", "m2", "m3", "m4"}


demand = st.one_of(
    st.builds(
        camera,
        st.uuids().map(str),
        st.none() | st.builds(Tile, st.integers(0, 2000), st.integers(0, 2000), st.integers(-5, 5)),
        source=st.sampled_from(("camera", "screen")),
        speaking=st.booleans(),
    ),
    st.builds(microphone, st.uuids().map(str)),
)


@pytest.mark.parametrize("level", list(Level))
@given(st.lists(demand, max_size=12))
def test_audio_is_never_touched(level: Level, demands: list[Demand]) -> None:
    left = relieve(demands, MEASURES[level])
    assert [one for one in left if one.kind == "audio"] == [one for one in demands if one.kind == "audio"]


@given(st.lists(demand, max_size=12))
def test_a_higher_level_leaves_no_more(demands: list[Demand]) -> None:
    amounts = [
        sum(len(one.available) for one in relieve(demands, MEASURES[level]) if one.kind == "video")
        for level in Level
    ]
    assert amounts == sorted(amounts, reverse=True)
