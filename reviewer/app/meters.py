"""Engines around an engine: one measures it, one shows what it is asked, one stands in where nothing is."""

from __future__ import annotations

import threading
from typing import TextIO

from hunkwise.engine import (
    NO_CARD,
    Answer,
    Around,
    Bundle,
    BundleSize,
    Choose,
    Embed,
    Engine,
    EngineCard,
    Generate,
    OnText,
    Question,
    Score,
    Usage,
    Waiting,
    errors,
    total_usage,
)
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.text.visible import defuse, visible


class Unasked(Waiting):
    """Stands in for the engine where a change leaves nothing to ask, so that no model is opened."""

    def answer(self, bundle: Bundle, on_text: OnText | None) -> tuple[Answer, ...]:
        """Refuse: nothing was to be asked."""
        raise errors.InvalidQuestion("no model was opened because nothing was to be asked")

    def measure(self, bundle: Bundle) -> BundleSize:
        """Find everything empty."""
        return BundleSize(0, tuple(0 for _ in bundle.questions), 0)

    def card(self) -> EngineCard:
        """Name no model."""
        return NO_CARD

    def close(self) -> None:
        """Have nothing to free."""


class Meter(Around):
    """Counts what an engine is asked, and what it need not be: bundles, seconds inside it, tokens. Thread-safe."""

    def __init__(self, inner: Engine) -> None:
        super().__init__(inner)
        self._lock = threading.Lock()
        self.bundles = 0
        self.recalled = 0  # hunks that were not read, because an earlier review had read them
        self.seconds = 0.0
        self.usage = Usage()

    def after(self, answers: tuple[Answer, ...], seconds: float) -> None:
        """Count."""
        with self._lock:
            self.bundles += 1
            self.seconds += seconds
            self.usage += total_usage(answers)

    def stats(self, total: float, decoding: float | None) -> str:
        """Sum up a run in one line.

        It took `total` seconds, `decoding` of them inside llama_decode; None if the model was not loaded.
        """
        used = self.usage
        native = "the model was not loaded"
        if decoding is not None:
            native = f"{decoding:.1f} s in llama_decode ({1 - decoding / total:.0%} outside)"
        return (
            f"{total:.1f} s in all, {self.seconds:.1f} s in the engine, {native}; "
            f"{plural(self.recalled, 'hunk')} as judged before; {plural(self.bundles, 'bundle')}; "
            f"{used.prefilled:,} tokens prefilled, {used.reused:,} reused, "
            f"{used.forced:,} forced, {used.sampled:,} sampled"
        )


class Transcript(Around):
    """Writes every prompt to a stream before it is asked."""

    def __init__(self, inner: Engine, stream: TextIO) -> None:
        super().__init__(inner)
        self._stream = stream

    def before(self, bundle: Bundle) -> Bundle:
        """Write the shared text once, then each question."""
        shared = "".join(segment.text for segment in bundle.shared)
        parts = [f"--- shared by {len(bundle.questions)} questions ---\n{shared}"]
        parts += map(_written, bundle.questions)
        self._stream.write(defuse(visible("\n".join(parts))) + "\n")
        return bundle


def _written(question: Question) -> str:
    """Write a question's own text, and what it asks about that text."""
    prompt = "".join(part.text for part in question.prompt)
    match question:
        case Choose(options=options):
            return f"--- {question.id}: which comes next, {' or '.join(map(repr, options))}? ---\n{prompt}"
        case Score(text=text):
            return f"--- {question.id}: how likely is what follows the mark? ---\n{prompt}>>>{text}"
        case Generate(max_tokens=most):
            return f"--- {question.id}: write at most {most} tokens ---\n{prompt}"
        case Embed():
            return f"--- {question.id}: which vector is this? ---\n{prompt}"
