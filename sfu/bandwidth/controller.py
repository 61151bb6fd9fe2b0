"""How much one receiver's path carries: what the rest of the node knows of bandwidth estimation.

One `BandwidthController` belongs to each subscribe transport. It is fed with whatever the receiver sends
(transport-wide feedback, or receiver reports from those who lack that; REMB from anybody) and asked on a
tick, and its `estimate` is what the allocator may spend:

    feedback -> Ledger -> bursts -+-> DelayTrend -> RateControl --+
                                  +-> Throughput --^              +-> least of all -> estimate
                                  +-> Prober ------^              |
                       losses ------> LossBound ------------------+
    REMB ---------------------------------------------------------+

A REMB is the most that a receiver says it can or will take (draft-alvestrand-rmcat-remb-03), so it bounds
everybody. Where transport-wide feedback tells what the path carries, it is no more than that bound; without,
it is the estimate as well. Whoever names little is sent little, and nobody else hears of it; whoever names
much gets no more than the rest allows.

The usual message says that all came and that no queue stands. It is taken as a whole (`_take_calmly`): what
it says of rates and losses is booked, and the trend takes it in only if the next one says something else.

All rates are bits per second above UDP: RTP headers and authentication count, IP and UDP headers do not.
"""

from __future__ import annotations

from math import exp
from typing import Final

from sfu.bandwidth.loss import TOLERATED, LossBound
from sfu.bandwidth.prober import ENOUGH, Prober
from sfu.bandwidth.rate import CROWDED, MAX_RATE, MIN_RATE, RateControl
from sfu.bandwidth.stalls import Stalls
from sfu.bandwidth.throughput import Throughput
from sfu.bandwidth.trend import DelayTrend, Usage
from sfu.bandwidth.twcc import Ledger, Sweep
from sfu.rtp.arrivals import parse_arrivals

START_RATE: Final = 300_000
REMB_VALID: Final = 10.0
"""Seconds after which a REMB that was not repeated is forgotten."""
SILENT_AFTER: Final = 2.5
"""Seconds for which packets go out and no feedback comes, once there has been some, that count as trouble."""
STALE_AFTER: Final = 1.0
"""Seconds without any feedback after which a queue seen last says nothing: it has drained long since."""
BEHIND_FOR: Final = 1.0
"""Seconds for which one message that was dropped unread stands for others."""
OUTAGE: Final = 1.5
FORGIVEN_FOR: Final = 0.5
"""Seconds after an outage (or a time without traffic) in which losses are still the outage's."""
SILENCE_STEP: Final = 0.5
PROBE_SHADOW: Final = 0.15
"""Seconds (and a round trip) in which a queue is the probe's own doing."""
MAX_PROBE_QUEUE: Final = 0.2
"""Seconds of queue that a probe may leave behind."""
REPORT_GROWTH, FIRST_GROWTH = 0.08, 0.35
"""Per second, where nothing but losses is reported: in general, and before the first loss."""


