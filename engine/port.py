"""The port behind which models live: `Engine`, what it says of itself, and what makes an engine out of less."""

from __future__ import annotations

import hashlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from hunkwise.engine.errors import Cancelled, DeadlineExceeded
from hunkwise.engine.types import Answer, Bundle, BundleSize, Generated, Piece, Statistics

Answers = tuple[Answer, ...]
OnText = Callable[[str, Piece], None]
"""Hears the id of a `Generate` and the next piece of its text, from a thread of the engine's; must not raise."""


class Capability(StrEnum):
    """What an engine can do."""

    SCORE = "score"  # answers Score: how likely is a given text?
    CHOOSE = "choose"  # answers Choose
    GENERATE = "generate"  # answers Generate
    SCHEMA = "schema"  # keeps to a schema or pattern in every token
    LOGPROBS = "logprobs"  # tells how likely the tokens were that it wrote
    STREAM = "stream"  # tells text as it comes; others tell it whole
    EMBED = "embed"  # turns a text into a vector
    TOKENIZE = "tokenize"  # counts tokens exactly, by the model's own tokenizer
    DETERMINISTIC = "deterministic"  # gives the same answer to the same settled question


@dataclass(frozen=True, slots=True)
class Weights:
    """A model known by the sha256 of its weights, in hex."""

    digest: str


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a server names, and nobody can prove: what is measured of weights does not hold for it."""

    base_url: str
    model: str
    revision: str = ""

    @property
    def digest(self) -> str:
        """Name it, as no weights are named."""
        named = "\0".join((self.base_url, self.model, self.revision))
        return f"served:{hashlib.sha256(named.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class EngineCard:
    """What answers: everything that can change an answer, for manifests and cache keys; and what it can do.

    `build` names the program that computes: llama.cpp's version and backends.
    """

    model: str
    identity: Weights | Served
    build: str
    context: int  # tokens
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    capabilities: tuple[Capability, ...] = ()
    parameters: int = 0  # of the model, by its weights; 0 where nobody knows

    @property
    def digest(self) -> str:
        """Name the model beyond its name."""
        return self.identity.digest

    def lacks(self, *wanted: Capability) -> tuple[Capability, ...]:
        """List those of the wanted capabilities that it does not have."""
        return tuple(each for each in wanted if each not in self.capabilities)


NO_CARD = EngineCard("", Weights(""), "none", 0)  # of nothing


class Engine(Protocol):
    """The port behind which models live; caches, pools and the shipped fake satisfy it too. Thread-safe."""

    def ask(self, bundle: Bundle) -> Answers:
        """Answer every question, in the bundle's order. Raises EngineError; never truncates."""
        ...

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[Answers]:
        """Begin to answer and return at once; the future has what `ask` gives or raises.

        What is refused may be raised here already. Cancelling the future takes the bundle back where that is
        still possible. `on_text` hears the texts.
        """
        ...

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count the bundle's tokens with the model's own tokenizer, without running it."""
        ...

    def card(self) -> EngineCard:
        """Describe what answers."""
        ...

    def close(self) -> None:
        """Free what it holds; harmless when done twice. What is asked afterwards raises Closed."""
        ...


@runtime_checkable
class Timed(Protocol):
    """An engine that knows where its time went."""

    def statistics(self) -> Statistics:
        """Return the totals since it was opened."""
        ...


@runtime_checkable
class Mortal(Protocol):
    """An engine that may end by itself, and then answers nothing more."""

    @property
    def alive(self) -> bool:
        """False once it has to be opened again."""
        ...


class _Answering(threading.local):
    """The bundle that this thread answers for somebody who may take it back."""

    future: Future[Answers] | None = None


_ANSWERING = _Answering()


def when_taken_back(do: Callable[[], object]) -> None:
    """Do something, from any thread, once the bundle is taken back that this thread answers."""
    future = _ANSWERING.future
    if future is not None:
        future.add_done_callback(lambda done: do() if done.cancelled() else None)


def taken_back() -> Callable[[], bool]:
    """Give what tells, in any thread, whether the bundle was taken back that this thread answers."""
    future = _ANSWERING.future
    return future.cancelled if future is not None else lambda: False


def check_taken_back() -> None:
    """Raise Cancelled if the bundle was taken back that this thread answers."""
    if taken_back()():
        raise Cancelled(_TAKEN_BACK)


_TAKEN_BACK = "the bundle was taken back before it was answered"


def wait(future: Future[Answers], bundle: Bundle) -> Answers:
    """Wait for submitted answers. Ctrl-C, and a deadline that passes, take the bundle back.

    So does who takes back the bundle that this thread answers by it.
    """
    when_taken_back(future.cancel)
    try:
        return future.result(bundle.deadline)
    except TimeoutError:
        raise DeadlineExceeded(f"{bundle.deadline:g} s passed before the answer") from None
    except CancelledError:
        raise Cancelled(_TAKEN_BACK) from None
    finally:
        future.cancel()


def told(answers: Answers, on_text: OnText | None) -> Answers:
    """Tell whole texts to who wanted to hear them, and give the answers on."""
    for answer in answers if on_text else ():
        if isinstance(answer, Generated) and on_text:
            on_text(answer.id, Piece(answer.text, answer.tokens))
    return answers


class Waiting(ABC):
    """Makes `ask` and `submit` of one function that waits; each submitted bundle has a thread of its own."""

    @abstractmethod
    def answer(self, bundle: Bundle, on_text: OnText | None) -> Answers:
        """Answer every question; the texts are told to `on_text`."""

    def ask(self, bundle: Bundle) -> Answers:
        """Answer every question."""
        return self.answer(bundle, None)

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[Answers]:
        """Answer in a thread. A bundle that is taken back ends what it waits for by `wait`."""
        future: Future[Answers] = Future()

        def run() -> None:
            _ANSWERING.future = future
            with suppress(InvalidStateError):  # taken back
                try:
                    check_taken_back()
                    future.set_result(self.answer(bundle, on_text))
                except InvalidStateError:
                    raise
                except BaseException as error:  # noqa: BLE001 - who waits has to know of all
                    future.set_exception(error)

        threading.Thread(target=run, name="hunkwise-ask", daemon=True).start()
        return future


class Around:
    """An engine around an engine, which passes everything on; a subclass says what it does before and after."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner

    def before(self, bundle: Bundle) -> Bundle:
        """Give the bundle that is asked."""
        return bundle

    def after(self, answers: Answers, seconds: float) -> None:
        """Take note of answers, and how long they took."""

    def ask(self, bundle: Bundle) -> Answers:
        """Pass on."""
        started = time.perf_counter()
        answers = self.inner.ask(self.before(bundle))
        self.after(answers, time.perf_counter() - started)
        return answers

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[Answers]:
        """Pass on."""
        started = time.perf_counter()

        def done(future: Future[Answers]) -> None:
            if not future.cancelled() and future.exception() is None:
                self.after(future.result(), time.perf_counter() - started)

        future = self.inner.submit(self.before(bundle), on_text)
        future.add_done_callback(done)
        return future

    def measure(self, bundle: Bundle) -> BundleSize:
        """Pass on."""
        return self.inner.measure(bundle)

    def card(self) -> EngineCard:
        """Pass on."""
        return self.inner.card()

    def close(self) -> None:
        """Pass on."""
        self.inner.close()
