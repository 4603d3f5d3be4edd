"""The reviews of this server: those that wait, run, and are done. Each is a job, whoever waits for it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal

from hunkwise.engine.errors import QueueFull
from hunkwise.reviewer.app.review import Outcome
from hunkwise.reviewer.server.errors import Failure, Refused, failure_of
from hunkwise.reviewer.server.observe.metrics import Metrics
from hunkwise.reviewer.server.reviews.asking import Body
from hunkwise.reviewer.server.reviews.working import carry_out
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.threads import in_thread
from hunkwise.reviewer.types import Finding

State = Literal["queued", "running", "done", "failed", "cancelled"]
AT_ONCE = 4  # reviews that run together; their questions share the model's batches
WAITING = 64  # reviews that may wait
KEPT = 100  # reviews that are remembered after their end
KEPT_SECONDS = 3600.0
MOST_TEXT = 128 << 20  # characters of what waits, and of what is kept


@dataclass(eq=False)
class Job:
    """One review. All but `stopped` is the loop's alone."""

    id: str
    caller: str
    what: str
    size: int = 0  # characters of what is reviewed
    state: State = "queued"
    created: float = field(default_factory=time.time)
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    findings: list[Finding] = field(default_factory=list)
    outcome: Outcome | None = None
    failure: Failure | None = None
    stopped: threading.Event = field(default_factory=threading.Event)
    waiting: int = 0  # clients who take it back by going
    stays: bool = False  # somebody will come back for it
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None
    ended: float = 0.0

    @property
    def over(self) -> bool:
        """True once nothing more comes."""
        return self.state not in ("queued", "running")

    async def finished(self) -> None:
        """Wait for the end."""
        async with self.news:
            await self.news.wait_for(lambda: self.over)

    async def told(self) -> AsyncIterator[Finding]:
        """Give each finding as it is confirmed."""
        sent = 0
        while True:
            async with self.news:
                await self.news.wait_for(lambda: len(self.findings) > sent or self.over)  # noqa: B023
                fresh = self.findings[sent:]
            for finding in fresh:
                sent += 1
                yield finding
            if self.over and sent == len(self.findings):
                return


