"""The pairs of addresses that a peer's media went over, in the order in which they were chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from signaling.domain.peer_quality import Heading

CandidateProtocol = Literal["udp", "tcp"]
CandidateType = Literal["host", "srflx", "prflx", "relay"]
"""RFC 8445 section 5.1.1; prflx where the client did not announce the address."""
MAX_PAIRS: Final = 16
"""Of one peer. Of one that changes its address more often, the first and the latest are kept."""


@dataclass(frozen=True, slots=True)
class CandidatePair:
    """`local` is ours. Times are in seconds since 1970, the round trip in seconds, the estimate in bits per
    second; packets, and octets of payload, are those that went the way of `heading`."""

    heading: Heading
    protocol: CandidateProtocol
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    remote_type: CandidateType
    since: float
    until: float
    """When it was seen to be in use last."""
    rtt: float | None = None
    estimate: float | None = None
    packets: int = 0
    octets: int = 0

    def same_as(self, other: CandidatePair) -> bool:
        return _ends(self) == _ends(other)


class CandidatePairs:
    def __init__(self, pairs: Iterable[CandidatePair] = ()) -> None:
        self._pairs = list(pairs)

    def __iter__(self) -> Iterator[CandidatePair]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def add(self, seen: CandidatePair) -> None:
        """What passed over it since it was seen before, and how it is now."""
        current = self._current(seen.heading)
        if current is not None and self._pairs[current].same_as(seen):
            before = self._pairs[current]
            self._pairs[current] = replace(
                seen,
                since=before.since,
                rtt=before.rtt if seen.rtt is None else seen.rtt,
                packets=before.packets + seen.packets,
                octets=before.octets + seen.octets,
            )
            return
        if len(self._pairs) >= MAX_PAIRS:
            del self._pairs[1]
        self._pairs.append(seen)

    def to_values(self) -> list[dict[str, Any]]:
        return [asdict(one) for one in self._pairs]

    @classmethod
    def from_values(cls, values: Iterable[Mapping[str, Any]]) -> CandidatePairs:
        """Raises `TypeError` for what are none."""
        return cls(CandidatePair(**one) for one in values)

    def _current(self, heading: Heading) -> int | None:
        """The place of the latest one that leads there."""
        places = (place for place in reversed(range(len(self._pairs))))
        return next((place for place in places if self._pairs[place].heading == heading), None)


def _ends(pair: CandidatePair) -> tuple[str | int, ...]:
    return (
        pair.protocol,
        pair.local_address,
        pair.local_port,
        pair.remote_address,
        pair.remote_port,
        pair.remote_type,
    )
