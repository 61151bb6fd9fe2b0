from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from signaling.nodes.placement import Capacity, NodeStanding
from signaling.nodes.relief import BUSY_FOR, MOVES_AT_ONCE, MOVES_PER_MINUTE, SETTLE_FOR, Relief, Transfer

BUSY = NodeStanding("nd_1", serving=True, cpu=0.8, transports=100, packets_per_second=60_000.0)
IDLE = NodeStanding("nd_2", serving=True, cpu=0.1, transports=20, packets_per_second=5_000.0)


def polled(relief: Relief, nodes: list[NodeStanding], seconds: float, start: float = 0.0) -> list[Transfer]:
    """What is to move in so many seconds in which nothing changes."""
    times = (start + tick for tick in range(int(seconds) + 1))
    return [found for now in times if (found := relief.poll(nodes, now)) is not None]


def test_a_node_that_stays_busy_gives_peers_to_the_least_loaded_one() -> None:
    third = NodeStanding("nd_3", serving=True, cpu=0.4)
    (transfer,) = polled(Relief(), [BUSY, third, IDLE], BUSY_FOR)
    assert transfer == Transfer("nd_1", "nd_2", MOVES_AT_ONCE)


def test_a_node_that_was_busy_for_a_moment_gives_nobody_away() -> None:
    relief = Relief()
    assert polled(relief, [BUSY, IDLE], BUSY_FOR - 1) == []
    assert relief.poll([replace(BUSY, cpu=0.7), IDLE], BUSY_FOR - 0.5) is None
    assert polled(relief, [BUSY, IDLE], BUSY_FOR - 1, start=BUSY_FOR) == []


def test_one_that_gives_things_up_is_busy_whatever_its_core_says() -> None:
    pressed = replace(BUSY, cpu=0.5, packets_per_second=20_000.0, pressure=1)
    assert len(polled(Relief(), [pressed, IDLE], BUSY_FOR)) == 1


def test_nobody_moves_where_the_others_are_as_busy_or_full() -> None:
    others = (
        replace(IDLE, cpu=0.7, transports=100),
        replace(IDLE, pressure=1),
        replace(IDLE, serving=False),
    )
    for other in others:
        assert polled(Relief(), [BUSY, other], 60) == []
    assert polled(Relief(), [BUSY], 60) == []


def test_from_one_on_nobody_ever_moves() -> None:
    assert polled(Relief(1.0), [replace(BUSY, cpu=1.0), IDLE], 60) == []


def test_so_many_a_minute_move_at_most_and_what_moved_is_waited_for() -> None:
    relief = Relief()
    found = polled(relief, [BUSY, IDLE], 59)
    assert sum(one.peers for one in found) <= MOVES_PER_MINUTE
    assert len(found) <= 60 / SETTLE_FOR
    assert polled(relief, [BUSY, IDLE], 30, start=70.0), "and more in the next minute"


def test_where_packets_are_what_there_is_least_of_peers_count_by_theirs() -> None:
    """By what they take of the core, five would move, and the other one were the busier."""
    few = Capacity(1.0, packets_per_second=12_000.0)
    busy = replace(BUSY, cpu=0.05, transports=24, packets_per_second=6_000.0, capacity=few)
    other = replace(IDLE, cpu=0.04, transports=20, packets_per_second=4_200.0, capacity=few)
    assert polled(Relief(0.4), [busy, other], BUSY_FOR) == [Transfer("nd_1", "nd_2", 1)]


_standing = st.builds(
    NodeStanding,
    st.sampled_from(("nd_1", "nd_2", "nd_3")),
    serving=st.just(True),
    cpu=st.floats(0, 1),
    transports=st.integers(20, 300),
    packets_per_second=st.floats(0, 60_000),
    pressure=st.sampled_from((0, 0, 1)),
)
_capacities = st.builds(
    Capacity, st.sampled_from((0.85, 1.0)), packets_per_second=st.sampled_from((60_000.0, 250_000.0))
)


@given(st.lists(_standing, min_size=2, max_size=3, unique_by=lambda node: node.node_id), _capacities)
def test_what_moved_is_never_moved_back(nodes: list[NodeStanding], capacity: Capacity) -> None:
    """The load that moved makes the other one lighter than this one was, so the way back is no relief."""
    relief = Relief()
    transfers: list[Transfer] = []
    standing = {node.node_id: replace(node, capacity=capacity) for node in nodes}
    for now in range(120):
        found = relief.poll(standing.values(), float(now))
        if found is None:
            continue
        assert not standing[found.to_node].full
        source, target = standing[found.from_node], standing[found.to_node]
        cpu, packets = source.cpu_per_peer * found.peers, source.packets_per_peer * found.peers
        standing[source.node_id] = replace(
            source,
            cpu=max(0.0, source.cpu - cpu),
            packets_per_second=max(0.0, source.packets_per_second - packets),
            transports=source.transports - found.peers,
        )
        standing[target.node_id] = replace(
            target,
            cpu=target.cpu + cpu,
            packets_per_second=target.packets_per_second + packets,
            transports=target.transports + found.peers,
        )
        transfers.append(found)
    ways = {(one.from_node, one.to_node) for one in transfers}
    assert not any((target, source) in ways for source, target in ways)
