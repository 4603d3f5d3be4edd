"""Which bundle runs when: a bounded queue, and the one thread that owns a model's context.

Each turn of the thread drops what was taken back, admits what fits, and moves everything on by one batch.
A ledger of cells admits a job only if its worst case fits, so that decoding never runs out of room. With
`side_by_side` at 1 a job's batches depend on nothing but the job, and so do its answers, to the last bit.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hunkwise.engine.errors import Cancelled, Closed, DeadlineExceeded, EngineError, NativeFailure, QueueFull
from hunkwise.engine.llamacpp.decoding.jobs import Job, Ticket, best
from hunkwise.engine.llamacpp.decoding.lanes import Lane, Lanes, Sequences
from hunkwise.engine.llamacpp.decoding.port import Context
from hunkwise.engine.llamacpp.decoding.prefix import Prefixes
from hunkwise.engine.llamacpp.decoding.prefix_files import PrefixFiles
from hunkwise.engine.port import Answers
from hunkwise.engine.types import Statistics, total_usage

if TYPE_CHECKING:
    from hunkwise.engine.llamacpp.decoding.works.work import Work

_KEEP_BYTES = 128 * 2**20  # of prefixes in host memory


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait, and how many jobs share a batch. More than one makes answers depend on company."""

    jobs: int = 256
    tokens: int = 2_000_000
    side_by_side: int = 1


