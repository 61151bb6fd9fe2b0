"""Prometheus metrics of one serving process.

Labels are bounded: routes, methods, status codes, worker indices, directions, kinds and layers of streams.
Nothing is by meeting, peer or stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from signaling.services.ports import MetricsSource, Spread, WebhookStatus, WorkerStatus

_ATTEMPT_OUTCOMES = ("DELIVERED", "QUEUED", "FAILED")
_STREAM_LABELS = ("worker", "direction", "kind")
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    def __init__(
        self,
        source: MetricsSource,
        sockets: Callable[[], Mapping[str, float]] = dict,
        webhooks: Callable[[], WebhookStatus] = WebhookStatus,
    ) -> None:
        """`sockets` has totals of the client protocol's WebSockets, and `open`: how many there are now."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "rostrum_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "rostrum_http_request_seconds",
            "Time from a request's head to its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._observed: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        """By method, route and status: to find them by their labels takes as long as to count."""
        tasks = Gauge("rostrum_tasks", "Tasks of the signaling process.", registry=self._registry)
        tasks.set_function(lambda: len(asyncio.all_tasks()))
        self._registry.register(WorkerCollector(source))
        self._registry.register(SocketCollector(sockets))
        self._registry.register(WebhookCollector(webhooks))

    def observe_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the template ("/v2/meetings/{meeting_id}"), never a path as sent."""
        known = self._observed.get((method, route, status))
        if known is None:
            requests = self._requests.labels(method, route, str(status))
            known = self._observed[method, route, status] = requests, self._seconds.labels(method, route)
        known[0].inc()
        known[1].observe(seconds)

    def to_text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self._registry)


class WorkerCollector(Collector):
    """Asks for the media workers' last reports at each scrape."""

    def __init__(self, source: MetricsSource) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        workers = self._source.workers()
        yield _gauge("up", "1 while the media worker serves.", [(w, float(w.serving)) for w in workers])
        yield _gauge("cpu", "Busy fraction of one core.", [(w, w.cpu) for w in workers])
        yield _gauge(
            "packets_per_second",
            "Packets forwarded per second.",
            [(w, w.packets_per_second) for w in workers],
        )
        yield _gauge(
            "pressure",
            "What the worker gives up: 0 nothing, 1 unseen video, 2 small videos' better layers, 3 all "
            "better layers, 4 all video but screens and the speaker's.",
            [(w, float(w.pressure)) for w in workers],
        )
        yield _delays(workers)
        yield from _quality(workers)
        yield _freezes(workers)
        yield _layers(workers)
        yield _gauge("lag_seconds", "Mean lateness of the worker's timers.", [(w, w.lag) for w in workers])
        yield _gauge("routers", "Sessions on the worker.", [(w, float(w.routers)) for w in workers])
        yield _gauge("transports", "Transports on the worker.", [(w, float(w.transports)) for w in workers])
        yield _counter("restarts", "Times the worker was started again.", [(w, w.restarts) for w in workers])
        for name in sorted({name for w in workers for name in w.counters}):
            values = [(w, w.counters[name]) for w in workers if name in w.counters]
            yield _counter(_metric_name(name), f"Counter {name} of the media worker.", values)


class SocketCollector(Collector):
    """The WebSockets of the client protocol."""

    def __init__(self, counters: Callable[[], Mapping[str, float]]) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        for name, value in sorted(self._counters().items()):
            metric = f"rostrum_sockets_{_metric_name(name)}"
            if name == "open":
                yield GaugeMetricFamily(metric, "Sockets open now.", value=value)
            else:
                yield CounterMetricFamily(metric, f"Sockets or frames: {name}.", value=value)


