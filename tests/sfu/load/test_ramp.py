"""When a load is at full rate: everybody gets all of everything."""

from __future__ import annotations

from sfu.load.ramp import Ramp, Reception


def reception(packets: int, *, current: int | None = 7, who: str = "peer_a") -> Reception:
    return Reception((who, 7), current, packets)


def test_it_takes_a_whole_interval_in_which_everything_came() -> None:
    ramp = Ramp()
    assert not ramp.handle({7: 100}, [reception(100)])
    assert ramp.handle({7: 200}, [reception(200)])


def test_who_gets_but_a_part_is_waited_for() -> None:
    ramp = Ramp()
    ramp.handle({7: 100}, [reception(0), reception(100, who="peer_b")])
    assert not ramp.handle({7: 200}, [reception(50), reception(200, who="peer_b")])
    assert ramp.limited == 1
    assert ramp.handle({7: 300}, [reception(150), reception(300, who="peer_b")])
    assert ramp.limited == 0


def test_what_is_under_way_at_the_ends_of_an_interval_is_no_lack() -> None:
    ramp = Ramp()
    ramp.handle({7: 100}, [reception(100)])
    assert ramp.handle({7: 500}, [reception(468)])


def test_another_encoding_than_before_has_yet_to_settle() -> None:
    ramp = Ramp()
    ramp.handle({7: 100, 8: 100}, [reception(100)])
    assert not ramp.handle({7: 200, 8: 200}, [reception(200, current=8)])
    assert ramp.handle({7: 300, 8: 300}, [reception(300, current=8)])


def test_a_publication_of_which_nothing_came_is_not_full() -> None:
    ramp = Ramp()
    ramp.handle({7: 100}, [reception(0, current=None)])
    assert not ramp.handle({7: 100}, [reception(0, current=None)])
