"""A session's notes, kept on every node that it is on: any of them is enough to take it up again.

They live as long as the media does, in the node's memory, and nobody else can read them. A note that did not
arrive because this process died in the middle of it is of no account: what it was about was not answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sfu.control import messages as node
from signaling.nodes.media import NodeMedia

ID: Final = "id"
"""The key under which the session's own id is noted."""


class SessionNotes:
    def __init__(self, session_id: str, texts: Mapping[str, str] | None = None, revision: int = 0) -> None:
        self._texts: dict[str, str] = {**(texts or {}), ID: session_id}
        self._revision = revision

    @property
    def texts(self) -> Mapping[str, str]:
        return self._texts

    def change(self, changes: Mapping[str, str | None], parts: Iterable[NodeMedia]) -> None:
        self._revision += 1
        for key, text in changes.items():
            if text is None:
                self._texts.pop(key, None)
            else:
                self._texts[key] = text
        for part in parts:
            self._tell(part, changes)

    def give(self, part: NodeMedia) -> None:
        """All of them, to a node that the session is on from now on."""
        self._tell(part, self._texts)

    def _tell(self, part: NodeMedia, notes: Mapping[str, str | None]) -> None:
        told = node.SetNotes(router_id=part.router_id, revision=self._revision, notes=dict(notes))
        part.link.tell(told)
