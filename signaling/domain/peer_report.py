"""What is known of one peer from while it was in: the course of its quality, its addresses, its devices."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from signaling.domain.candidate_pair import CandidatePairs
from signaling.domain.media_devices import MediaDevices
from signaling.domain.quality_series import QualitySeries

FORM: Final = 1
"""Of what `pack` writes. Reports of a form that is not known are not read."""


@dataclass(slots=True)
class PeerReport:
    """Grows while the peer is in."""

    series: QualitySeries = field(default_factory=QualitySeries)
    pairs: CandidatePairs = field(default_factory=CandidatePairs)
    devices: MediaDevices = field(default_factory=MediaDevices)

    @property
    def empty(self) -> bool:
        return not len(self.series) and not len(self.pairs) and not len(self.devices)

    def pack(self) -> bytes:
        """A line of JSON, then the numbers of the series."""
        header = {"form": FORM, "series": self.series.header(), "pairs": self.pairs.to_values()}
        if len(self.devices):
            header["devices"] = self.devices.to_values()
        return json.dumps(header, separators=(",", ":")).encode() + b"\n" + self.series.to_bytes()

    @classmethod
    def unpack(cls, data: bytes) -> PeerReport:
        """Raises `ValueError` for what `pack` did not write."""
        line, newline, numbers = data.partition(b"\n")
        header = json.loads(line)
        if not newline or not isinstance(header, dict) or header.get("form") != FORM:
            raise ValueError("this is no report of a peer")
        try:
            pairs = CandidatePairs.from_values(header["pairs"])
            told = header.get("devices")  # clients need not tell, and older ones do not
            devices = MediaDevices() if told is None else MediaDevices.from_values(told)
            return cls(QualitySeries.from_bytes(header["series"], numbers), pairs, devices)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError("this is no report of a peer") from error


@dataclass(frozen=True, slots=True)
class StoredReport:
    """As of `updated_at`."""

    peer_id: str
    updated_at: datetime
    report: PeerReport
