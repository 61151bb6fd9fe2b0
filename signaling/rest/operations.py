"""For whoever runs the server: `/healthz` and `/metrics`."""

from __future__ import annotations

from aiohttp import web

from signaling.metrics import Metrics
from signaling.services.ports import MetricsSource


class OperationRoutes:
    def __init__(self, source: MetricsSource, metrics: Metrics, version: str) -> None:
        self._source = source
        self._metrics = metrics
        self._version = version

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self.healthz), web.get("/metrics", self.metrics)]

    async def healthz(self, _request: web.Request) -> web.Response:
        """200 while the process answers; `status` is "degraded" while a media worker is down."""
        workers = self._source.workers()
        body = {
            "status": "ok" if workers and all(worker.serving for worker in workers) else "degraded",
            "version": self._version,
            "workers": [
                {
                    "index": worker.index,
                    "node_id": worker.node_id,
                    "status": "serving" if worker.serving else "down",
                    "cpu": round(worker.cpu, 3),
                    "routers": worker.routers,
                    "transports": worker.transports,
                    "restarts": worker.restarts,
                }
                for worker in workers
            ],
        }
        return web.json_response(body, headers={"Cache-Control": "no-store"})

    async def metrics(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.to_text(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )
