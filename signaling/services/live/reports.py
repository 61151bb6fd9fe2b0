"""What is measured of everybody who is in, and what they tell of their devices: kept in the store.

Every few seconds each session's connections are sampled, and what passed over them becomes a point of the
peer's series. What was measured is written every few minutes, and soon after the peer left; of many peers in
few transactions. So a process that dies loses what was measured since it was written last, and no more: the
next one goes on with what the store has.

It does not go through the owners of the sessions, which have better to do, and changes nothing of them.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from signaling.domain.candidate_pair import CandidatePair
from signaling.domain.media_devices import MediaDevice
from signaling.domain.peer import Peer
from signaling.domain.peer_quality import Heading, Reading, Track
from signaling.domain.peer_report import PeerReport, StoredReport
from signaling.domain.quality_series import Point
from signaling.errors import MediaUnavailableError
from signaling.services.live.ports import ConnectionSample, Direction, MediumSample
from signaling.services.live.session import LiveSession
from signaling.services.live.surroundings import Surroundings
from signaling.services.ports import UnitOfWork
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

BATCH: Final = 50
"""Reports in one transaction: others wait for it meanwhile."""
MAX_WAITING: Final = 10_000
"""Of peers that left, while the store is away; of more than these, the oldest are given up."""
_V6_SUBNET: Final = 64
_HEADINGS: Final[dict[Direction, Heading]] = {"publish": "sent", "subscribe": "received"}


@dataclass(slots=True)
class _Kept:
    """Times are the clock's seconds since 1970."""

    organization_id: str
    session_id: str
    report: PeerReport = field(default_factory=PeerReport)
    sampled_at: float | None = None
    saved_at: float = 0.0
    changed: bool = False


class PeerReports:
    """Of the peers of one process. Implements `signaling.services.ports.CurrentReports`."""

    def __init__(self, around: Surroundings, sessions: Callable[[], Iterable[LiveSession]]) -> None:
        self._around = around
        self._sessions = sessions
        self._present: dict[str, _Kept] = {}
        self._gone: dict[str, _Kept] = {}
        """By peer id: they left, and the rest is to be written."""

    def current(self, peer_id: str) -> PeerReport | None:
        kept = self._present.get(peer_id) or self._gone.get(peer_id)
        return None if kept is None else kept.report

    @property
    def unwritten(self) -> Set[str]:
        """The sessions of which peers left whose reports are not written yet."""
        return {kept.session_id for kept in self._gone.values()}

    async def resume(self) -> None:
        """Go on with what another process wrote of the peers that were taken over. Never raises: what cannot
        be read is begun anew."""
        for live in self._sessions():
            organization_id, peer_ids = live.session.organization_id, list(live.session.peers)
            try:
                async with self._around.uow(reading=True) as uow:
                    found = await uow.peer_reports.of(organization_id, peer_ids)
            except Exception as error:  # whatever the store's adapter raises
                log.warning("peer_reports.not_read", session=live.session.id, error=repr(error))
                continue
            for one in found:
                saved_at = one.updated_at.timestamp()
                kept = _Kept(organization_id, live.session.id, one.report, saved_at=saved_at)
                self._present[one.peer_id] = kept

    def handle_devices(
        self, live: LiveSession, peer_id: str, present: Sequence[MediaDevice], used: Sequence[MediaDevice]
    ) -> None:
        """One who is in told of them."""
        kept, now = self._kept(live, peer_id), self._around.clock.now().timestamp()
        if kept.report.devices.handle_told(present, used, now):
            kept.changed = True

    def handle_left(self, peer_id: str) -> None:
        kept = self._present.pop(peer_id, None)
        if kept is not None and kept.changed:
            self._gone[peer_id] = kept

    async def poll(self) -> None:
        """One round: sample everybody, write what is due. Never raises."""
        for live in list(self._sessions()):
            try:
                await self._sample(live)
            except MediaUnavailableError:
                pass  # it has no place yet, or lost it
            except Exception:
                log.exception("peer_reports.not_sampled", session=live.session.id)
        await self.save(self._around.settings.keep_reports_every)

    async def save(self, every: float = 0.0) -> None:
        """Writes all of those who left, and of the others what was written longer ago than that. What cannot
        be written waits for the next time."""
        now = self._around.clock.now().timestamp()
        due = {
            peer_id: kept
            for peer_id, kept in self._present.items()
            if kept.changed and now - kept.saved_at >= every
        }
        of_each: dict[str, list[str]] = defaultdict(list)
        for peer_id, kept in (due | self._gone).items():
            of_each[kept.organization_id].append(peer_id)
        for organization_id, peer_ids in of_each.items():
            for begin in range(0, len(peer_ids), BATCH):
                if not await self._save(organization_id, peer_ids[begin : begin + BATCH]):
                    return

    # --- inside ---------------------------------------------------------------------------------------

    async def _sample(self, live: LiveSession) -> None:
        samples = await live.media.sample()
        now = self._around.clock.now().timestamp()
        of_each: dict[str, list[ConnectionSample]] = defaultdict(list)
        for sample in samples:
            of_each[sample.peer_id].append(sample)
        for peer in list(live.session.peers.values()):
            _take(self._kept(live, peer.id), peer, of_each.get(peer.id, ()), now)

    def _kept(self, live: LiveSession, peer_id: str) -> _Kept:
        kept = self._present.get(peer_id)
        if kept is None:
            now, session = self._around.clock.now().timestamp(), live.session
            kept = self._present[peer_id] = _Kept(session.organization_id, session.id, saved_at=now)
        return kept

    async def _save(self, organization_id: str, peer_ids: Sequence[str]) -> bool:
        now = self._around.clock.now()
        kept = {one: self._present.get(one) or self._gone[one] for one in peer_ids}
        reports = [StoredReport(one, now, each.report) for one, each in kept.items()]
        try:
            await committed(self._around.uow, partial(_write, organization_id, reports))
        except Exception as error:  # whatever the store's adapter raises: it is tried again
            log.warning("peer_reports.not_saved", peers=len(reports), error=repr(error))
            for peer_id in list(self._gone)[: len(self._gone) - MAX_WAITING]:
                del self._gone[peer_id]
            return False
        for peer_id, each in kept.items():
            each.saved_at, each.changed = now.timestamp(), False
            if self._gone.get(peer_id) is each:
                del self._gone[peer_id]
        return True


