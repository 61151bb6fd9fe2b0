"""Of a session on two nodes the same loudest voices are forwarded on both."""

from __future__ import annotations

from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.bots.subscribe import SubscribeTransport
from sfu.control import messages as m
from tests.support.node_pair import Pair, Side, joined, packets
from tests.support.wait import wait_until

A_LOUD, A_QUIET, B_VOICE = 1, 2, 3


class Session:
    """Two people speak on the first node and one on the second; on each somebody hears all three."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.tracks: dict[int, OutboundTrack] = {}
        self.listeners: dict[str, list[SubscribeTransport]] = {"first": [], "second": []}

    async def begin(self, **levels: int) -> None:
        pair = self.pair
        for name, stream_id, origin, far in (
            ("loud", A_LOUD, pair.first, pair.second),
            ("quiet", A_QUIET, pair.first, pair.second),
            ("other", B_VOICE, pair.second, pair.first),
        ):
            await self._speak(stream_id, levels[name], origin, far)

    async def _speak(self, stream_id: int, level: int, origin: Side, far: Side) -> None:
        def add(publisher: PublishTransport) -> OutboundTrack:
            track = publisher.add_audio(stream_id, payload_size=80)
            track.encodings[0].level = level
            return track

        producer_id, self.tracks[stream_id] = await self.pair.publish(origin, add)
        await self.pair.carry(producer_id, origin, far)
        for name, side in (("first", self.pair.first), ("second", self.pair.second)):
            _, client = await self.pair.subscribe(side, producer_id)
            self.listeners[name].append(client)

    def set_level(self, stream_id: int, level: int) -> None:
        self.tracks[stream_id].encodings[0].level = level

    def heard(self, side: str, stream_id: int) -> int:
        return sum(packets(client, stream_id) for client in self.listeners[side])

    async def only_are_heard(self, *stream_ids: int) -> None:
        """On both nodes these go on for a second, in which nothing comes of any other."""
        everybody = [(side, one) for side in self.listeners for one in self.tracks]
        chosen = [place for place in everybody if place[1] in stream_ids]
        silent = [place for place in everybody if place[1] not in stream_ids]
        mark: dict[tuple[str, int], int] = {}

        def settled() -> bool:
            now = {place: self.heard(*place) for place in everybody}
            if not mark or any(now[place] != mark[place] for place in silent):
                mark.update(now)
            return all(now[place] >= mark[place] + 50 for place in chosen)

        await wait_until(settled, lambda: f"{stream_ids} and no other; {mark}")


async def test_the_same_voices_are_forwarded_on_both_nodes_and_change_on_both() -> None:
    async with joined(loudest_audio=2) as pair:
        session = Session(pair)
        await session.begin(loud=20, quiet=60, other=30)
        await session.only_are_heard(A_LOUD, B_VOICE)
        session.set_level(A_QUIET, 10)
        session.set_level(B_VOICE, 70)
        await session.only_are_heard(A_LOUD, A_QUIET)


async def test_a_voice_of_another_node_takes_the_only_place() -> None:
    async with joined(loudest_audio=1) as pair:
        session = Session(pair)
        await session.begin(loud=40, quiet=60, other=20)
        await session.only_are_heard(B_VOICE)
        session.set_level(B_VOICE, 90)
        await session.only_are_heard(A_LOUD)


async def test_a_limit_is_set_and_lifted_while_people_speak() -> None:
    async with joined() as pair:
        session = Session(pair)
        await session.begin(loud=20, quiet=60, other=30)
        await session.only_are_heard(A_LOUD, A_QUIET, B_VOICE)
        for side in (pair.first, pair.second):
            await side.do(m.LimitVoices(router_id="r", loudest_audio=1))
        await session.only_are_heard(A_LOUD)
        for side in (pair.first, pair.second):
            await side.do(m.LimitVoices(router_id="r", loudest_audio=None))
        await session.only_are_heard(A_LOUD, A_QUIET, B_VOICE)
