"""A tool of somebody else's, run: for a time, with little output, and ended with all that it started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST_OUTPUT = 32_000_000  # bytes
MOST_ERRORS = 1_000_000
_PAUSE = 0.05  # seconds between two looks at whether it has ended
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Ran:
    """What a tool printed, and its exit code (negative: a signal). `problem` says why it was ended."""

    code: int
    output: bytes
    errors: bytes
    problem: str = ""


def run(argv: Sequence[str], *, folder: Path, environ: Mapping[str, str], limit: float) -> Ran:
    """Run a program in a folder, for at most `limit` seconds. Raises OSError if it can't be started.

    It has a process group of its own, which is killed at the end in any case: a child that lives on, and holds its
    parent's pipe, holds up nobody.
    """
    end = time.monotonic() + limit
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=dict(environ),
        start_new_session=True,
    ) as process:
        try:
            output, errors, problem = _listen(process, end, limit)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return Ran(process.returncode, output, errors, problem)


def _listen(process: subprocess.Popen[bytes], end: float, limit: float) -> tuple[bytes, bytes, str]:
    """Read what a process prints until it has ended, its time is over, or it has said too much."""
    said, most, problem = (bytearray(), bytearray()), (MOST_OUTPUT, MOST_ERRORS), ""
    with selectors.DefaultSelector() as pipes:
        for index, pipe in enumerate((process.stdout, process.stderr)):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            pipes.register(pipe, selectors.EVENT_READ, index)
        while not problem:
            ended = _has_ended(
                process.pid
            )  # asked before the pipes are: what it said before it ended is in them
            left = end - time.monotonic()
            ready = pipes.select(0 if ended else max(0.0, min(left, _PAUSE)))
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                said[key.data].extend(chunk)
                if not chunk:
                    pipes.unregister(key.fileobj)
                elif len(said[key.data]) > most[key.data]:
                    problem = f"it prints more than {most[key.data]:,} bytes"
            if ended and not ready:
                break
            if left <= 0:
                problem = f"it was not done within {limit:.0f} s"
    return bytes(said[0]), bytes(said[1]), problem


def _has_ended(pid: int) -> bool:
    """Tell whether a child has ended, and leave it as it is: its number is not given to another as yet."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
