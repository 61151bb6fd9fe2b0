"""When to ask a publisher for a key frame: requests of many receivers become one per interval."""

from __future__ import annotations

THROTTLE = 0.5
"""Seconds between two requests for one encoding."""


class KeyframeRequests:
    """Merges and paces requests. `poll` says when one is to be sent; a key frame answers all of them."""

    __slots__ = ("_last_sent", "ahead", "requested", "sent", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        self.ahead = False
        """Whether one is wanted by somebody who cannot receive it yet."""
        self.requested = 0
        self.sent = 0
        self._last_sent = float("-inf")

    def request(self) -> None:
        self.requested += 1
        self.wanted = True

    def request_ahead(self) -> None:
        """Somebody is about to come: one request, so that the key frame is there when they are. It is not
        repeated, for once they are there they ask for themselves."""
        self.requested += 1
        self.ahead = True

    def handle_keyframe(self) -> None:
        self.wanted = self.ahead = False

    def poll(self, now: float, interval: float = THROTTLE) -> bool:
        """True when a request is due now. It is repeated every `interval` until a key frame comes."""
        if not (self.wanted or self.ahead) or now - self._last_sent < interval:
            return False
        self.ahead = False
        self._last_sent = now
        self.sent += 1
        return True
