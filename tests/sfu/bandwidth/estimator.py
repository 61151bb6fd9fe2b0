"""A bandwidth controller that says what it made of its messages, and may be told to be careful."""

from __future__ import annotations

from sfu.bandwidth.controller import BandwidthController
from sfu.bandwidth.loss import LossBound
from sfu.bandwidth.twcc import Ledger, Sweep


class OpenLedger(Ledger):
    @property
    def waiting_since(self) -> float | None:
        """When the oldest batch left that feedback has not spoken of; None if there is none."""
        if self._open:
            return self._open[0][1]
        return self.sent[0][1] if self.sent else None


class CountingLoss(LossBound):
    """Remembers all that was ever counted."""

    def __init__(self) -> None:
        super().__init__()
        self.all_lost = self.all_received = 0

    def handle(self, lost: int, received: int, estimate: float, now: float) -> None:
        self.all_lost += lost
        self.all_received += received
        super().handle(lost, received, estimate, now)


class Estimator(BandwidthController):
    """`calm` counts the messages that took the short way; with `careful` there is none."""

    def __init__(self, *, careful: bool = False) -> None:
        super().__init__(0.0)
        self.expects_feedback = True
        self.calm = 0
        self.book = self.ledger = OpenLedger()
        self.losses = self._loss = CountingLoss()
        self._careful = careful

    def _take_calmly(self, sweep: Sweep, now: float) -> bool:
        taken = not self._careful and super()._take_calmly(sweep, now)
        self.calm += taken
        return taken