class Jobs:
    """Reviews by id, and by the idempotency keys of their callers."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._jobs: dict[str, Job] = {}
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    def start(self, body: Body, caller: str, key: str = "") -> Job:
        """Begin a review, or find the one that was begun with the same key. Raises Refused, QueueFull."""
        self._forget()
        digest = hashlib.sha256(
            json.dumps(_plain(body), sort_keys=True).encode("utf-8", "replace")
        ).hexdigest()
        known = self._keys.get((caller, key)) if key else None
        if known and known[0] in self._jobs:
            if known[1] != digest:
                raise Refused(
                    422, "this idempotency key was used with another body", code="idempotency_key_reused"
                )
            return self._jobs[known[0]]
        waiting = self.waiting()
        size = len(body.code or "") + len(body.diff or "")
        held = sum(job.size for job in self._jobs.values() if not job.over)
        if waiting >= WAITING or held + size > MOST_TEXT:
            raise QueueFull(waiting, 5.0)
        job = Job(secrets.token_urlsafe(12), caller, _named(body), size)
        self._jobs[job.id] = job
        if key:
            self._keys[caller, key] = job.id, digest
        job.task = asyncio.ensure_future(self._run(job, body))
        return job

    def waiting(self) -> int:
        """Count the reviews that wait for their turn."""
        return sum(job.state == "queued" for job in tuple(self._jobs.values()))

    def find(self, name: str, caller: str) -> Job:
        """Find a caller's review; those of others are not there for it. Raises Refused."""
        self._forget()
        job = self._jobs.get(name)
        if job is None or job.caller != caller:
            raise Refused(404, "there is no such review; they are kept for an hour", code="review_not_found")
        return job

    def of(self, caller: str) -> list[Job]:
        """List a caller's reviews, newest first."""
        self._forget()
        return [job for job in reversed(self._jobs.values()) if job.caller == caller]

    @contextmanager
    def awaited(self, job: Job) -> Iterator[None]:
        """Wait for a review inside; it is dropped if the last who waits goes before its end."""
        job.waiting += 1
        try:
            yield
        finally:
            job.waiting -= 1
            if not (job.over or job.waiting or job.stays):
                self.drop(job)

    def drop(self, job: Job) -> None:
        """Stop a review, and forget it."""
        job.stopped.set()
        self._jobs.pop(job.id, None)

    def stop_all(self) -> None:
        """Stop what runs: the server ends."""
        for job in self._jobs.values():
            job.stopped.set()

    async def _run(self, job: Job, body: Body) -> None:
        started = time.perf_counter()
        try:
            async with self._places:
                if job.stopped.is_set():
                    raise Refused(499, "the review was taken back")
                now = time.perf_counter()
                self._server.metrics.waited.labels("reviews").observe(now - started)
                job.state, started = "running", now
                loop = asyncio.get_running_loop()

                def found(finding: Finding) -> None:
                    asyncio.run_coroutine_threadsafe(self._found(job, finding), loop)

                def step(done: int, total: int) -> None:
                    loop.call_soon_threadsafe(partial(_step, job, done, total))

                told = (job.id, job.caller, job.stopped, found, step)
                job.outcome = await in_thread(partial(carry_out, self._server, body, *told))
                job.state = "done"
        except Exception as error:  # noqa: BLE001 - told to who asks for the review
            job.failure = failure_of(error)
            job.state = "cancelled" if job.stopped.is_set() else "failed"
        job.seconds, job.ended = time.perf_counter() - started, time.time()
        _count(self._server.metrics, job)
        async with job.news:
            if job.outcome:
                job.findings = _in_order(job.findings, job.outcome.review.findings)
            job.news.notify_all()

    async def _found(self, job: Job, finding: Finding) -> None:
        async with job.news:
            if not job.over:
                job.findings.append(finding)
                job.news.notify_all()

    def _forget(self) -> None:
        """Let go of what ended long ago, and of the oldest where there are many."""
        over = [job for job in self._jobs.values() if job.over]
        old = [job for job in over if time.time() - job.ended > KEPT_SECONDS]
        for job in {*old, *over[: max(0, len(over) - KEPT)]}:
            self._jobs.pop(job.id, None)
        held = sum(job.size for job in self._jobs.values() if job.over)
        for job in over:
            if held <= MOST_TEXT:
                break
            if self._jobs.pop(job.id, None):
                held -= job.size
        self._keys = {key: value for key, value in self._keys.items() if value[0] in self._jobs}


def _count(metrics: Metrics, job: Job) -> None:
    metrics.reviews.labels(job.state).inc()
    if job.outcome:
        metrics.review_seconds.observe(job.seconds)
        for finding in job.outcome.review.findings:
            metrics.remarks.labels(finding.severity.value).inc()
        for skipped in job.outcome.review.skipped:
            metrics.skipped.labels("fault" if skipped.fault else "choice").inc()


def _step(job: Job, done: int, total: int) -> None:
    job.done, job.total = done, total


def _in_order(told: list[Finding], final: tuple[Finding, ...]) -> list[Finding]:
    """Keep what was told where it is, and add what came with the end."""
    known = {finding.fingerprint for finding in told}
    return [*told, *(finding for finding in final if finding.fingerprint not in known)]


def _plain(body: Body) -> Mapping[str, Any]:
    return asdict(body)


def _named(body: Body) -> str:
    """Say what is reviewed, in a few words for a list."""
    if body.code is not None:
        return body.file_path
    if body.diff is not None:
        return f"a diff of {body.diff.count(chr(10)):,} lines"
    return f"{body.repository} {body.since}..{body.to or 'HEAD'}"
