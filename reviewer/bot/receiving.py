"""What a server that takes in webhooks is made of, and the worker beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.routing import Route

from hunkwise.reviewer.app.environment import Environment, Say
from hunkwise.reviewer.bot.access import POSTING, RECEIVING, hooks_of, keys_of
from hunkwise.reviewer.bot.hooks.routes import hook_routes
from hunkwise.reviewer.bot.queue.place import open_queue
from hunkwise.reviewer.bot.queue.port import Queue
from hunkwise.reviewer.bot.talking import is_for_us, name_of
from hunkwise.reviewer.errors import UsageError

_WORK = ("-P", "-c", "from hunkwise.reviewer.cli import main; main()", "bot", "work")
_GRACE = 30.0  # seconds for a worker to give its jobs back
_AGAIN = 5.0  # seconds before a worker that died is started again


@dataclass(frozen=True, slots=True)
class Receiver:
    """What takes in webhooks: a route for each forge, and the queue that it puts them into."""

    routes: Sequence[Route]
    queue: Queue


def receiver(environ: Mapping[str, str]) -> Receiver:
    """Make what takes in webhooks of each forge that is set up. Raises UsageError, QueueError."""
    name, queue = name_of(environ), open_queue(environ)
    return Receiver(hook_routes(hooks_of(environ), queue, lambda event: is_for_us(event, name)), queue)


class Together:
    """A server's `receiver`, and its worker: a process of its own, which alone goes on with the tokens."""

    def __init__(self, variables: Mapping[str, str], options: Sequence[str], say: Say) -> None:
        self.receiver = receiver(variables)
        self.for_worker = {name: value for name, value in variables.items() if name not in RECEIVING}
        self._options, self._say = list(options), say
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()

    def begin(self, url: str) -> None:
        """Start the worker, with the server at `url` as its engine, and again whenever it dies."""
        command = [sys.executable, *_WORK, "--attached", f"--engine={url}", *self._options]

        def run() -> None:
            while not self._ending.is_set():
                # it ends when this end of the pipe is closed, however we die
                self._process = subprocess.Popen(command, env=self.for_worker, stdin=subprocess.PIPE)
                code = self._process.wait()
                if not self._ending.is_set():
                    self._say(f"the worker ended with exit code {code}; it is started again")
                    self._ending.wait(_AGAIN)

        threading.Thread(target=run, name="hunkwise-worker", daemon=True).start()

    def end(self) -> None:
        """Tell the worker to end, and wait for it."""
        self._ending.set()
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def together(environment: Environment, model: str, at_once: int) -> Iterator[Together]:
    """Check that a bot can work here, and take its tokens out of this process. Raises UsageError."""
    variables = dict(environment.variables)
    keys, hooks = keys_of(variables), hooks_of(variables)
    for name in keys.keys() - hooks.keys():
        raise UsageError(f"there is a token of {name}, but no secret of its webhooks; see docs/bot.md")
    for name in hooks.keys() - keys.keys():
        raise UsageError(
            f"there is a secret of {name}'s webhooks, but no token to post with; see docs/bot.md"
        )
    options = [f"--at-once={at_once}", *([f"--model={model}"] if model else [])]
    made = Together(variables, options, environment.say)
    for variable in POSTING:
        os.environ.pop(variable, None)
    try:
        yield made
    finally:
        made.end()
