"""`ScriptedEngine`: the shipped fake, so that everything above the engine is tested without a model."""

from __future__ import annotations

import math
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from hunkwise.engine.errors import Closed, DeadlineExceeded, PromptTooLong
from hunkwise.engine.port import (
    Answers,
    Capability,
    EngineCard,
    OnText,
    Waiting,
    Weights,
    check_taken_back,
    told,
)
from hunkwise.engine.questions import check_bundle, check_length
from hunkwise.engine.types import (
    Answer,
    Bundle,
    BundleSize,
    Choice,
    Choose,
    Embed,
    Embedding,
    Finish,
    Generate,
    Generated,
    Likely,
    ModelSpec,
    Question,
    Score,
    Scored,
    Segment,
    Statistics,
    TokenScore,
    Usage,
    Written,
)

NOTHING = Usage()
_WIDTH = 32  # of its vectors
ABLE = tuple(each for each in Capability if each not in (Capability.STREAM, Capability.TOKENIZE))

Script = Callable[[Bundle, Question], Answer | None]


_TOKEN = re.compile(r"[^\S\n]*\S+\n*|\s+")  # a word, with the blanks before it and the ends of line after it


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _length(segments: tuple[Segment, ...]) -> int:
    return sum(len(_tokens(segment.text)) + (segment.marker is not None) for segment in segments)


def _cells(question: Question) -> int:
    """Count what a question needs in the worst case; the last token of a text is never computed."""
    prompt = _length(question.prompt)
    match question:
        case Choose(options=options):
            return prompt + sum(len(_tokens(option)) - 1 for option in options)
        case Score(text=text):
            return prompt + len(_tokens(text)) - 1
        case Generate(max_tokens=most):
            return prompt + most - 1
        case Embed():
            return prompt


def plain_answer(question: Question, usage: Usage = NOTHING) -> Answer:
    """Answer without opinion: equal probabilities, likely words, an empty JSON object, counts of letters."""
    match question:
        case Choose(id=name, options=options):
            share = 1 / len(options)
            return Choice(name, (share,) * len(options), (-1.0,) * len(options), usage)
        case Score(id=name, text=text):
            words = _tokens(text)
            ends = [0, *accumulate(len(word.encode("utf-8", "replace")) for word in words)]
            spans = zip(words, ends, ends[1:], strict=False)
            return Scored(name, tuple(TokenScore(*span, -0.1, -0.1, span[0]) for span in spans), usage)
        case Generate(id=name, schema=schema, logprobs=logprobs):
            finish: Finish = "stop" if schema is None else "schema"
            others = tuple(Likely(text.encode(), -0.1 - rank) for rank, text in enumerate(("{}", "[]", "0")))
            tokens = () if logprobs is None else (Written(b"{}", -0.1, others[:logprobs]),)
            return Generated(name, "{}", finish, usage + Usage(sampled=1), tokens)
        case Embed(id=name, text=text, normalised=normalised):
            counts = [0.0] * _WIDTH
            for byte in text.encode("utf-8", "replace"):
                counts[byte % _WIDTH] += 1
            length = math.hypot(*counts) if normalised else 1.0
            return Embedding(name, tuple(count / length for count in counts), usage)


def _full() -> None:
    """End as ggml does where a GPU has no memory left."""
    os.write(2, b"ggml-cuda.cu:103: CUDA error\nCUDA error: out of memory\n  current device: 0\n")
    os.abort()


_ENDS: dict[str, Callable[[], object]] = {
    "abort": os.abort,
    "full": _full,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(7),
    "hang": lambda: time.sleep(3600),
}


def fragile(spec: ModelSpec, options: Mapping[str, Any], say: Callable[[str], None]) -> ScriptedEngine:
    """Make a fake for a child process, which it ends as `options` says: for tests of isolation.

    `options["ends"]` maps a question's id, or "load", to "abort", "full", "kill", "exit" or "hang"; that happens
    only once if `options["once"]` names a file, which is made then. `options["error"]` names an id that is
    refused; `options["context"]` is how many tokens it holds.
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
    return ScriptedEngine(script, model=spec.name, context=options.get("context", 4096))


class ScriptedEngine(Waiting):
    """An `Engine` whose answers come from a function; a question it returns None for gets `plain_answer`.

    A token is a word, and a chat template takes none. It refuses what every engine refuses, but follows neither a
    pattern nor a schema. `capabilities` are those of its card. Asked bundles are kept in `bundles`, in the order
    they came. Thread-safe.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        context: int = 4096,
        model: str = "scripted",
        capabilities: tuple[Capability, ...] = ABLE,
    ) -> None:
        self.bundles: list[Bundle] = []
        self._script = script
        self._card = EngineCard(model, Weights("0" * 64), "scripted", context, {}, capabilities)
        self._lock = threading.Lock()
        self._closed = False

    def answer(self, bundle: Bundle, on_text: OnText | None) -> Answers:
        """Answer by the script; the usage of an answer of its own is the script's affair."""
        started = time.monotonic()
        size = self.measure(bundle)
        check_length(bundle, size)
        with self._lock:
            self.bundles.append(bundle)
        answers: list[Answer] = []
        for question in bundle.questions:
            check_taken_back()
            answer = self._script(bundle, question) if self._script else None
            reused = size.shared if answers else 0  # the first question pays for the shared text
            usage = Usage(size.shared - reused + _length(question.prompt), reused)
            answers.append(plain_answer(question, usage) if answer is None else answer)
            if bundle.deadline is not None and time.monotonic() - started >= bundle.deadline:
                raise DeadlineExceeded(f"{bundle.deadline:g} s passed before the answer")
        return told(tuple(answers), on_text)

    def close(self) -> None:
        """Refuse what is asked from now on."""
        self._closed = True

    def statistics(self) -> Statistics:
        """Count what was asked; no time passes here."""
        asked = tuple(self.bundles)
        return Statistics(len(asked), sum(len(bundle.questions) for bundle in asked))

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count words."""
        if self._closed:
            raise Closed(f"{self._card.model} is closed; make another")
        check_bundle(bundle)
        shared = _length(bundle.shared) if bundle.questions else 0
        return BundleSize(shared, tuple(map(_cells, bundle.questions)), self._card.context)

    def card(self) -> EngineCard:
        """Describe the fake."""
        return self._card
