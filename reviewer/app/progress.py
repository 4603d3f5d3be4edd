"""Progress on a terminal: what is being done, how far it is, and how long it will take."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO

from hunkwise.engine import human_bytes
from hunkwise.reviewer.text.columns import clip
from hunkwise.reviewer.text.visible import visible_line

_EVERY = 0.1  # seconds between two drawings of one phase
_TICK = 1.0  # seconds after which a line is drawn anew by itself
_BYTES = 1_000_000  # a larger total counts bytes, not hunks
_CLEAR = "\r\x1b[K"


def wanted(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True if progress would be read by a person: a terminal that can move its cursor, outside CI."""
    return stream.isatty() and not environ.get("CI") and environ.get("TERM", "dumb") != "dumb"


class Progress:
    """One line that is drawn over and over, and leaves nothing behind but what is said above it.

    `done` and `total` count hunks or bytes; total 0 means unknown. Between two calls the line is drawn anew each
    second with the time that has passed, so that long work is seen to go on.
    """

    def __init__(self, stream: TextIO, *, enabled: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._enabled = enabled
        self._clock = clock
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._step = _Step()
        self._since = self._drawn = 0.0
        self._first = 0

    def __enter__(self) -> Self:
        if self._enabled:
            threading.Thread(target=self._tick, name="progress", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        with self._lock:
            if self._enabled and self._step.phase:
                self._write(_CLEAR)

    def __call__(self, phase: str, done: int = 0, total: int = 0, detail: str = "") -> None:
        """Show that `done` of `total` of `phase` are finished; `detail` names what is in work."""
        if not self._enabled:
            return
        now = self._clock()
        with self._lock:
            new = phase != self._step.phase
            self._step = _Step(phase, done, total, detail, now)
            if new:
                self._since, self._first = now, done
            elif now - self._drawn < _EVERY and done < total:
                return
            self._draw(now)

    def say(self, line: str) -> None:
        """Leave a line above the one that is drawn. It must hold nothing that steers a terminal but our own."""
        if self._enabled:
            with self._lock:
                self._write(f"{_CLEAR}{line}\n")
                self._drawn = 0.0

    def _tick(self) -> None:
        while not self._ended.wait(_TICK):
            with self._lock:
                if self._step.phase and not self._ended.is_set():
                    self._draw(self._clock())

    def _draw(self, now: float) -> None:
        self._drawn = now
        step, passed = self._step, round(now - self._since)
        rest = self._left(now) or (f", {_minutes(passed)} so far" if passed else "")
        shown = f"{step.phase}{_count(step)}{self._rate()}{rest}{step.detail and f': {step.detail}'}"
        self._write(_CLEAR + clip(visible_line(shown), shutil.get_terminal_size().columns - 1))

    def _rate(self) -> str:
        """Say how fast bytes come."""
        step, seconds = self._step, self._step.at - self._since
        if step.total < _BYTES or seconds <= 0:
            return ""
        return f", {human_bytes(round((step.done - self._first) / seconds))}/s"

    def _left(self, now: float) -> str:
        """Estimate the time left from the pace of this phase; a resumed download starts part-way."""
        step = self._step
        if step.done <= self._first or not step.total:
            return ""
        pace = (step.at - self._since) / (step.done - self._first)
        return f", {_minutes(max(0, round(pace * (step.total - step.done) - (now - step.at))))} left"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@dataclass(frozen=True, slots=True)
class _Step:
    phase: str = ""
    done: int = 0
    total: int = 0
    detail: str = ""
    at: float = 0.0  # when it was reached


def _count(step: _Step) -> str:
    if not step.total:
        return ""
    if step.total < _BYTES:
        return f" {step.done} of {step.total}"
    return f" {step.done >> 20:,} of {step.total >> 20:,} MiB"


def _minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"
