"""`/metrics` in Prometheus' form. Labels are our own words, and none that a client names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hunkwise.reviewer.version import VERSION

if TYPE_CHECKING:
    from hunkwise.reviewer.server.state import Server

FORM = "text/plain; version=0.0.4; charset=utf-8"
# those of vLLM, so that one dashboard has both
SECONDS = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960)


class Metrics:
    """What is counted of one server."""

    def __init__(self) -> None:
        self.registry = mine = CollectorRegistry()
        what = "Requests by endpoint and status."
        self.requests = Counter("hunkwise_requests", what, ["endpoint", "code"], registry=mine)
        self.seconds = Histogram(
            "hunkwise_request_duration_seconds",
            "From the first byte in to the last one out.",
            ["endpoint"],
            buckets=SECONDS,
            registry=mine,
        )
        what = "Requests that were not let in, by reason."
        self.rejected = Counter("hunkwise_rejected", what, ["reason"], registry=mine)
        self.reviews = Counter("hunkwise_reviews", "Reviews by how they ended.", ["outcome"], registry=mine)
        self.review_seconds = Histogram(
            "hunkwise_review_duration_seconds", "Reviews that were done.", buckets=SECONDS, registry=mine
        )
        self.remarks = Counter("hunkwise_remarks", "Findings by severity.", ["severity"], registry=mine)
        build = Gauge("hunkwise_build_info", "The version that runs.", ["version"], registry=mine)
        build.labels(VERSION).set(1)


class _Now(Collector):
    """What is looked up when it is asked for: requests on their way, models in memory."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("hunkwise_queue_depth", "Requests that are inside.", labels=["queue"])
        depth.add_metric(["requests"], len(self._server.lives))
        yield depth
        running = self._server.models.running()
        yield GaugeMetricFamily("hunkwise_models_loaded", "Models in memory.", value=len(running))
        memory = GaugeMetricFamily("hunkwise_memory_bytes", "Memory that models take.", labels=["device"])
        memory.add_metric(["gpu"], sum(each.device_bytes for each in running))
        memory.add_metric(["cpu"], sum(each.bytes - each.device_bytes for each in running))
        yield memory


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    server.metrics.registry.register(_Now(server))

    async def tell(request: Request) -> Response:
        return Response(generate_latest(server.metrics.registry), media_type=FORM)

    return [Route("/metrics", tell)]


class Counting:
    """Middleware that counts requests by the route that took them; what no route took is `other`."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self.app, self.server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, counted = time.perf_counter(), 499, False

        def count() -> None:
            nonlocal counted
            if not counted:
                counted = True
                endpoint = getattr(scope.get("route"), "path", "other")
                self.server.metrics.requests.labels(endpoint, str(status)).inc()
                self.server.metrics.seconds.labels(endpoint).observe(time.perf_counter() - started)

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not message.get("more_body"):
                count()  # before the client knows that it is over
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            count()