async def _write(organization_id: str, reports: Sequence[StoredReport], uow: UnitOfWork) -> None:
    await uow.peer_reports.save(organization_id, reports)


def _take(kept: _Kept, peer: Peer, samples: Iterable[ConnectionSample], now: float) -> None:
    since = kept.sampled_at if kept.sampled_at is not None else kept.report.series.until
    if since is None:
        since = peer.joined_at.timestamp()
    kept.sampled_at = now
    elapsed = now - since
    if elapsed <= 0:
        return
    readings: dict[Track, Reading] = {}
    for sample in samples:
        heading = _HEADINGS[sample.direction]
        for one in sample.media:
            track = Track(heading, one.medium)
            # While it moves from one node to another it has two connections, of which one carries little.
            other = readings.get(track)
            if other is None or one.packets > other.packets:
                readings[track] = _reading(one, elapsed)
        pair = _pair(sample, heading, since, now)
        if pair is not None:
            kept.report.pairs.add(pair)
            kept.changed = True
    if readings:
        kept.report.series.add(Point(now, readings))
        kept.changed = True


def _reading(one: MediumSample, seconds: float) -> Reading:
    return Reading(
        seconds=seconds,
        streams=one.streams,
        packets=one.packets,
        octets=one.octets,
        lost=one.lost,
        jitter=one.jitter,
        rtt=one.rtt,
        frame_rate=one.frame_rate,
        frozen=min(one.frozen, seconds),
        score=one.score,
        worst=one.worst,
    )


def _pair(sample: ConnectionSample, heading: Heading, since: float, now: float) -> CandidatePair | None:
    path = sample.path
    if path is None:
        return None
    return CandidatePair(
        heading=heading,
        protocol=path.protocol,
        local_address=path.local_host,
        local_port=path.local_port,
        remote_address=_shortened(path.remote_host),
        remote_port=path.remote_port,
        remote_type=path.remote_type,
        since=since,
        until=now,
        rtt=path.rtt,
        estimate=path.estimate,
        packets=sum(one.packets for one in sample.media),
        octets=sum(one.octets for one in sample.media),
    )


def _shortened(host: str) -> str:
    """A client's address as it is kept everywhere: of IPv6 the subnet."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.ip_network((address, _V6_SUBNET), strict=False))
