"""A bot that receives over another connection from now on (`subscribe_move`), without a gap.

The new connection is built beside the old one. Once every stream that flows on the old one flows on the new
one too, the bot is to take the new one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from sfu.bots.subscribe import SubscribeTransport

LOOK_EVERY: Final = 0.02
GIVE_UP_AFTER: Final = 8.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Move:
    number: int
    transport: SubscribeTransport


async def arrive(old: SubscribeTransport, new: SubscribeTransport) -> bool:
    """Whether the new connection carries what the old one does; False after a while of waiting."""
    loop = asyncio.get_running_loop()
    until = loop.time() + GIVE_UP_AFTER
    before = _packets(old)
    while loop.time() < until:
        await asyncio.sleep(LOOK_EVERY)
        now = _packets(old)
        flowing = {one for one, packets in now.items() if packets > before.get(one, 0)}
        if flowing and flowing <= _packets(new).keys():
            return True
    return False


def _packets(transport: SubscribeTransport) -> dict[int, int]:
    """By stream id."""
    counts: dict[int, int] = {}
    for stream in transport.media_streams():
        if stream.tally.stream_id is not None:
            counts[stream.tally.stream_id] = counts.get(stream.tally.stream_id, 0) + stream.tally.packets
    return counts
