"""For whoever runs the server: `/healthz` and `/metrics`."""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from signaling.metrics import Metrics
from signaling.rest.operation import Access, Operation
from signaling.rest.parsing import Answer, shown
from signaling.rest.rendering import BARE, json_response
from signaling.services.ports import MetricsSource


class WorkerHealth(Answer):
    index: int
    node_id: str
    status: Literal["serving", "down"]
    cpu: float
    """Busy fraction of one core."""
    routers: int
    transports: int
    restarts: int


class Health(Answer):
    model_config = shown({"status": "ok", "version": "0.1.0", "workers": []})

    status: Literal["ok", "degraded"]
    version: str
    workers: list[WorkerHealth]


class HealthRoutes:
    def __init__(self, source: MetricsSource, metrics: Metrics, version: str) -> None:
        self._source = source
        self._metrics = metrics
        self._version = version

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path="/healthz",
                handler=self.healthz,
                name="getHealth",
                summary="Whether the server and its media workers run",
                tag="Server",
                access=Access.ANYBODY,
                answer=Health,
                rendering=BARE,
            ),
            Operation(
                method="GET",
                path="/metrics",
                handler=self.metrics,
                name="getMetrics",
                summary="Measurements, in the text format of Prometheus",
                tag="Server",
                access=Access.ANYBODY,
                gives="text/plain",
            ),
        ]

    async def healthz(self, _request: web.Request) -> web.Response:
        """200 while the process answers; `status` is "degraded" while a media worker is down."""
        workers = self._source.workers()
        health = Health(
            status="ok" if workers and all(worker.serving for worker in workers) else "degraded",
            version=self._version,
            workers=[
                WorkerHealth.reading(
                    worker, status="serving" if worker.serving else "down", cpu=round(worker.cpu, 3)
                )
                for worker in workers
            ],
        )
        response = json_response(health)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def metrics(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.to_text(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )
