"""One child process that serves an engine: start it, ask it, notice how it ends."""

from __future__ import annotations

import itertools
import math
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from concurrent.futures import TimeoutError as StillRunning
from contextlib import suppress
from typing import IO, Any

from hunkwise.engine.errors import Cancelled, DeadlineExceeded, InvalidQuestion
from hunkwise.engine.port import EngineCard, OnText, when_taken_back
from hunkwise.engine.types import Bundle, Statistics
from hunkwise.engine.worker.wire import BadMessage, pack, receive, send, unpack, unpack_error, unpack_piece

_SERVE = "from hunkwise.engine.worker.child import main; main()"

# What native code and Python need to find files and devices; tokens and secrets are not among it.
_KEPT = re.compile(
    r"PATH|HOME|TMPDIR|LANG|LC_\w+|(DY)?LD_LIBRARY_PATH|LLAMA_CPP_LIB_PATH|(CUDA|HIP|ROCR|HSA|GGML|OMP|VK)_\w+"
)
_REASON = re.compile(r"^.*(?:GGML_ASSERT|terminate called|what\(\):|[Ee]rror).*$", re.MULTILINE)
_REPORT = "check the model with `hunkwise model verify`, and report this if it is sound"
# pip's own cache would give the same build again
_REBUILD = "run: CMAKE_ARGS=-DGGML_NATIVE=OFF pip install --force-reinstall --no-cache-dir llama-cpp-python"
_ENDINGS = {
    "SIGABRT": f"native code gave up; {_REPORT}",
    "SIGSEGV": f"native code crashed; {_REPORT}; if every model ends so, llama-cpp-python was built for "
    f"another CPU, {_REBUILD}",
    "SIGBUS": f"native code crashed, as it does when a file shrinks while in use; {_REPORT}",
    "SIGKILL": "most likely memory ran out; choose a smaller model, quantization or num_ctx",
    "SIGILL": f"llama-cpp-python was built for another CPU; {_REBUILD}",
}


class Died(Exception):
    """The child is gone; `str()` says how. `killed` is true if memory ran out: the host's, or a GPU's."""

    def __init__(self, message: str, *, killed: bool = False) -> None:
        super().__init__(message)
        self.killed = killed


