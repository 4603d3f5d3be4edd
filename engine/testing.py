"""`ScriptedEngine`: the shipped fake, so that everything above the engine is tested without a model."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hunkwise.engine.errors import PromptTooLong
from hunkwise.engine.types import (
    Answer,
    Bundle,
    BundleSize,
    Choice,
    Choose,
    EngineCard,
    Generate,
    Generated,
    ModelSpec,
    Question,
    Score,
    Scored,
    Segment,
    Statistics,
    TokenScore,
    Usage,
)

Script = Callable[[Bundle, Question], Answer | None]


def _words(segments: tuple[Segment, ...]) -> int:
    return sum(len(segment.text.split()) for segment in segments)


def plain_answer(question: Question) -> Answer:
    """Answer without opinion: equal probabilities, likely words, an empty JSON object."""
    match question:
        case Choose(id=name, options=options):
            share = 1 / len(options)
            return Choice(name, (share,) * len(options), (-1.0,) * len(options))
        case Score(id=name, text=text):
            tokens, start = [], 0
            for word in text.splitlines(keepends=True):
                end = start + len(word.encode("utf-8", "surrogateescape"))
                tokens.append(TokenScore(word, start, end, -0.1, -0.1))
                start = end
            return Scored(name, tuple(tokens))
        case Generate(id=name):
            return Generated(name, "{}", "schema", usage=Usage(sampled=1))


_ENDS: dict[str, Callable[[], object]] = {
    "abort": os.abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(7),
    "hang": lambda: time.sleep(3600),
}


def fragile(spec: ModelSpec, options: Mapping[str, Any], say: Callable[[str], None]) -> ScriptedEngine:
    """Make a fake for a child process, which it ends as `options` says: for tests of isolation.

    `options["ends"]` maps a question's id, or "load", to "abort", "kill", "exit" or "hang"; that happens only
    once if `options["once"]` names a file, which is made then. `options["error"]` names an id that is refused.
    """

    def end(what: str) -> None:
        way = options.get("ends", {}).get(what)
        once = Path(options["once"]) if "once" in options else None
        if way is None or (once and once.exists()):
            return
        if once:
            once.touch()
        _ENDS[way]()

    def script(bundle: Bundle, question: Question) -> Answer | None:
        end(question.id)
        if question.id == options.get("error"):
            raise PromptTooLong(question.id, 5000, 4096)
        return None

    say(f"loading, killed {options['kills']} times before")
    end("load")
    return ScriptedEngine(script, model=spec.name)


class ScriptedEngine:
    """An `Engine` whose answers come from a function; a question it returns None for gets `plain_answer`.

    A "token" is a word. Asked bundles are kept in `bundles`, in the order they came. Thread-safe.
    """

    def __init__(self, script: Script | None = None, *, context: int = 4096, model: str = "scripted") -> None:
        self.bundles: list[Bundle] = []
        self._script = script
        self._card = EngineCard(model, "0" * 64, "scripted", context)
        self._lock = threading.Lock()

    def ask(self, bundle: Bundle) -> tuple[Answer, ...]:
        """Answer by the script."""
        with self._lock:
            self.bundles.append(bundle)
        scripted = ((self._script(bundle, q) if self._script else None, q) for q in bundle.questions)
        return tuple(answer if answer is not None else plain_answer(q) for answer, q in scripted)

    def statistics(self) -> Statistics:
        """Count what was asked; no time passes here."""
        asked = tuple(self.bundles)
        return Statistics(len(asked), sum(len(bundle.questions) for bundle in asked))

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count words."""
        shared = _words(bundle.shared)
        return BundleSize(shared, tuple(_words(q.prompt) for q in bundle.questions), self._card.context)

    def card(self) -> EngineCard:
        """Describe the fake."""
        return self._card
