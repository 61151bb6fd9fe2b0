"""What a producer has to give, told from packets alone; time is the test's."""

from __future__ import annotations

from sfu.forwarding.encoding import Encoding
from sfu.forwarding.selector import aim, detach
from sfu.supply import HOLD, PACKET_OVERHEAD, PATIENCE, RETRY_AFTER, WARM_UP, Supply
from tests.sfu.forwarding.world import Receiver, encoding, feed, vp8


class Simulcast:
    """A publisher of several encodings, of which it sends those in `sending`."""

    def __init__(self, count: int) -> None:
        self.encodings: list[Encoding] = [encoding(spatial=each, ssrc=7 + each) for each in range(count)]
        self.supply = Supply(self.encodings)
        self.sending = set(range(count))
        self.now = 0.0
        self._sequence = 0

    def run(self, seconds: float, *, size: int = 194) -> None:
        """50 packets a second of each encoding that is being sent; a look ten times a second."""
        for step in range(round(seconds * 50)):
            self.now += 0.02
            self._sequence += 1
            for number in self.sending:
                packet = (self._sequence & 0xFFFF, self._sequence * 1800, vp8(key=True, size=size << number))
                feed(self.encodings[number], packet, now=self.now)
            if step % 5 == 4:
                self.supply.look(self.now)

    @property
    def spatials(self) -> list[int]:
        return [one.layer.spatial for one in self.supply.available]

    def wanted(self, *, expected: bool = False) -> tuple[bool, ...] | None:
        return self.supply.poll_wanted(self.now, expected=expected)


def test_bitrates_are_those_on_the_wire() -> None:
    world = Simulcast(2)
    world.run(3.0)
    first, second = world.supply.available
    each = (194 + 7 + PACKET_OVERHEAD) * 8 * 50
    assert abs(first.bitrate - each) < each * 0.1
    assert abs(second.bitrate - (each + 194 * 8 * 50)) < each * 0.2


def test_the_version_changes_with_a_bitrate_that_matters_and_stands_still_without() -> None:
    world = Simulcast(1)
    world.run(5.0)
    before = world.supply.version
    world.run(3.0)
    assert world.supply.version == before
    world.run(3.0, size=400)
    assert world.supply.version > before


def test_a_layer_that_nobody_wanted_can_be_had_and_keeps_its_bitrate() -> None:
    world = Simulcast(2)
    world.run(3.0)
    bitrate = world.supply.available[1].bitrate
    world.sending = {0}
    world.run(10.0)
    assert world.spatials == [0, 1]
    assert world.supply.available[1].bitrate == bitrate


def test_a_wanted_layer_that_does_not_come_is_given_up_for_a_while() -> None:
    world = Simulcast(2)
    world.sending = {0}
    world.run(1.0)
    leg = Receiver().leg()
    aim(leg, world.encodings[1])
    world.run(PATIENCE - 0.5)
    assert world.spatials == [0, 1]
    world.run(1.0)
    assert world.spatials == [0]
    detach(leg)
    world.run(RETRY_AFTER + 1.0)
    assert world.spatials == [0, 1]


def test_a_layer_that_comes_after_all_counts_at_once() -> None:
    world = Simulcast(2)
    world.sending = {0}
    aim(Receiver().leg(), world.encodings[1])
    world.run(PATIENCE + 1.0)
    assert world.spatials == [0]
    world.sending = {0, 1}
    world.run(0.2)
    assert world.spatials == [0, 1]


def test_a_publisher_that_went_silent_altogether_loses_no_layer() -> None:
    world = Simulcast(2)
    world.run(1.0)
    aim(Receiver().leg(), world.encodings[1])
    world.sending = set()
    world.run(20.0)
    assert world.spatials == [0, 1]


def test_what_nobody_receives_is_stopped_after_a_hold_and_the_rest_is_not() -> None:
    world = Simulcast(3)
    aim(Receiver().leg(), world.encodings[1])
    assert world.wanted() is None
    world.run(HOLD - 0.1)
    assert world.wanted() is None
    world.run(0.2)
    assert world.wanted() == (True, True, False), "the lowest is kept, to fall back to"
    world.run(10.0)
    assert world.wanted() is None


def test_what_is_wanted_again_is_resumed_at_once() -> None:
    world = Simulcast(3)
    assert world.wanted() is None
    world.run(HOLD + 0.1)
    assert world.wanted() == (False, False, False)
    aim(Receiver().leg(), world.encodings[2])
    assert world.wanted() == (True, False, True)


def test_a_receiver_on_its_way_keeps_the_lowest_layer_on() -> None:
    world = Simulcast(2)
    world.wanted(expected=True)
    world.run(HOLD + 0.1)
    assert world.wanted(expected=True) == (True, False)


def dearest(world: Simulcast, seconds: float, *, size: int = 194) -> list[float]:
    """The price of the upper of two layers, at each of ten looks a second."""
    prices = []
    for _ in range(round(seconds * 10)):
        world.run(0.1, size=size)
        world.wanted()
        prices.append(world.supply.available[-1].bitrate)
    return prices


def test_a_layer_does_not_get_cheap_while_it_is_being_stopped() -> None:
    world = Simulcast(2)
    aim(Receiver().leg(), world.encodings[0])
    world.run(3.0)
    before = world.supply.available[1].bitrate
    dearest(world, HOLD + 0.2)
    assert world.supply.told == (True, False)
    world.run(0.3)
    world.sending = {0}
    assert min(dearest(world, 10.0)) > 0.9 * before


def test_a_peak_at_the_end_is_not_the_price_that_a_stopped_layer_keeps() -> None:
    world = Simulcast(2)
    aim(Receiver().leg(), world.encodings[0])
    world.run(3.0)
    dearest(world, 1.0)
    usual = world.supply.available[1].bitrate
    dearest(world, HOLD - 1.2)
    assert dearest(world, 0.5, size=900)[-1] > 2 * usual
    world.sending = {0}
    assert dearest(world, 3.0)[-1] < 1.2 * usual
    assert world.supply.told == (True, False)


def test_a_layer_that_its_publisher_stops_by_itself_does_not_get_cheap_either() -> None:
    world = Simulcast(2)
    aim(Receiver().leg(), world.encodings[0])
    world.run(3.2)
    before = world.supply.available[1].bitrate
    world.sending = {0}
    prices = dearest(world, 3.0)
    assert min(prices) > 0.7 * before, "of the moment in which it stopped"
    assert prices[-1] > 0.9 * before


def test_a_layer_that_begins_small_keeps_its_price_and_is_believed_later() -> None:
    world = Simulcast(2)
    leg = Receiver().leg()
    aim(leg, world.encodings[0])
    world.run(3.0)
    before = world.supply.available[1].bitrate
    dearest(world, HOLD + 0.2)
    world.sending = {0}
    world.run(5.0)
    aim(leg, world.encodings[1])
    world.wanted()
    world.sending = {0, 1}
    assert min(dearest(world, WARM_UP - 0.2, size=50)) > 0.9 * before
    assert dearest(world, 5.0, size=50)[-1] < 0.6 * before