class Scheduler:
    """Owns a context and its thread. `submit` and `close` may be called from any thread."""

    def __init__(
        self, context: Context, lanes: int, limits: Limits, files: PrefixFiles | None = None
    ) -> None:
        self._context = context
        self._limit_lanes = lanes
        self._limits = limits
        self._changed = threading.Condition()
        self._waiting: list[Job] = []
        self._active: list[Job] = []
        self._served: dict[str, int] = {}  # tokens by caller, of callers with jobs
        self._statistics = Statistics()
        self._closing = False
        self._sequences = Sequences(context.sequences)
        self._prefixes = Prefixes(context, self._sequences, _KEEP_BYTES, files)
        self._lanes = Lanes(context, self._sequences, company=limits.side_by_side > 1)
        self._thread = threading.Thread(target=self._run, name="hunkwise-engine", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> Future[Answers]:
        """Queue a job; cancelling the future takes it back, at any time. Raises QueueFull."""
        ticket = Ticket(job.bundle, Future(), time.monotonic())
        with self._changed:
            if self._closing:
                raise Closed("the model is closed; load it again")
            jobs = self._waiting + self._active
            twin = next((other for other in jobs if not other.dead and other.same(job)), None)
            if twin is None:
                self._refuse_beyond_limits(job)
                self._waiting.append(job)
                floor = min(self._served.values(), default=0)
                self._served.setdefault(job.bundle.caller, floor)
            (twin or job).tickets.append(ticket)
            self._changed.notify()
        ticket.future.add_done_callback(self._taken_back)
        return ticket.future

    def statistics(self) -> Statistics:
        """Return the totals since loading."""
        return self._statistics

    @property
    def alive(self) -> bool:
        """False once nothing is answered any more."""
        return not self._closing

    @property
    def idle(self) -> bool:
        """True if nothing waits, runs, or holds a cell or sequence but the one trunk that may stay."""
        with self._changed:
            if self._waiting or self._active or len(self._lanes):
                return False
            self._prefixes.evict()
            return not self._prefixes.cells and len(self._sequences) == self._context.sequences

    def close(self) -> None:
        """Cancel everything, end the thread and free the context."""
        with self._changed:
            self._closing = True
            for job in self._waiting + self._active:
                for ticket in job.tickets:
                    ticket.fail(Cancelled("the model was closed"))
            self._context.interrupt()
            self._changed.notify()
        self._thread.join()
        self._context.close()

    def _refuse_beyond_limits(self, job: Job) -> None:
        waiting = len(self._waiting)
        tokens = sum(other.tokens for other in self._waiting)
        if waiting >= self._limits.jobs or (waiting and tokens + job.tokens > self._limits.tokens):
            done = self._statistics
            each = done.seconds / done.bundles if done.bundles else 1.0
            raise QueueFull(waiting, retry_after=max(0.1, each * waiting / 2))

    def _taken_back(self, _future: Future[Answers]) -> None:
        with self._changed:
            if self._active and all(job.dead for job in self._active):
                self._context.interrupt()
            self._changed.notify()

    def _run(self) -> None:
        try:
            self._loop()
        finally:  # nobody must wait for a thread that a fault of ours has ended
            with self._changed:
                self._closing = True
                for job in self._waiting + self._active:
                    for ticket in job.tickets:
                        ticket.fail(NativeFailure("the engine stopped; load the model again"))

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._drop_dead()
                while not (self._closing or self._waiting or self._active):
                    self._changed.wait()
                    self._drop_dead()
                if self._closing:
                    return
                self._context.resume()
            started, before = time.perf_counter(), self._context.decode_seconds
            finished = self._turn()
            self._count(finished, time.perf_counter() - started, self._context.decode_seconds - before)
            for job, answers in finished:  # counted first: who has an answer finds it in the statistics
                for ticket in job.tickets:
                    ticket.succeed(answers)

    def _turn(self) -> list[tuple[Job, Answers]]:
        try:
            self._admit()
            with self._changed:
                if not (self._closing or all(job.dead for job in self._active)):
                    self._context.resume()  # who was interrupted has gone, and others have come
            self._start_lanes()
            self._lanes.step(self._prefixes.filling())
        except NativeFailure as error:
            self._fail_all(error)
            return []
        done = [job for job in self._active if not job.unstarted and not job.lanes]
        finished = [(job, job.answers()) for job in done]
        with self._changed:
            for job in done:
                self._leave(job)
        return finished

    def _drop_dead(self) -> None:
        now = time.monotonic()
        for job in self._waiting + self._active:
            for ticket in [ticket for ticket in job.tickets if ticket.expired(now)]:
                ticket.fail(DeadlineExceeded(f"{ticket.bundle.deadline:g} s passed before the answer"))
            job.tickets = [ticket for ticket in job.tickets if not ticket.future.done()]
        self._waiting = [job for job in self._waiting if job.tickets]
        for job in [job for job in self._active if not job.tickets]:
            for lane in job.lanes:
                self._lanes.stop(lane)
            self._leave(job)
        self._forget_callers()

    def _leave(self, job: Job) -> None:
        self._active.remove(job)
        caller = job.bundle.caller
        self._served[caller] = self._served.get(caller, 0) + job.tokens
        if job.trunk:
            self._prefixes.release(job.trunk)
            job.trunk = None

    def _forget_callers(self) -> None:
        callers = {job.bundle.caller for job in self._waiting + self._active}
        self._served = {caller: served for caller, served in self._served.items() if caller in callers}

    def _admit(self) -> None:
        while self._waiting and len(self._active) < self._limits.side_by_side:
            with self._changed:
                job = best(self._waiting, self._served, self._prefixes.known, time.monotonic())
            needed = len(job.shared) + job.floor
            if self._active and not self._has_room(needed):
                self._prefixes.evict()
                if not self._has_room(needed):
                    return
            with self._changed:
                self._waiting.remove(job)
                self._active.append(job)
            job.trunk, job.reused = self._prefixes.acquire(job.shared, job.lasting)
            job.unstarted = deque(job.works)

    def _has_room(self, cells: int) -> bool:
        return cells <= self._free() and len(self._sequences) >= 3  # a trunk, a lane and a branch

    def _free(self) -> int:
        """Cells that nobody holds or was promised.

        Nothing is computed beyond it, so llama_decode never answers 1, "no KV slot": cells of one pool need not
        be neighbours, and each is either free, a trunk's or promised to a work.
        """
        promised = 0
        for job in self._active:
            running = sum(lane.work.cells for lane in job.lanes)
            promised += max(running, job.floor if job.unstarted else 0)
        return self._context.cells - self._prefixes.cells - promised

    def _start_lanes(self) -> None:
        for job in self._active:
            if not job.trunk or not job.trunk.ready:
                continue
            while job.unstarted and self._fits(job, job.unstarted[0]):
                work = job.unstarted.popleft()
                job.lanes.append(self._lanes.start(work, job.trunk, partial(_leave_lane, job)))

    def _fits(self, job: Job, work: Work) -> bool:
        running = sum(lane.work.cells for lane in job.lanes)
        more = max(running + work.cells, job.floor) - max(running, job.floor)
        lanes = sum(len(other.lanes) for other in self._active)
        return more <= self._free() and lanes < self._limit_lanes and len(self._sequences) >= 2

    def _fail_all(self, error: EngineError) -> None:
        with self._changed:
            for job in self._active:
                for ticket in job.tickets:
                    ticket.fail(error)
            self._active.clear()
            self._context.clear()
            self._sequences = Sequences(self._context.sequences)
            self._prefixes.forget(self._sequences)
            company = self._limits.side_by_side > 1
            self._lanes = Lanes(self._context, self._sequences, company=company)

    def _count(self, finished: list[tuple[Job, Answers]], seconds: float, decode: float) -> None:
        was = self._statistics
        self._statistics = Statistics(
            bundles=was.bundles + len(finished),
            questions=was.questions + sum(len(answers) for _, answers in finished),
            seconds=was.seconds + seconds,
            decode_seconds=was.decode_seconds + decode,
            decode_calls=self._context.decode_calls,
            usage=sum((total_usage(answers) for _, answers in finished), was.usage),
        )


def _leave_lane(job: Job, lane: Lane) -> None:
    job.lanes.remove(lane)