class WebhookCollector(Collector):
    """Deliveries of webhooks."""

    def __init__(self, status: Callable[[], WebhookStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        status = self._status()
        attempts = CounterMetricFamily(
            "rostrum_webhook_attempts",
            "Attempts to deliver, by what they made of the delivery; queued: it is tried again.",
            labels=["outcome"],
        )
        for outcome in _ATTEMPT_OUTCOMES:
            attempts.add_metric([outcome.lower()], status.attempts.get(outcome, 0))
        yield attempts
        yield CounterMetricFamily(
            "rostrum_webhook_discarded", "Deliveries discarded unsent.", value=status.discarded
        )
        for name, help_text, value in (
            ("attempting", "Attempts that go on in this process.", status.busy),
            ("queued", "Unfinished deliveries in the store, as of the last look.", status.queued),
            ("oldest_seconds", "For how long the oldest of them has waited.", status.oldest_age),
        ):
            yield GaugeMetricFamily(f"rostrum_webhook_{name}", help_text, value=value)


def _gauge(name: str, help_text: str, values: list[tuple[WorkerStatus, float]]) -> Metric:
    family = GaugeMetricFamily(f"rostrum_worker_{name}", help_text, labels=["worker"])
    for worker, value in values:
        family.add_metric([str(worker.index)], value)
    return family


def _counter(name: str, help_text: str, values: list[tuple[WorkerStatus, float]]) -> Metric:
    family = CounterMetricFamily(f"rostrum_worker_{name}", help_text, labels=["worker"])
    for worker, value in values:
        family.add_metric([str(worker.index)], value)
    return family


def _delays(workers: Sequence[WorkerStatus]) -> Metric:
    family = HistogramMetricFamily(
        "rostrum_worker_forwarding_delay_seconds",
        "From reading a media packet to having handed its copies to the socket, by packets read.",
        labels=["worker"],
    )
    for worker in workers:
        if worker.delays is not None:
            _add(family, [str(worker.index)], worker.delays)
    return family


_STREAMS = {
    "rtt": ("stream_rtt_seconds", "Round trip to the client that a stream comes from or goes to."),
    "loss": ("stream_loss_ratio", "Share of a stream's packets lost on the way, repaired ones included."),
    "jitter": ("stream_jitter_seconds", "Interarrival jitter of a stream."),
    "score": ("stream_score", "Quality of a stream, 0 to 10."),
    "bitrate": ("stream_bits_per_second", "Bits of a stream's payload per second."),
}


def _quality(workers: Sequence[WorkerStatus]) -> Iterator[Metric]:
    """One sample for each stream and two seconds, of a receiver's estimate for each second."""
    for measure, (name, help_text) in _STREAMS.items():
        family = HistogramMetricFamily(
            f"rostrum_worker_{name}", f"{help_text} By stream and two seconds.", labels=_STREAM_LABELS
        )
        for worker in workers:
            for spread in worker.quality:
                if spread.measure == measure:
                    labels = [str(worker.index), spread.direction or "", spread.kind or ""]
                    _add(family, labels, spread)
        yield family
    estimates = HistogramMetricFamily(
        "rostrum_worker_receiver_estimate_bits_per_second",
        "What the way to a receiver is thought to carry, by receiver and second.",
        labels=["worker"],
    )
    for worker in workers:
        for spread in worker.quality:
            if spread.measure == "estimate":
                _add(estimates, [str(worker.index)], spread)
    yield estimates


def _freezes(workers: Sequence[WorkerStatus]) -> Metric:
    family = CounterMetricFamily(
        "rostrum_worker_stream_freezes",
        "Times that nothing came of a stream for longer than its kind ever pauses.",
        labels=_STREAM_LABELS,
    )
    for worker in workers:
        for one in worker.freezes:
            family.add_metric([str(worker.index), one.direction, one.kind], one.count)
    return family


def _layers(workers: Sequence[WorkerStatus]) -> Metric:
    family = GaugeMetricFamily(
        "rostrum_worker_video_subscriptions",
        "Subscriptions that receive each spatial layer of a video, 0 being the lowest.",
        labels=["worker", "layer"],
    )
    for worker in workers:
        for spatial, count in enumerate(worker.layers):
            family.add_metric([str(worker.index), str(spatial)], count)
    return family


def _add(family: HistogramMetricFamily, labels: Sequence[str], spread: Spread) -> None:
    bounds = [*map(str, spread.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(spread.counts), strict=True))
    family.add_metric(labels, buckets, spread.total)


def _metric_name(name: str) -> str:
    clean = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)
    return clean.removesuffix("_total")
