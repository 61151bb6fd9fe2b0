from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.nodes.placement import DEFAULT_SPREAD_ABOVE, Capacity, NodeStanding, choose_for_peer, has_room


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
    nodes = [NodeStanding("nd_1", serving=True, cpu=0.8), NodeStanding("nd_2", serving=True, cpu=0.1)]
    assert choose_for_peer(nodes, {"nd_1": 1, "nd_2": 2}, spread_above=0) == "nd_1"
    assert choose_for_peer(nodes, {"nd_1": 1}, spread_above=0) == "nd_2"
    full = [NodeStanding("nd_1", serving=True, cpu=0.99), nodes[1]]
    assert choose_for_peer(full, {"nd_1": 500}, spread_above=1) == "nd_1"
    assert choose_for_peer(full, {}, spread_above=1) == "nd_2"


LIMIT = Capacity(cpu=0.8, packets_per_second=50_000.0)
_nodes = st.lists(
    st.builds(
        NodeStanding,
        st.sampled_from("abcd"),
        serving=st.booleans(),
        cpu=st.floats(0, 1),
        transports=st.integers(0, 400),
        peers_since=st.integers(0, 20),
        placed_since=st.integers(0, 5),
        packets_per_second=st.floats(0, 100_000),
        lag=st.floats(0, 0.2),
        pressure=st.sampled_from((0, 0, 0, 1)),
        capacity=st.just(LIMIT),
    ),
    unique_by=lambda node: node.node_id,
)
_present = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9))


@given(_nodes, _present, st.floats(0, 0.99))
def test_a_full_node_gets_nobody_while_another_is_not(
    nodes: list[NodeStanding], present: dict[str, int], above: float
) -> None:
    chosen = choose_for_peer(nodes, present, spread_above=above)
    serving = {node.node_id: node for node in nodes if node.serving}
    assert (chosen is None) == (not serving)
    if chosen is not None and not all(node.full for node in serving.values()):
        assert not serving[chosen].full


@given(_nodes, _present)
def test_a_session_leaves_its_nodes_only_for_one_that_is_less_loaded_by_a_margin(
    nodes: list[NodeStanding], present: dict[str, int]
) -> None:
    chosen = choose_for_peer(nodes, present)
    serving = {node.node_id: node for node in nodes if node.serving}
    homes = [serving[one] for one in present if one in serving and not serving[one].full]
    if chosen is None or chosen in present or not homes:
        return
    assert min(one.load for one in homes) > DEFAULT_SPREAD_ABOVE
    assert serving[chosen].load + 0.1 <= min(one.load for one in homes)


@given(_nodes)
def test_a_new_session_goes_to_the_least_loaded_of_those_with_room(nodes: list[NodeStanding]) -> None:
    chosen = choose_for_peer(nodes, {})
    roomy = {node.node_id: node for node in nodes if not node.full}
    if roomy:
        assert chosen in roomy
        assert roomy[chosen].load == min(node.load for node in roomy.values())


@given(_nodes, st.integers(1, 60))
def test_a_burst_never_makes_a_node_fuller_than_its_next_peer(nodes: list[NodeStanding], peers: int) -> None:
    """Between two reports, everybody goes where there is room at that moment, counting who went before."""
    for _ in range(peers):
        roomy = [node for node in nodes if not node.full]
        chosen = choose_for_peer(nodes, {}, spread_above=0.0)
        if not roomy:
            return
        at = next(index for index, node in enumerate(nodes) if node.node_id == chosen)
        assert not nodes[at].full
        nodes[at] = replace(nodes[at], peers_since=nodes[at].peers_since + 1)


def test_a_node_has_room_until_its_core_or_its_packets_are_used_up_or_it_gives_things_up() -> None:
    capacity = Capacity(cpu=0.8, packets_per_second=1_000.0, lag=0.05)
    nodes = [
        NodeStanding("nd_free", serving=True, cpu=0.3, packets_per_second=300.0, capacity=capacity),
        NodeStanding("nd_busy", serving=True, cpu=0.81, capacity=capacity),
        NodeStanding("nd_sending", serving=True, packets_per_second=1_000.0, capacity=capacity),
        NodeStanding("nd_pressed", serving=True, cpu=0.1, pressure=1, capacity=capacity),
        NodeStanding("nd_late", serving=True, cpu=0.45, lag=0.05, capacity=capacity),
        NodeStanding("nd_gone", serving=False, capacity=capacity),
    ]
    assert [one.node_id for one in nodes if not one.full] == ["nd_free"]


def test_lateness_says_nothing_of_a_node_that_has_little_to_do() -> None:
    idle = NodeStanding("nd_1", serving=True, cpu=0.02, lag=1.0)
    assert not idle.full
    assert idle.load < 0.05


def test_what_a_newcomer_costs_is_what_those_there_cost() -> None:
    """100 people for half a core on one node, for a tenth on the other: ten more do not weigh the same."""
    heavy = NodeStanding("nd_1", serving=True, cpu=0.5, transports=200, packets_per_second=40_000.0)
    light = NodeStanding("nd_2", serving=True, cpu=0.1, transports=200, packets_per_second=8_000.0)
    ten = [replace(one, peers_since=10) for one in (heavy, light)]
    assert [round(one.load, 3) for one in ten] == [0.55, 0.13]


def test_a_node_whose_packets_cost_more_can_send_fewer() -> None:
    cheap = NodeStanding("nd_1", serving=True, cpu=0.2, packets_per_second=40_000.0)
    dear = NodeStanding("nd_2", serving=True, cpu=0.2, packets_per_second=10_000.0)
    assert cheap.packet_capacity == pytest.approx(4 * dear.packet_capacity)


def test_who_was_admitted_counts_before_any_report_tells_of_them() -> None:
    limit = Capacity(cpu=0.8)
    nodes = [NodeStanding(f"nd_{number}", serving=True, cpu=0.5, capacity=limit) for number in range(2)]
    admitted = 0
    while has_room(nodes, admitted):
        admitted += 1
    assert 190 <= admitted <= 210


def test_a_core_without_a_limit_refuses_nobody_before_its_packets_are_used_up() -> None:
    boundless = Capacity(cpu=1.0, packets_per_second=1_000.0)
    busy = NodeStanding("nd_1", serving=True, cpu=1.0, lag=1.0, packets_per_second=900.0, capacity=boundless)
    assert not busy.full
    assert has_room([busy], 1_000)
    sending = replace(busy, packets_per_second=1_000.0)
    assert sending.full
    assert not has_room([sending], 0)
    limited = replace(busy, capacity=Capacity(cpu=0.99))
    assert limited.full
    assert not has_room([limited], 0)