class BandwidthController:
    """`ledger.sent` is where the forwarding loop notes what it sends; `stalls` are that loop's."""

    __slots__ = (
        "_feedback_at",
        "_forgiven_until",
        "_heard_at",
        "_loss",
        "_lossless",
        "_polled_at",
        "_probe_ended_at",
        "_rate",
        "_remb",
        "_remb_at",
        "_reported_at",
        "_silence_at",
        "_stalls",
        "_throughput",
        "_trend",
        "_unread_at",
        "expects_feedback",
        "feedbacks",
        "ledger",
        "prober",
        "rtt",
    )

    def __init__(self, now: float, *, start: int = START_RATE, stalls: Stalls | None = None) -> None:
        self.ledger = Ledger()
        self.prober = Prober()
        self.rtt = 0.1
        """Seconds to the receiver and back, of the last message."""
        self.expects_feedback = False
        """The receiver negotiated transport-wide feedback; others are sent what REMB and reports allow."""
        self.feedbacks = 0
        self._trend = DelayTrend()
        self._throughput = Throughput()
        self._rate = RateControl(start)
        self._loss = LossBound()
        self._remb = MAX_RATE
        self._remb_at = float("-inf")
        self._feedback_at: float | None = None
        self._heard_at: float | None = None
        """When the last message came, read or not."""
        self._unread_at = float("-inf")
        """When a message was dropped unread last."""
        self._reported_at: float | None = None
        self._silence_at = now
        self._probe_ended_at = float("-inf")
        self._polled_at = now
        self._lossless = True
        self._forgiven_until = float("-inf")
        self._stalls = Stalls() if stalls is None else stalls

    # --- reading -------------------------------------------------------------------------------------

    @property
    def estimate(self) -> int:
        """Bits per second that may be spent."""
        return int(max(MIN_RATE, min(self._rate.rate, self._loss.bound, self._remb)))

    @property
    def target_padding(self) -> int:
        """Bits per second of a probe that is being sent, 0 otherwise."""
        return int(self.prober.rate)

    @property
    def probing(self) -> bool:
        """`poll` wants to be called every 20 milliseconds."""
        return self.prober.active

    @property
    def delivered(self) -> int:
        """Bits per second that arrived of late, 0 where unknown."""
        return int(self._throughput.delivered or 0)

    @property
    def loss(self) -> float:
        """Share of packets lost in the last second of reports."""
        return self._loss.ratio

    @property
    def crowded(self) -> bool:
        """Whether packets wait on the way for longer than they should."""
        return self._trend.queue >= CROWDED

    @property
    def queue(self) -> float:
        """Seconds that packets wait on the way, above the least lately."""
        return self._trend.queue

    def is_outdated(self, now: float) -> bool:
        """Whether there was news lately that we did not read, of a path that had room when we did: it may
        carry more by now than the estimate says."""
        return self._is_behind(now) and not self.crowded and not self._rate.holding

    # --- feeding -------------------------------------------------------------------------------------

    def handle_feedback(self, packet: bytes, now: float) -> bool:
        """One packet of transport-wide feedback, header included. Whether the estimate was cut for it.

        Raises `RtcpError` if malformed.
        """
        arrivals = parse_arrivals(packet)
        self.feedbacks += 1
        if self._feedback_at is not None and now - self._feedback_at > OUTAGE:
            self._end_outage(now)
        self._feedback_at = self._heard_at = self._silence_at = now
        sweep = self.ledger.sweep(arrivals, now)
        if sweep is None:
            bursts, lost, end = self.ledger.handle(arrivals, now)
        elif self._take_calmly(sweep, now):
            return False
        else:
            bursts, lost, end = sweep.bursts(), 0, sweep.end
        received = 0
        for burst in bursts:
            received += burst.packets
        if lost and (now < self._forgiven_until or self._stalls.excuses(self.rtt, now)):
            lost = 0
        if lost or received:
            self._loss.handle(lost, received, self.estimate, now)
            self._lossless = self._lossless and not lost
        if not bursts:
            return False
        self.rtt = max(0.0, now - bursts[-1].sent_at)
        self._throughput.handle(bursts)
        usage = self._trend.handle(bursts, now)
        if self.prober.watching:
            self._probe_ended_at = now
            proved = self.prober.handle(bursts, end, now, least=self._trend.least, loss=self._loss.ratio)
            if proved is not None and self._loss.excess < TOLERATED:
                self._rate.handle_probe(proved)
                self._loss.handle_probe(proved)
        if usage is Usage.OVER and (
            self._is_probes_doing(now) or self._stalls.explain(self._trend.queue, self.rtt, now)
        ):
            usage = Usage.UNDER
        if usage is Usage.OVER:
            self.prober.abandon(now)
        return self._rate.handle(usage, self._throughput, self._trend.queue, self.rtt, now)

    def _take_calmly(self, sweep: Sweep, now: float) -> bool:
        """Whether a message is like the ones before: no queue, and nobody waits for what it says in detail.

        Then this is all of it, and comes to the same as the long way.
        """
        groups = sweep.groups
        if self.prober.watching or self._rate.holding or not self._trend.pass_over(groups, now):
            return False
        self.rtt = max(0.0, now - groups[-1].sent_at)
        self._loss.handle(0, sweep.packets, self.estimate, now)
        self._throughput.handle(groups)
        self._rate.handle(Usage.NORMAL, self._throughput, self._trend.queue, self.rtt, now)
        return True

    def handle_unread(self, now: float) -> None:
        """Messages came and waited for so long that they were dropped unread: the receiver is not silent, it
        is us who do not listen."""
        if self._heard_at is not None:
            self._heard_at = self._silence_at = self._unread_at = now
            self._throughput.handle_gap()

    def handle_remb(self, bitrate: int, now: float) -> None:
        """The most that a receiver wants to be sent, whatever else it says; forgotten after `REMB_VALID`."""
        self._remb = max(float(bitrate), MIN_RATE)
        self._remb_at = now

    def handle_loss(self, fraction: float, now: float) -> None:
        """The share of packets lost by a receiver report; only where nothing better comes."""
        if self.expects_feedback:
            return
        elapsed = 1.0 if self._reported_at is None else now - self._reported_at
        if elapsed < 0.5:
            return
        self._reported_at = now
        self._lossless = self._lossless and fraction < TOLERATED
        self._loss.handle_ratio(fraction, self.estimate, elapsed)

    # --- time ----------------------------------------------------------------------------------------

    def poll(self, now: float, wanted: int) -> int:
        """Once a tick; `wanted` is what the allocator would spend if it had it.

        Returns the bytes of padding to send now; say with `note_padding` what became of them.
        """
        elapsed = min(now - self._polled_at, 1.0)
        self._polled_at = now
        if now - self._remb_at > REMB_VALID:
            self._remb = MAX_RATE
        if not self.expects_feedback:
            self._grow_blindly(elapsed, wanted)
            return 0
        self._watch_silence(now)
        return self.prober.poll(
            now,
            estimate=self.estimate,
            # Beyond what it wants, nothing is to be found out.
            wanted=min(wanted, self._remb / ENOUGH),
            offered=self._throughput.offered or 0.0,
            steady=self._is_steady(now),
        )

    def note_padding(self, first: int, end: int) -> None:
        """The padding asked for left under the transport-wide numbers from `first` to before `end`."""
        self.prober.note_sent(first, end)

    def _is_steady(self, now: float) -> bool:
        """Nothing speaks against sending more for a moment: what was seen last, or that it was long ago; nor
        that nobody has the time to read what comes back."""
        if self._is_behind(now):
            return False
        if self._feedback_at is None or now - self._feedback_at > STALE_AFTER:
            self._loss.relax()
            return True
        return not self._rate.holding and self._trend.queue < CROWDED and self._loss.excess < TOLERATED

    def _is_behind(self, now: float) -> bool:
        """Whether we have no time to read all that the receiver tells."""
        return now - self._unread_at < BEHIND_FOR

    def _is_probes_doing(self, now: float) -> bool:
        """Whether a queue is explained by the cluster just sent, which began on an empty one."""
        return now - self._probe_ended_at < PROBE_SHADOW + self.rtt and self._trend.queue < MAX_PROBE_QUEUE

    def _grow_blindly(self, elapsed: float, wanted: int) -> None:
        """Without transport-wide feedback: up, as far as is wanted and reports or a REMB allow it."""
        if self._rate.rate >= wanted or self._loss.excess > TOLERATED:
            return
        if self._remb < MAX_RATE:
            self._rate.handle_probe(min(self._remb, 1.3 * wanted))
            return
        growth = FIRST_GROWTH if self._lossless else REPORT_GROWTH
        self._rate.handle_probe(self._rate.rate * exp(growth * elapsed))

    def _end_outage(self, now: float) -> None:
        """The path was away and is back: what it swallowed meanwhile is not held against it."""
        self._forgiven_until = now + FORGIVEN_FOR
        self._loss.relax()
        self.prober.hasten(now)

    def _watch_silence(self, now: float) -> None:
        """A step down each time that packets went on going out, and nothing came back for long."""
        heard_at, newest_at = self._heard_at, self.ledger.newest_at
        if heard_at is None or newest_at is None or newest_at <= self._silence_at:
            return
        if now - self._silence_at >= SILENCE_STEP and self.ledger.unanswered(heard_at) >= SILENT_AFTER:
            self._silence_at = now
            self._rate.handle_silence()
