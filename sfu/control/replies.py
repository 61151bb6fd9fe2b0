"""What a node's reply is to whoever asked."""

from __future__ import annotations

from sfu.control.messages import Failed, Reply
from sfu.errors import NodeCommandError


def checked(reply: Reply) -> Reply:
    """Raises `NodeCommandError` where the node refused."""
    if isinstance(reply, Failed):
        raise NodeCommandError(reply.code, reply.message)
    return reply
