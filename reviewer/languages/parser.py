"""Processes that parse: started when they are first asked, given a second and a third life, then given up.

What kills it (a text on which a grammar takes for ever, or crashes) is read as code, and nothing else is.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from typing import Any

from hunkwise.reviewer.languages.syntax import Span

LIVES = 3


class Child:
    """A process that runs a `program` in Python and answers lines of JSON. Thread-safe."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._lives = LIVES
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def ask(self, question: object) -> Any:
        """Give the answer to a question; None where the process did not live to tell."""
        with self._lock:
            if not self._lives:
                return None
            self._process = self._process or _start(self._program)
            answer = _ask(self._process, json.dumps(question))
            if not answer:
                self._lives -= 1
                self._end()
            return json.loads(answer or "null")

    def close(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class Parser(Child):
    """A process that tells what in a text is no code."""

    def __init__(self) -> None:
        super().__init__("from hunkwise.reviewer.languages.syntax import serve; serve()")

    def read(self, language: str, text: str) -> list[Span]:
        """Find what is no code in a text (syntax.read); nothing where the process did not live to tell."""
        return [(start, end, kind, does) for start, end, kind, does in self.ask([language, text]) or ()]


def _ask(process: subprocess.Popen[str], question: str) -> str:
    """Give the line that answers a line; nothing where the process is gone."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.write(question + "\n")
        process.stdin.flush()
        return process.stdout.readline()
    return ""


@cache
def parser() -> Parser:
    """Give the one process of this program."""
    one = Parser()
    atexit.register(one.close)
    return one


def _start(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # what we import it does, and no secrets
        start_new_session=True,  # Ctrl-C in the terminal is ours to handle
        text=True,
        encoding="utf-8",
    )
