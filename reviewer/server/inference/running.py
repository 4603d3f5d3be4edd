"""A run: the model is lent, the prompt made to fit, the text told as it comes, and the time taken."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from hunkwise.engine import (
    Bundle,
    Capability,
    Engine,
    Generated,
    OnText,
    Piece,
    Usage,
    Written,
    total_usage,
)
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.fitting import Ask, fit
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import Answers, awaited, heard, submitted
from hunkwise.reviewer.server.streams import Piece as Heard


@dataclass(slots=True)
class Times:
    """When a run came to what, in seconds of one clock; what did not happen took no time."""

    started: float = field(default_factory=time.perf_counter)
    loaded: float = 0.0
    first: float = 0.0  # piece of text
    ended: float = 0.0

    def mark_loaded(self) -> None:
        """The model is there."""
        self.loaded = time.perf_counter()

    def mark_ended(self) -> None:
        """All is done."""
        self.ended = time.perf_counter()

    @property
    def total(self) -> float:
        """All that it took."""
        return self.ended - self.started

    @property
    def load(self) -> float:
        """Until the model was there."""
        return self.loaded - self.started

    @property
    def prompt(self) -> float:
        """From there to the first piece of text."""
        return (self.first or self.ended) - self.loaded

    @property
    def answer(self) -> float:
        """From the first piece of text to the last."""
        return self.ended - (self.first or self.ended)


@dataclass(frozen=True, slots=True)
class Told:
    """The next piece of an answer, by its number, with the tokens that end in it where they were asked for."""

    number: int
    text: str
    tokens: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a run: its answers, what of the prompt was left out, and how long it took."""

    answers: tuple[Generated, ...]
    left_out: str
    times: Times

    @property
    def usage(self) -> Usage:
        """Count the tokens of all answers."""
        return total_usage(self.answers)

    @property
    def prompt_tokens(self) -> int:
        """Count the prompt once, cached tokens too."""
        first = self.answers[0].usage
        return first.prefilled + first.reused

    @property
    def written_tokens(self) -> int:
        """Count what was written."""
        return self.usage.sampled + self.usage.forced


async def write(
    server: Server, found: Found, ask: Ask, keep_alive: float | None
) -> AsyncGenerator[Told | Ending, None]:
    """Give the texts piece by piece, and last what there is to say of the run. Raises Refused and EngineError."""
    times, left_out = Times(), ""

    @contextmanager
    def begun(on_text: OnText) -> Iterator[Future[Answers]]:
        """Lend, fit and submit in one thread: changes of threads are what a request costs most."""
        nonlocal left_out
        with server.lend(found.spec, context=ask.window or 0, keep_alive=keep_alive) as lease:
            times.mark_loaded()
            if ask.logprobs is not None and Capability.LOGPROBS not in lease.engine.card().capabilities:
                why = f'"{found.name}" does not support logprobs'
                raise Refused(400, why, code="unsupported", param="logprobs")
            fitted = fit(lease.engine, ask)
            left_out = fitted.left_out
            with submitted(lease.engine, fitted.bundle, on_text) as future:
                yield future

    async for piece in heard(begun):
        if isinstance(piece, Heard):
            if not times.first:
                times.first = time.perf_counter()
                server.metrics.first_token.labels(found.spec.name).observe(times.first - times.started)
            tokens = piece.text.tokens if isinstance(piece.text, Piece) else ()
            yield Told(int(piece.id), str(piece.text), tokens)
        else:
            times.mark_ended()
            answers = tuple(each for each in piece if isinstance(each, Generated))
            yield Ending(answers, left_out, times)


async def ask_all(
    server: Server, found: Found, bundle: Callable[[Engine], Bundle], keep_alive: float | None = None
) -> Answers:
    """Ask what is made of the lent engine, in one thread too. Raises Refused and EngineError."""

    @contextmanager
    def begun() -> Iterator[Future[Answers]]:
        lending = server.lend(found.spec, keep_alive=keep_alive)
        with lending as lease, submitted(lease.engine, bundle(lease.engine)) as future:
            yield future

    return await awaited(begun())
