"""Who speaks in a session that is on several nodes. Pure.

Each node hears the voices that are published on it or piped to it, and says who speaks and who dominates. A
voice counts at the loudest that any node has it. The dominant speaker is the one of the first node (where
most of the session is) as long as that one speaks; else of the next node whose dominant speaker does; else it
stays the first node's, as a picture should stay when everybody falls silent.
"""

from __future__ import annotations

from collections.abc import Sequence

from signaling.services.live.ports import SpeakersChanged


def merge(reports: Sequence[SpeakersChanged]) -> SpeakersChanged:
    """One report of all, loudest first. `reports` are the nodes' latest, the main node's first."""
    if len(reports) == 1:
        return reports[0]
    loudest: dict[str, int] = {}
    for report in reports:
        for publication_id, level in report.speakers:
            loudest[publication_id] = min(level, loudest.get(publication_id, level))
    speakers = tuple(sorted(loudest.items(), key=lambda item: item[1]))
    dominants = [report.dominant for report in reports if report.dominant is not None]
    speaking = (one for one in dominants if one in loudest)
    return SpeakersChanged(speakers, next(speaking, dominants[0] if dominants else None))


class Speaking:
    """The latest that each node said."""

    def __init__(self) -> None:
        self._reports: dict[str, SpeakersChanged] = {}

    def changed(self, node_id: str, report: SpeakersChanged, nodes: Sequence[str]) -> SpeakersChanged:
        """One report of all. `nodes`: those of the session, the main node first."""
        self._reports[node_id] = report
        return merge([self._reports[one] for one in nodes if one in self._reports])

    def forget_node(self, node_id: str) -> None:
        self._reports.pop(node_id, None)
