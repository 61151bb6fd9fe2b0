"""A media node by hand, without media: honours the contract of `sfu.control.messages` and remembers what it
was told. Tests read `commands` (in the order of arrival) and `producers`; `die` is the end of the process.
"""

from __future__ import annotations

from signaling.nodes.testing.graph import BAD_SDP
from signaling.nodes.testing.node import FakeNode, FakeNodes, Fuse
from signaling.nodes.testing.survivor import FakeSurvivor

__all__ = ["BAD_SDP", "FakeNode", "FakeNodes", "FakeSurvivor", "Fuse"]
