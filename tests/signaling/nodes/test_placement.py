from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.nodes.placement import NodeStanding, choose


def test_the_least_loaded_node_that_serves_takes_the_session() -> None:
    nodes = [
        NodeStanding("nd_1", serving=True, cpu=0.5),
        NodeStanding("nd_2", serving=True, cpu=0.2),
        NodeStanding("nd_3", serving=False, cpu=0.0),
    ]
    assert choose(nodes) == "nd_2"


def test_where_no_node_serves_there_is_no_place() -> None:
    assert choose([NodeStanding("nd_1", serving=False)]) is None
    assert choose([]) is None


def test_a_burst_between_two_reports_spreads_out() -> None:
    placed = {"nd_1": 0, "nd_2": 0, "nd_3": 0}
    for _ in range(30):
        node_id = choose(NodeStanding(one, serving=True, placed_since=n) for one, n in placed.items())
        assert node_id is not None
        placed[node_id] += 1
    assert set(placed.values()) == {10}


@given(st.lists(st.builds(NodeStanding, st.text(), serving=st.booleans(), cpu=st.floats(0, 1))))
def test_what_is_chosen_serves(nodes: list[NodeStanding]) -> None:
    chosen = choose(nodes)
    assert (chosen is None) == (not any(node.serving for node in nodes))
    assert chosen is None or any(node.node_id == chosen and node.serving for node in nodes)
