"""`Far`: what all engines on other machines share; and `RemoteEngine`, an engine of a backend."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from math import exp

from hunkwise.engine.errors import Cancelled, Closed, DeadlineExceeded
from hunkwise.engine.http.backends.backend import Backend, Listener, Prompt
from hunkwise.engine.port import Answers, EngineCard, OnText, Waiting, check_taken_back, taken_back, wait
from hunkwise.engine.questions import check_bundle, check_length
from hunkwise.engine.types import (
    Answer,
    Bundle,
    BundleSize,
    Choice,
    Choose,
    Embed,
    Generate,
    Question,
    Score,
    Segment,
)

AT_ONCE = 8  # questions of one bundle that are on their way together


class Far(Waiting):
    """An engine on another machine, with its card; what is asked of it ends with its deadline. Thread-safe."""

    def __init__(self, card: EngineCard) -> None:
        self._card, self._closed = card, False

    @abstractmethod
    def reply(self, bundle: Bundle, on_text: OnText | None, stopped: Callable[[], bool]) -> Answers:
        """Answer every question; `stopped` tells, in any thread, when nobody waits any more.

        What is given or raised from then on nobody hears: who asked is told that it was late, or taken back.
        """

    @abstractmethod
    def leave(self) -> None:
        """Close all connections; called once."""

    def answer(self, bundle: Bundle, on_text: OnText | None) -> Answers:
        """Answer in time, or not at all."""
        gone = taken_back()
        until = None if bundle.deadline is None else time.monotonic() + bundle.deadline

        def late() -> bool:
            return until is not None and time.monotonic() >= until

        try:
            return self.reply(bundle, on_text, lambda: gone() or late())
        finally:  # whatever came of it: who is late hears that, and not what the end in the middle led to
            check_taken_back()
            if late():
                raise DeadlineExceeded(f"{bundle.deadline:g} s passed before the answer")

    def ask(self, bundle: Bundle) -> Answers:
        """Answer every question; the connection is let go of when the deadline passes."""
        return wait(self.submit(bundle), bundle)

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[Answers]:
        """Begin to answer."""
        self.check_open()
        check_bundle(bundle)
        return super().submit(bundle, on_text)

    def card(self) -> EngineCard:
        """Describe what answers."""
        return self._card

    def close(self) -> None:
        """Close all connections."""
        if not self._closed:
            self._closed = True
            self.leave()

    def check_open(self) -> None:
        """Raise Closed after the end."""
        if self._closed:
            raise Closed(f"{self._card.model} is closed; connect to it again")


class RemoteEngine(Far):
    """An engine of a backend.

    The first question of a bundle goes ahead, so that a server with a prefix cache has the shared text when the
    others come.
    """

    def __init__(self, backend: Backend, card: EngineCard | None = None) -> None:
        super().__init__(card or backend.card())
        self._backend = backend

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count by the server's tokenizer, or guess where it has none that can be asked."""
        self.check_open()
        check_bundle(bundle)
        if not bundle.questions:
            return BundleSize(0, (), self._card.context)
        shared = self._backend.count((bundle.shared,))[0] if bundle.shared else 0
        whole = self._backend.count(tuple(bundle.shared + question.prompt for question in bundle.questions))
        more = [self._more(question) for question in bundle.questions]
        own = tuple(max(0, each - shared) + extra for each, extra in zip(whole, more, strict=True))
        return BundleSize(shared, own, self._card.context)

    def leave(self) -> None:
        """Close all connections."""
        self._backend.close()

    def _more(self, question: Question) -> int:
        """Count the tokens that a question needs beyond its prompt; the last one is never computed."""
        match question:
            case Choose(options=options):
                return max(self._backend.count(tuple((Segment(option, "raw"),) for option in options))) - 1
            case Score(text=text):
                return self._backend.count(((Segment(text, "raw"),),))[0] - 1
            case Generate(max_tokens=most):
                return most - 1
            case Embed():
                return 0

    def reply(self, bundle: Bundle, on_text: OnText | None, stopped: Callable[[], bool]) -> Answers:
        """Ask the first question, then the others together."""
        check_length(bundle, self.measure(bundle))
        one = partial(self._one, bundle.shared, on_text=on_text, stopped=stopped)
        first, rest = bundle.questions[:1], bundle.questions[1:]
        answers = tuple(one(question) for question in first)
        if len(rest) > 1:
            with ThreadPoolExecutor(min(AT_ONCE, len(rest))) as threads:
                return answers + tuple(threads.map(one, rest))
        return answers + tuple(one(question) for question in rest)

    def _one(
        self, shared: Prompt, question: Question, *, on_text: OnText | None, stopped: Callable[[], bool]
    ) -> Answer:
        if stopped():
            raise Cancelled("nobody waits for the question any more")
        prompt = shared + question.prompt
        match question:
            case Choose(id=name):
                logprobs, usage = self._backend.choose(prompt, question)
                return Choice(name, shares(logprobs), logprobs, usage)
            case Score():
                return self._backend.score(prompt, question)
            case Generate(id=name):
                hear = partial(on_text, name) if on_text else Listener().hear
                return self._backend.generate(prompt, question, Listener(hear, stopped))
            case Embed():
                return self._backend.embed(question)


def shares(logprobs: tuple[float, ...]) -> tuple[float, ...]:
    """Make probabilities that sum to 1 of log-probabilities."""
    top = max(logprobs)
    weights = [exp(value - top) for value in logprobs]
    return tuple(weight / sum(weights) for weight in weights)
