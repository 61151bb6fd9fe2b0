"""Why the server closes a socket: WebSocket close codes (RFC 6455 section 7.4, 4000 to 4999 are ours)."""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    LEFT = 1000
    """The peer left."""
    POLICY = 1008
    """Too many malformed or refused frames."""
    SERVICE_RESTART = 1012
    """The server is going down: connect again and join."""
    KICKED = 4001
    """Removed by a host or by the API. Do not reconnect."""
    ENDED = 4002
    """The session was ended for everybody."""
    TIMEOUT = 4003
    """The peer was away for longer than it may be."""
    REPLACED = 4004
    """The peer was resumed on another socket."""
    TIMED_OUT = 4005
    """The client token is over, and no other came in time."""
    NO_JOIN = 4006
    """No join or resume came in time."""
    REJECTED = 4007
    """It waited to be admitted, and was not."""
