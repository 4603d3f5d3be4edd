"""`Divided`: two engines as one: the first tells how likely texts are, the second writes.

So a small model on this machine reads the evidence, and a large one elsewhere finds the words.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace

from hunkwise.engine.port import Answers, Capability, Engine, EngineCard, OnText, wait
from hunkwise.engine.types import Answer, Bundle, BundleSize, Generate

_WRITING = frozenset({Capability.GENERATE, Capability.SCHEMA, Capability.STREAM})


class Divided:
    """Sends each question to the engine whose work it is. Thread-safe; closes both."""

    def __init__(self, scorer: Engine, writer: Engine) -> None:
        self._scorer, self._writer = scorer, writer

    def ask(self, bundle: Bundle) -> Answers:
        """Answer every question, in the bundle's order."""
        return wait(self.submit(bundle), bundle)

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[Answers]:
        """Begin to answer, in both engines at once."""
        parts = [(engine, part) for engine, part in self._parts(bundle) if part.questions]
        if len(parts) == 1:
            ((engine, part),) = parts
            return engine.submit(part, on_text)
        joined = _Joined([engine.submit(part, on_text) for engine, part in parts], _order(bundle))
        return joined.future

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count by the tokenizer of each; what both must hold is the larger count and the smaller limit."""
        parts = self._parts(bundle)
        sizes = {id(part): engine.measure(part) for engine, part in parts}
        shared = max(size.shared for size in sizes.values())
        totals = {
            question.id: sizes[id(part)].shared + own
            for _, part in parts
            for question, own in zip(part.questions, sizes[id(part)].questions, strict=True)
        }
        own = tuple(max(0, totals[question.id] - shared) for question in bundle.questions)
        return BundleSize(shared, own, min(size.limit for size in sizes.values()))

    def card(self) -> EngineCard:
        """Describe the scorer, which the evidence is of, and name the writer."""
        mine, other = self._scorer.card(), self._writer.card()
        able = [each for each in mine.capabilities if each not in _WRITING]
        able += [each for each in other.capabilities if each in _WRITING]
        both = Capability.DETERMINISTIC
        if both not in other.capabilities and both in able:
            able.remove(both)
        settings = {**mine.settings, "writer": other.model, "writer_digest": other.digest}
        return replace(
            mine, capabilities=tuple(able), settings=settings, context=min(mine.context, other.context)
        )

    def close(self) -> None:
        """Close both."""
        try:
            self._scorer.close()
        finally:
            self._writer.close()

    def _parts(self, bundle: Bundle) -> list[tuple[Engine, Bundle]]:
        written = tuple(each for each in bundle.questions if isinstance(each, Generate))
        others = tuple(each for each in bundle.questions if not isinstance(each, Generate))
        return [
            (self._scorer, replace(bundle, questions=others)),
            (self._writer, replace(bundle, questions=written)),
        ]


def _order(bundle: Bundle) -> Callable[[Answers], Answers]:
    names = [question.id for question in bundle.questions]

    def ordered(answers: Answers) -> Answers:
        known: dict[str, Answer] = {answer.id: answer for answer in answers}
        return tuple(known[name] for name in names)

    return ordered


class _Joined:
    """One future of several: the answers of all, or the first error, which takes the others back."""

    def __init__(self, parts: list[Future[Answers]], ordered: Callable[[Answers], Answers]) -> None:
        self.future: Future[Answers] = Future()
        self._parts, self._ordered = parts, ordered
        self.future.add_done_callback(lambda _: self._take_back())
        for part in parts:
            part.add_done_callback(self._one_done)
        if not parts:
            self.future.set_result(())

    def _one_done(self, part: Future[Answers]) -> None:
        with suppress(InvalidStateError):
            if part.cancelled():
                self.future.cancel()
            elif error := part.exception():
                self.future.set_exception(error)
            elif all(each.done() for each in self._parts):
                with suppress(CancelledError):
                    self.future.set_result(self._ordered(sum((each.result() for each in self._parts), ())))

    def _take_back(self) -> None:
        for part in self._parts:
            part.cancel()
