"""`/metrics` in Prometheus' form. Labels are our own words, and none that a client names."""

from __future__ import annotations

import time
from collections import Counter as Counts
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hunkwise.engine import Answer, Around, Engine, Usage, total_usage
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.server.threads import in_thread
from hunkwise.reviewer.version import VERSION

if TYPE_CHECKING:
    from hunkwise.reviewer.server.state import Server

_STATES = ("waiting", "running", "dead")  # of the bot's jobs
_OUTCOMES = ("done", "superseded", "failed", "dead")
FORM = "text/plain; version=0.0.4; charset=utf-8"
# these and the next are vLLM's, so that one dashboard has both
SECONDS = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960)
FIRST = (0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640)
_KEPT = {"memory": "memory.hit", "disk": "disk.hit", "redis": "redis.hit", "miss": "miss"}


class News(Protocol):
    """What happened to a job: it "waited" so many seconds, or how it ended."""

    @property
    def what(self) -> str:
        """What happened."""
        ...

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...


class Jobs(Protocol):
    """A queue of jobs that other processes do. All of it raises ReviewError where it is out of reach."""

    def depths(self) -> Mapping[Any, int]:
        """Count jobs by where they are: waiting, running, dead."""
        ...

    def news(self) -> Sequence[News]:
        """Give what happened since somebody asked, each once."""
        ...


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
        what = "Files and parts of changes that were not read; a fault is what should have been."
        self.skipped = Counter("hunkwise_skipped", what, ["reason"], registry=mine)
        what = "Tokens of prompts computed and reused, and of answers forced by a schema and sampled."
        self.tokens = Counter("hunkwise_tokens", what, ["model", "kind"], registry=mine)
        self.first_token = Histogram(
            "hunkwise_time_to_first_token_seconds",
            "From the request for a text to its first piece; loading a model counts.",
            ["model"],
            buckets=FIRST,
            registry=mine,
        )
        self.waited = Histogram(
            "hunkwise_queue_wait_seconds",
            "What reviews and the bot's jobs waited for their turn, and all questions for their model.",
            ["queue"],
            buckets=FIRST,
            registry=mine,
        )
        self.loads = Counter("hunkwise_model_loads", "Models loaded or not.", ["outcome"], registry=mine)
        self.jobs = Counter("hunkwise_jobs", "The bot's jobs by how they ended.", ["outcome"], registry=mine)
        self.depths: dict[str, int] = {}  # of the bot's queue, when it was last heard of
        build = Gauge("hunkwise_build_info", "What runs.", ["version", "build"], registry=mine)
        build.labels(VERSION, _build()).set(1)

    def count_load(self, worked: bool) -> None:
        """Count a load of a model."""
        self.loads.labels("loaded" if worked else "failed").inc()

    def hear(self, jobs: Jobs) -> None:
        """Count what happened to the bot's jobs since the last time; a queue out of reach tells nothing."""
        self.depths = {}
        with suppress(ReviewError):
            for one in jobs.news():
                if one.what == "waited":
                    self.waited.labels("bot").observe(one.seconds)
                else:
                    self.jobs.labels(one.what).inc()
            found = jobs.depths()
            self.depths = {f"bot_{state}": found.get(state, 0) for state in _STATES}

    def count_tokens(self, model: str, usage: Usage) -> None:
        """Count what an answer took."""
        for kind in ("prefilled", "reused", "forced", "sampled"):
            self.tokens.labels(model, kind).inc(getattr(usage, kind))


class Metered(Around):
    """An engine whose tokens are counted."""

    def __init__(self, inner: Engine, metrics: Metrics, model: str) -> None:
        super().__init__(inner)
        self._metrics, self._model = metrics, model

    def after(self, answers: tuple[Answer, ...], seconds: float) -> None:
        """Count."""
        self._metrics.count_tokens(self._model, total_usage(answers))


def _build() -> str:
    """Name the build of the engine without loading it."""
    try:
        return f"llama-cpp-python {version('llama-cpp-python')}"
    except PackageNotFoundError:
        return "none"


class _Now(Collector):
    """What is looked up when it is asked for: requests on their way, models in memory."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily(
            "hunkwise_queue_depth", "Requests inside, reviews that wait, jobs of the bot.", labels=["queue"]
        )
        depth.add_metric(["requests"], len(self._server.lives))
        for queue, length in self._server.queues.items():
            depth.add_metric([queue], length())
        for queue, many in self._server.metrics.depths.items():
            depth.add_metric([queue], many)
        yield depth
        what = "Answers that reviews needed, by where they were kept; a miss is asked of the model."
        kept = CounterMetricFamily("hunkwise_answer_cache_requests", what, labels=["result"])
        counts = self._server.caches.tally.counts() if self._server.caches else {}
        for result, name in _KEPT.items():
            kept.add_metric([result], counts.get(name, 0))
        yield kept
        running = self._server.models.running()
        yield GaugeMetricFamily("hunkwise_models_loaded", "Models in memory.", value=len(running))
        what = "Memory that models were planned to take, by device and by what it is for."
        memory = GaugeMetricFamily("hunkwise_memory_bytes", what, labels=["device", "kind"])
        taken = Counts[tuple[str, str]]()
        for each in running:
            for name, size in each.parts.items():
                device, _, kind = name.rpartition(" ")
                if device and size:
                    taken[device, kind] += size
        for labels, size in sorted(taken.items()):
            memory.add_metric(labels, size)
        yield memory


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    server.metrics.registry.register(_Now(server))
    for outcome in _OUTCOMES if server.jobs else ():
        server.metrics.jobs.labels(outcome)

    async def tell(request: Request) -> Response:
        if server.jobs:
            await in_thread(partial(server.metrics.hear, server.jobs))
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
