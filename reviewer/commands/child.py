"""A review in a process of its own: what ends it, a crash or a time limit too, does not end us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# -P: a module in the reviewed folder must not take the place of one of ours
_REVIEW = ("-P", "-c", "from hunkwise.reviewer.cli import review_main; review_main()")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended: its exit code (negative: the signal that killed it), None where time ran out."""

    code: int | None
    seconds: float

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.code is None:
            return f"not done within {self.seconds:.0f} s"
        if self.code < 0:
            return f"killed by signal {-self.code}"
        return "incomplete" if self.code == 3 else f"exit code {self.code}"


def review_command(options: Sequence[str]) -> list[str]:
    """Give the command line of `review OPTIONS` with this Python."""
    return [sys.executable, *_REVIEW, *options]


def supervise(
    argv: Sequence[str],
    limit: float | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Ending:
    """Run a command, in `folder`, for at most `limit` seconds; it and all that it started is killed then."""
    started = time.monotonic()
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, start_new_session=True, env=environ, cwd=folder
    ) as process:
        try:
            code: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:  # on Ctrl-C too: in its own session it does not hear the terminal
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Ending(code, time.monotonic() - started)
