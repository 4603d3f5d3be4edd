"""Progress is for people at a terminal."""

from __future__ import annotations

import io
import time

import pytest

from hunkwise.reviewer.app import progress as progress_module
from hunkwise.reviewer.app.progress import Progress, wanted


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "expected"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "CI": "true"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_progress_is_drawn_at_a_terminal_alone(
    stream: io.StringIO, environ: dict[str, str], expected: bool
) -> None:
    """Not in a pipe, not in CI, not where the cursor can't move."""
    assert wanted(stream, environ) is expected


def test_the_time_left_is_told_and_nothing_is_left_behind() -> None:
    """After a third in ten seconds, twenty are left; at the end the line is cleared."""
    now = [10.0, 0.0]
    stream = Terminal()
    with Progress(stream, enabled=True, clock=lambda: now.pop() if len(now) > 1 else now[0]) as progress:
        progress("reviewing hunk", 0, 3, "a.py")
        progress("reviewing hunk", 1, 3, "b\x1b[31m.py")
    assert "reviewing hunk 1 of 3, 0:20 left: b<U+001B>[31m.py" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_bytes_have_a_pace() -> None:
    """What is fetched or hashed is told in MiB, and how fast it goes."""
    now = [2.0, 0.0]
    stream = Terminal()
    with Progress(stream, enabled=True, clock=lambda: now.pop() if len(now) > 1 else now[0]) as progress:
        progress("fetching", 0, 40 << 20)
        progress("fetching", 20 << 20, 40 << 20)
    assert "fetching 20 of 40 MiB, 10" in stream.getvalue()
    assert "/s, 0:02 left" in stream.getvalue()


def test_progress_that_is_off_writes_nothing() -> None:
    """Standard error stays empty in CI."""
    stream = io.StringIO()
    with Progress(stream, enabled=False) as progress:
        progress("loading", 1, 2)
    assert stream.getvalue() == ""


def test_long_work_is_seen_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside one hunk the line is drawn anew by itself, with the time that has passed."""
    monkeypatch.setattr(progress_module, "_TICK", 0.01)
    times = iter(range(10_000))
    stream = Terminal()
    with Progress(stream, enabled=True, clock=lambda: float(next(times))) as progress:
        progress("hunks reviewed:", 0, 4, "a.py")
        deadline = time.monotonic() + 30
        while "0 of 4, 0:03 so far: a.py" not in stream.getvalue():
            assert time.monotonic() < deadline
            time.sleep(0.01)
