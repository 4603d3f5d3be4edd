"""A run: the model is lent, the prompt made to fit, the text told as it comes, and the time taken.

What is told of tokens has the form that Ollama and OpenAI share.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hunkwise.engine import (
    Bundle,
    Capability,
    Engine,
    Generated,
    Likely,
    OnText,
    Piece,
    Usage,
    Written,
    total_usage,
)
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.fitting import Ask, fit
from hunkwise.reviewer.server.inference.thinking import Thoughts, begun_by
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
    """The next piece of an answer, by its number, with the tokens that end in it where they were asked for.

    What the model thought aloud before it is no part of the text.
    """

    number: int
    text: str
    tokens: tuple[Written, ...] = ()
    thought: str = ""


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
    thoughts = [Thoughts(begun_by(ask.messages)) for _ in range(ask.count if ask.thinks else 0)]

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
            number = int(piece.id)
            thought, text = thoughts[number].feed(piece.text) if thoughts else ("", str(piece.text))
            if thought or text or tokens:
                yield Told(number, text, tokens, thought)
        else:
            times.mark_ended()
            for number, each in enumerate(thoughts):
                thought, text = each.rest()
                if thought or text:
                    yield Told(number, text, thought=thought)
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


def entries(tokens: Iterable[Written], *, alternatives: bool) -> list[dict[str, Any]]:
    """Say how likely tokens were, each with its bytes, since one may be a part of a character."""
    return [
        {**_entry(token), "top_logprobs": [_entry(each) for each in token.alternatives]}
        if alternatives
        else _entry(token)
        for token in tokens
    ]


def _entry(token: Likely) -> dict[str, Any]:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.data)}
