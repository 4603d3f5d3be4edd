"""A run: the model is lent, the prompt made to fit, the text told as it comes, and the time taken."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import partial

from hunkwise.engine import Capability, Generated, Piece, Usage, Written, total_usage
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.fitting import Ask, fit
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import Piece as Heard
from hunkwise.reviewer.server.streams import told
from hunkwise.reviewer.server.threads import in_thread


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
    server: Server, name: str, ask: Ask, keep_alive: float | None
) -> AsyncGenerator[Told | Ending, None]:
    """Give the texts piece by piece, and last what there is to say of the run. Raises Refused and EngineError."""
    times = Times()
    async with server.lease(name, context=ask.window or 0, keep_alive=keep_alive) as lease:
        times.mark_loaded()
        if ask.logprobs is not None and Capability.LOGPROBS not in lease.engine.card().capabilities:
            raise Refused(400, f'"{name}" does not support logprobs', code="unsupported", param="logprobs")
        fitted = await in_thread(partial(fit, lease.engine, ask))
        async for piece in told(lease, fitted.bundle):
            if isinstance(piece, Heard):
                times.first = times.first or time.perf_counter()
                tokens = piece.text.tokens if isinstance(piece.text, Piece) else ()
                yield Told(int(piece.id), str(piece.text), tokens)
            else:
                times.mark_ended()
                answers = tuple(each for each in piece if isinstance(each, Generated))
                yield Ending(answers, fitted.left_out, times)
