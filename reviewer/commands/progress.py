"""Progress on a terminal: what is being done, how far it is, and how long it will take."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TextIO

from hunkwise.reviewer.visible import visible_line

_EVERY = 0.1  # seconds between two drawings of one phase
_CLEAR = "\r\x1b[K"


def wanted(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True if progress would be read by a person: a terminal that can move its cursor, outside CI."""
    return stream.isatty() and not environ.get("CI") and environ.get("TERM", "dumb") != "dumb"


class Progress:
    """One line that is drawn over and over, and leaves nothing behind but what is said above it.

    `done` and `total` count hunks or bytes; total 0 means unknown.
    """

    def __init__(self, stream: TextIO, *, enabled: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._enabled = enabled
        self._clock = clock
        self._phase = ""
        self._since = self._drawn = 0.0
        self._first = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._enabled and self._phase:
            self._stream.write(_CLEAR)
            self._stream.flush()

    def __call__(self, phase: str, done: int = 0, total: int = 0, detail: str = "") -> None:
        """Show that `done` of `total` of `phase` are finished; `detail` names what is in work."""
        if not self._enabled:
            return
        now = self._clock()
        if phase != self._phase:
            self._phase, self._since, self._first = phase, now, done
        elif now - self._drawn < _EVERY and done < total:
            return
        self._drawn = now
        shown = f"{phase}{self._count(done, total)}{self._left(done, total, now)}{detail and f': {detail}'}"
        self._stream.write(_CLEAR + visible_line(shown)[: shutil.get_terminal_size().columns - 1])
        self._stream.flush()

    def say(self, line: str) -> None:
        """Leave a line above the one that is drawn. It must hold nothing that steers a terminal but our own."""
        if self._enabled:
            self._stream.write(f"{_CLEAR}{line}\n")
            self._stream.flush()
            self._drawn = 0.0

    def _count(self, done: int, total: int) -> str:
        if not total:
            return ""
        return f" {done} of {total}" if total < 1_000_000 else f" {done >> 20:,} of {total >> 20:,} MiB"

    def _left(self, done: int, total: int, now: float) -> str:
        """Estimate the time left from the pace of this phase; a resumed download starts part-way."""
        if done <= self._first or not total:
            return ""
        seconds = round((now - self._since) / (done - self._first) * (total - done))
        return f", {seconds // 60}:{seconds % 60:02} left"
