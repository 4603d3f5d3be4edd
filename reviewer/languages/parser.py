"""The process that reads what strangers wrote, for grammars are native code: started when it is first asked.

What kills it (a text on which a grammar takes for ever, or crashes) is not read, and nothing else is lost. Each
function that it is asked for kills it a few times at most, then that one is given up.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

from hunkwise.reviewer.languages.syntax import PATIENCE, Span

LIVES = 3


class Child:
    """A process that calls functions of ours, and answers lines of JSON. Thread-safe."""

    def __init__(
        self,
        program: str = "from hunkwise.reviewer.languages.parser import serve; serve()",
        lives: int = LIVES,
    ) -> None:
        self._program, self._lives = program, lives
        self._deaths: Counter[str] = Counter()
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def ask(self, function: str, question: object, patience: float) -> Any:
        """Call a function (`module:name`) in the process; None where that did not live to tell.

        `patience` is how many seconds of CPU time it may take.
        """
        with self._lock:
            if self._deaths[function] >= self._lives:
                return None
            self._process = self._process or _start(self._program)
            answer = _ask(self._process, json.dumps([function, question, patience]))
            if not answer:
                self._deaths[function] += 1
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


def serve() -> None:
    """Be the process: answer what standard input asks. What takes too long ends it."""
    for line in sys.stdin:
        function, question, patience = json.loads(line)
        module, _, name = function.partition(":")
        signal.setitimer(signal.ITIMER_VIRTUAL, patience)
        answer = getattr(import_module(module), name)(question)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        print(json.dumps(answer), flush=True)


class Parser(Child):
    """The process, asked what in a text is no code."""

    def read(self, language: str, text: str) -> list[Span]:
        """Find what is no code in a text (syntax.read); nothing where the process did not live to tell."""
        told = self.ask("hunkwise.reviewer.languages.syntax:answer", [language, text], PATIENCE)
        return [(start, end, kind, does) for start, end, kind, does in told or ()]


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
