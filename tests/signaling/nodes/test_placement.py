from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.nodes.placement import Capacity, NodeStanding, choose_for_peer, has_room, with_room


def test_the_least_loaded_node_that_serves_takes_the_session() -> None:
    nodes = [
        NodeStanding("nd_1", serving=True, cpu=0.5),
        NodeStanding("nd_2", serving=True, cpu=0.2),
        NodeStanding("nd_3", serving=False, cpu=0.0),
    ]
    assert choose_for_peer(nodes, {}) == "nd_2"


def test_where_no_node_serves_there_is_no_place() -> None:
    assert choose_for_peer([NodeStanding("nd_1", serving=False)], {}) is None
    assert choose_for_peer([], {}) is None


def test_a_burst_between_two_reports_spreads_out() -> None:
    placed = {"nd_1": 0, "nd_2": 0, "nd_3": 0}
    for _ in range(30):
        standings = [NodeStanding(one, serving=True, placed_since=n) for one, n in placed.items()]
        node_id = choose_for_peer(standings, {})
        assert node_id is not None
        placed[node_id] += 1
    assert set(placed.values()) == {10}


@given(st.lists(st.builds(NodeStanding, st.text(), serving=st.booleans(), cpu=st.floats(0, 1))))
def test_what_is_chosen_serves(nodes: list[NodeStanding]) -> None:
    chosen = choose_for_peer(nodes, {})
    assert (chosen is None) == (not any(node.serving for node in nodes))
    assert chosen is None or any(node.node_id == chosen and node.serving for node in nodes)


def test_a_session_stays_on_its_node_while_that_has_room() -> None:
    nodes = [NodeStanding("nd_1", serving=True, cpu=0.55), NodeStanding("nd_2", serving=True)]
    assert choose_for_peer(nodes, {"nd_1": 200}) == "nd_1"


def test_a_session_spreads_once_every_node_it_is_on_is_busy() -> None:
    busy = NodeStanding("nd_1", serving=True, cpu=0.65)
    idle = NodeStanding("nd_2", serving=True, cpu=0.3)
    third = NodeStanding("nd_3", serving=True, cpu=0.4)
    assert choose_for_peer([busy, idle, third], {"nd_1": 100}) == "nd_2"
    assert choose_for_peer([busy, idle, third], {"nd_1": 100, "nd_2": 1}) == "nd_2"
    full = [busy, NodeStanding("nd_2", serving=True, cpu=0.7), third]
    assert choose_for_peer(full, {"nd_1": 100, "nd_2": 60}) == "nd_3"


def test_a_node_that_is_hardly_less_busy_is_not_worth_a_pipe() -> None:
    nodes = [NodeStanding("nd_1", serving=True, cpu=0.7), NodeStanding("nd_2", serving=True, cpu=0.65)]
    assert choose_for_peer(nodes, {"nd_1": 100}) == "nd_1"


def test_a_burst_of_joins_between_two_reports_counts_as_load() -> None:
    other = NodeStanding("nd_2", serving=True)
    joined = [NodeStanding("nd_1", serving=True, cpu=0.3, peers_since=peers) for peers in (0, 40)]
    assert [choose_for_peer([one, other], {"nd_1": 9}) for one in joined] == ["nd_1", "nd_2"]


def test_a_lost_node_is_no_place_even_for_its_own_session() -> None:
    nodes = [NodeStanding("nd_1", serving=False), NodeStanding("nd_2", serving=True, cpu=0.9)]
    assert choose_for_peer(nodes, {"nd_1": 3}) == "nd_2"
    assert choose_for_peer(nodes[:1], {"nd_1": 3}) is None


def test_zero_deals_out_every_session_and_one_none() -> None:
    nodes = [NodeStanding("nd_1", serving=True, cpu=0.99), NodeStanding("nd_2", serving=True, cpu=0.1)]
    assert choose_for_peer(nodes, {"nd_1": 1, "nd_2": 2}, spread_above=0) == "nd_1"
    assert choose_for_peer(nodes, {"nd_1": 1}, spread_above=0) == "nd_2"
    assert choose_for_peer(nodes, {"nd_1": 500}, spread_above=1) == "nd_1"


_nodes = st.lists(
    st.builds(NodeStanding, st.sampled_from("abcd"), serving=st.booleans(), cpu=st.floats(0, 1)),
    unique_by=lambda node: node.node_id,
)


@given(_nodes, st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9)), st.floats(0, 1))
def test_a_peers_node_serves_and_a_new_one_is_less_busy(
    nodes: list[NodeStanding], present: dict[str, int], above: float
) -> None:
    chosen = choose_for_peer(nodes, present, spread_above=above)
    serving = {node.node_id: node for node in nodes if node.serving}
    assert (chosen is None) == (not serving)
    if chosen is not None and chosen not in present and above > 0:
        assert all(serving[chosen].cpu < serving[one].cpu for one in present if one in serving)


def test_a_node_has_room_until_its_core_or_its_packets_are_used_up_or_it_gives_things_up() -> None:
    capacity = Capacity(cpu=0.8, packets_per_second=1000.0)
    nodes = [
        NodeStanding("nd_free", serving=True, cpu=0.5, packets_per_second=500.0),
        NodeStanding("nd_busy", serving=True, cpu=0.81),
        NodeStanding("nd_sending", serving=True, packets_per_second=1000.0),
        NodeStanding("nd_pressed", serving=True, cpu=0.1, pressure=1),
        NodeStanding("nd_gone", serving=False),
    ]
    assert [one.node_id for one in with_room(nodes, capacity)] == ["nd_free"]


def test_who_was_admitted_counts_before_any_report_tells_of_them() -> None:
    nodes = [NodeStanding(f"nd_{number}", serving=True, cpu=0.5) for number in range(2)]
    admitted = 0
    while has_room(nodes, Capacity(cpu=0.8), admitted):
        admitted += 1
    assert 190 <= admitted <= 210
