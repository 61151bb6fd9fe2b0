"""A layer that could not be kept is not tried again on the same evidence, and not given up for good."""

from __future__ import annotations

from sfu.bandwidth.allocator import CERTAIN, CLIMB, Allocation, Available, Demand, Memory, allocate
from sfu.bandwidth.attempts import DOUBT, LASTED, LONGEST_DOUBT, Attempts
from sfu.layers import Layer

LOW, HIGH = 150_000.0, 1_000_000.0
PROMISING = 1.05 * CLIMB * HIGH
TIGHT = 500_000.0


def video(name: str = "a") -> Demand:
    rates = enumerate((LOW, HIGH))
    return Demand(
        name, "video", "camera", tuple(Available(Layer(spatial, 0), rate) for spatial, rate in rates)
    )


class Viewer:
    """Asks ten times a second for what an estimate gives."""

    def __init__(self, *demands: Demand) -> None:
        self.demands = demands or (video(),)
        self.attempts = Attempts()
        self.memory = Memory()
        self.now = 0.0
        self.climbs: list[float] = []

    def ask(self, estimate: float) -> Allocation:
        self.now += 0.1
        allocation = allocate(estimate, self.demands, self.memory)
        if self.memory.layers and self.layer(allocation) > self.layer_before:
            self.climbs.append(self.now)
        self.attempts.note(self.memory, allocation, self.now)
        self.memory = Memory(allocation.memory.layers, self.attempts.doubted(self.now))
        return allocation

    def live(self, seconds: float, estimate: float) -> None:
        for _ in range(round(10 * seconds)):
            self.ask(estimate)

    def layer(self, allocation: Allocation) -> int:
        layer = allocation.grants["a"].layer
        return -1 if layer is None else layer.spatial

    @property
    def layer_before(self) -> int:
        layer = self.memory.layers["a"]
        return -1 if layer is None else layer.spatial

    def fail(self) -> None:
        """On a path that looks wide until it is used."""
        while self.layer_before == 0:
            self.ask(PROMISING)
        self.live(0.5, PROMISING)
        self.live(0.5, TIGHT)


def test_each_failure_doubles_the_wait_up_to_a_limit() -> None:
    viewer = Viewer()
    viewer.live(1.0, TIGHT)
    waits = []
    for _ in range(8):
        viewer.fail()
        failed_at = viewer.now - 0.5
        while viewer.layer_before == 0:
            viewer.ask(PROMISING)
        waits.append(round(viewer.now - failed_at))
    assert waits == [min(DOUBT * 2**count, LONGEST_DOUBT) for count in range(8)]


def test_a_path_that_is_wide_beyond_doubt_is_used_at_once() -> None:
    viewer = Viewer()
    viewer.live(1.0, TIGHT)
    for _ in range(4):
        viewer.fail()
    viewer.ask(PROMISING)
    assert viewer.layer_before == 0
    viewer.ask(1.01 * CERTAIN * HIGH)
    assert viewer.layer_before == 1


def test_a_layer_that_lasted_was_no_mistake() -> None:
    viewer = Viewer()
    viewer.live(1.0, TIGHT)
    viewer.fail()
    viewer.live(DOUBT + LASTED + 1.0, PROMISING)
    assert viewer.layer_before == 1
    viewer.live(1.0, TIGHT)
    viewer.ask(PROMISING)
    assert viewer.layer_before == 1, "the path got narrow; the climb had not been wrong"


def test_who_gives_way_to_somebody_else_did_not_fail() -> None:
    wide = 1.02 * CLIMB * (HIGH + LOW)
    viewer = Viewer(video("a"), video("b"))
    viewer.live(1.0, 2.5 * LOW)
    viewer.ask(wide)
    assert viewer.layer_before == 1
    spoken = Demand("b", "video", "camera", viewer.demands[1].available, speaking=True)
    viewer.demands = (viewer.demands[0], spoken)
    viewer.ask(wide)
    assert viewer.layer_before == 0
    assert not viewer.attempts.doubted(viewer.now)


def test_a_video_that_is_gone_is_forgotten() -> None:
    viewer = Viewer()
    viewer.live(1.0, TIGHT)
    viewer.fail()
    assert viewer.attempts.doubted(viewer.now) == {"a"}
    viewer.demands = ()
    viewer.attempts.note(viewer.memory, allocate(TIGHT, (), viewer.memory), viewer.now)
    assert not viewer.attempts.doubted(viewer.now)