class Child:
    """A running child. `card` waits until the model is loaded. Thread-safe."""

    def __init__(
        self,
        first: Mapping[str, Any],
        environ: Mapping[str, str],
        patience: float,
        say: Callable[[str], None],
    ) -> None:
        """Start the process and hand it `first`, which says what to load."""
        ours, theirs = socket.socketpair()
        self._pipe, self._patience, self._say = ours, patience, say
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd="/",
                env=scrubbed(environ),
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle
            )
        self._lock, self._sending = threading.Lock(), threading.Lock()
        # a child that no longer reads must not hold up who writes to it
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", math.ceil(patience), 0))
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Any]] = {}
        self._hearing: dict[int, tuple[Bundle, OnText]] = {}
        self._loading: Future[EngineCard] = Future()
        self._asked: float | None = time.monotonic()  # since then something is asked, and nothing was heard
        self._ending: Died | None = None
        self._hung = False
        self.spent = Statistics()  # as last told by the child
        threading.Thread(target=self._listen, name="hunkwise-child", daemon=True).start()
        self._send(first)

    @property
    def alive(self) -> bool:
        """False once it is known to have ended."""
        return self._ending is None

    def card(self) -> EngineCard:
        """Wait for the load. Raises what it raised, or Died."""
        card: EngineCard = self._result(self._loading, None)
        return card

    def call(self, verb: str, bundle: Bundle | None = None, on_text: OnText | None = None) -> Any:
        """Ask; the value is JSON, not yet checked. `on_text` hears the texts as they come.

        Raises what the engine raised, InvalidQuestion, DeadlineExceeded, Cancelled where the bundle is taken back
        that this thread answers, or Died.
        """
        number, answer = next(self._numbers), Future[Any]()
        with self._lock:
            if self._ending is not None:
                raise Died(str(self._ending), killed=self._ending.killed)
            self._waiting[number] = answer
            self._asked = self._asked or time.monotonic()
            if bundle and on_text:
                self._hearing[number] = bundle, on_text
        when_taken_back(answer.cancel)
        until = None if bundle is None or bundle.deadline is None else time.monotonic() + bundle.deadline
        try:
            self._send({"id": number, "verb": verb, "bundle": pack(bundle), "told": on_text is not None})
            return self._result(answer, until)
        except CancelledError:
            raise Cancelled("the bundle was taken back before it was answered") from None
        except BadMessage as error:
            raise InvalidQuestion(f"the bundle can't be handed to the engine's process: {error}") from error
        finally:
            with self._lock:
                given_up = self._waiting.pop(number, None) is not None
                self._hearing.pop(number, None)
            if given_up and self.alive:
                self._send({"cancel": number})

    def kill(self) -> None:
        """End the process; harmless when it has ended."""
        self._process.kill()
        self._process.wait()

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            with self._sending:
                send(self._pipe, message)
        except OSError:
            self._process.kill()  # then the listener finds the end, and says it to all who wait

    def _result(self, future: Future[Any], until: float | None) -> Any:
        """Wait until there is an answer, the deadline has passed, or nothing was heard for too long."""
        while True:
            patient = (self._asked or time.monotonic()) + self._patience
            try:
                return future.result(
                    max(0.0, min(patient, patient if until is None else until) - time.monotonic())
                )
            except StillRunning:
                now = time.monotonic()
            if until is not None and now >= until:
                raise DeadlineExceeded("the engine's process did not answer before the deadline")
            if self._asked is not None and now >= self._asked + self._patience:
                self._hung = True
                self._process.kill()
                return future.result()  # the listener says how it ended

    def _listen(self) -> None:
        """Run in a thread: hand each message to whom it concerns, and the end to all."""
        try:
            while (message := receive(self._pipe)) is not None:
                self._hand_on(message)
                with self._lock:
                    busy = self._waiting or not self._loading.done()
                    self._asked = time.monotonic() if busy else None
            reason = ""
        except BadMessage as error:
            reason = f"it sent nonsense ({error})"
        self._process.kill()
        ending = self._described(self._process.wait(), reason)
        self._pipe.close()
        self._errors.close()
        with self._lock:
            self._ending = ending
            waiting = [self._loading, *self._waiting.values()]
        for future in waiting:
            with suppress(InvalidStateError):  # answered, or taken back
                future.set_exception(ending)

    def _hand_on(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"said": str(sentence)}:
                self._say(sentence)
            case {"spent": told}:
                spent = unpack(told)
                if not isinstance(spent, Statistics):
                    raise BadMessage("no statistics")
                if spent.bundles >= self.spent.bundles:  # two answers may overtake one another
                    self.spent = spent
            case {"ready": card} if not self._loading.done():
                described = unpack(card)
                if not isinstance(described, EngineCard):
                    raise BadMessage("no card")
                self._loading.set_result(described)
            case {"failed": error} if not self._loading.done():
                self._loading.set_exception(unpack_error(error))
            case {"id": int(number), "text": piece}:
                with self._lock:
                    heard = self._hearing.get(number)
                if heard:
                    bundle, on_text = heard
                    on_text(*unpack_piece(bundle, piece))
            case {"id": int(number), "value": value}:
                with suppress(InvalidStateError):  # taken back meanwhile
                    self._taken(number).set_result(value)
            case {"id": int(number), "error": error}:
                with suppress(InvalidStateError):
                    self._taken(number).set_exception(unpack_error(error))
            case _:
                raise BadMessage(f"a message of {sorted(message)}")

    def _taken(self, number: int) -> Future[Any]:
        """Take who waits for an answer off the list; nobody may do so any more."""
        with self._lock:
            return self._waiting.pop(number, Future())

    def _described(self, code: int, reason: str) -> Died:
        """Say how the process ended, in one sentence for the user."""
        if reason:
            return Died(f"the engine's process was stopped: {reason}")
        if self._hung:
            return Died(f"the engine's process said nothing for {self._patience:.0f} s and was stopped")
        if code >= 0:
            return Died(f"the engine's process ended with exit code {code}{self._last_words()}")
        name, words = signal.Signals(-code).name, self._last_words()
        full = name == "SIGKILL" or "out of memory" in words  # the host's memory, or a GPU's
        what = _ENDINGS.get("SIGKILL" if full else name, "it was ended from outside")
        return Died(f"the engine's process died of {name}{words}: {what}", killed=full)

    def _last_words(self) -> str:
        """Quote the line of its error output that says most."""
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - (1 << 16)))
        lines = _REASON.findall(self._errors.read(1 << 16).decode("utf-8", "replace"))
        return f" ({lines[-1].strip()[:200]})" if lines else ""


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep of an environment what a model needs to run."""
    kept = {name: value for name, value in environ.items() if _KEPT.fullmatch(name)}
    return {**kept, "GGML_NO_BACKTRACE": "1"}  # else an abort starts a debugger first
