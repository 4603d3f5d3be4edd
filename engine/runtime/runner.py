"""`LocalEngine`: one loaded model that answers bundles. See `load`."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from hunkwise.engine.errors import NativeFailure, PromptTooLong
from hunkwise.engine.runtime import native
from hunkwise.engine.runtime.card import card_of
from hunkwise.engine.runtime.chat import Chat, Layout
from hunkwise.engine.runtime.grammar import Grammars
from hunkwise.engine.runtime.lanes import Lane, Lanes, Sequences, Trunk
from hunkwise.engine.runtime.plan import Plan
from hunkwise.engine.runtime.prefix import Prefixes
from hunkwise.engine.runtime.vocab import Vocab
from hunkwise.engine.runtime.work import Work, start
from hunkwise.engine.types import Answer, Bundle, BundleSize, EngineCard, ModelSpec, Usage, total_usage

_KEEP_BYTES = 128 * 2**20  # of prefixes in host memory


@dataclass(frozen=True, slots=True)
class Statistics:
    """Where the time went, in seconds: all that answering took, and what of it passed inside llama_decode."""

    bundles: int = 0
    questions: int = 0
    seconds: float = 0.0
    decode_seconds: float = 0.0
    decode_calls: int = 0
    usage: Usage = field(default_factory=Usage)


def load(spec: ModelSpec, plan: Plan) -> LocalEngine:
    """Load a model as planned. Raises ModelError, NativeFailure, or MissingExtra without llama-cpp-python."""
    model = native.Model(
        spec.weights,
        gpu_layers=plan.n_gpu_layers,
        main_gpu=plan.main_gpu,
        split=plan.tensor_split,
        use_mmap=plan.use_mmap,
    )
    try:
        return LocalEngine(spec, plan, model)
    except BaseException:
        model.close()
        raise


class LocalEngine:
    """An `Engine` in this process; a context manager. Thread-safe: bundles take turns."""

    def __init__(self, spec: ModelSpec, plan: Plan, model: native.Model) -> None:
        self._spec = spec
        self._plan = plan
        self._model = model
        self._vocab = Vocab(model)
        self._chat = Chat(self._vocab, spec, model.chat_template())
        self._grammars = Grammars(model)
        sequences = max(min(3 * plan.n_seq + 8, plan.n_outputs, 256), plan.n_seq + 2)
        self._context = native.Context(
            model,
            cells=plan.n_ctx,
            sequences=sequences,
            batch=plan.n_ubatch,
            outputs=max(plan.n_outputs, sequences),
            threads=plan.n_threads,
            kv_type=plan.kv_type,
            flash_attention=plan.flash_attention,
        )
        self._sequences = Sequences(sequences)
        self._prefixes = Prefixes(self._context, self._sequences, _KEEP_BYTES)
        self._lanes = Lanes(self._context, self._sequences)
        self._lock = threading.Lock()
        self._statistics = Statistics()

    @property
    def limit(self) -> int:
        """The most tokens a prompt with its answer may have."""
        return min(self._context.cells, self._model.context_trained)

    def ask(self, bundle: Bundle) -> tuple[Answer, ...]:
        """Answer every question, in order."""
        layout, works = self._prepare(bundle)
        if not works:
            return ()
        with self._lock:
            started = time.perf_counter()
            try:
                answers = self._run(layout, works)
            except NativeFailure:
                self._reset()
                raise
            self._count(answers, time.perf_counter() - started)
        return answers

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count the bundle's tokens."""
        layout = self._chat.layout(bundle)
        works = self._works(bundle, layout)
        return BundleSize(len(layout.shared), tuple(work.cells for work in works), self.limit)

    def card(self) -> EngineCard:
        """Describe the model, the build and the settings that can change an answer."""
        return card_of(self._spec, self._plan, native.build())

    def statistics(self) -> Statistics:
        """Return the totals since loading."""
        with self._lock:
            return self._statistics

    def close(self) -> None:
        """Free the model once the running bundle is answered; harmless when done twice."""
        with self._lock:
            self._context.close()
            self._model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _works(self, bundle: Bundle, layout: Layout) -> list[Work]:
        pairs = zip(bundle.questions, layout.questions, strict=True)
        return [start(question, prompt, self._vocab, self._grammars) for question, prompt in pairs]

    def _prepare(self, bundle: Bundle) -> tuple[Layout, list[Work]]:
        layout = self._chat.layout(bundle)
        works = self._works(bundle, layout)
        for question, work in zip(bundle.questions, works, strict=True):
            tokens = len(layout.shared) + work.cells
            if tokens > self.limit:
                raise PromptTooLong(f"question {question.id!r} with its shared text", tokens, self.limit)
        return layout, works

    def _run(self, layout: Layout, works: list[Work]) -> tuple[Answer, ...]:
        trunk = self._prefixes.acquire(layout.shared)
        reused = trunk.computed
        while not trunk.ready:
            self._lanes.step([trunk])
        self._ask_all(trunk, works)
        usages = [Usage(prefilled=len(prompt), reused=len(layout.shared)) for prompt in layout.questions]
        fresh = len(layout.shared) - reused  # the first question pays for the trunk
        usages[0] = replace(usages[0], prefilled=usages[0].prefilled + fresh, reused=reused)
        return tuple(work.answer(usage) for work, usage in zip(works, usages, strict=True))

    def _ask_all(self, trunk: Trunk, works: list[Work]) -> None:
        free = self._context.cells - len(trunk.tokens)
        waiting = deque(works)
        lanes = 0

        def done(lane: Lane) -> None:
            nonlocal free, lanes
            free += lane.work.cells
            lanes -= 1

        while waiting or len(self._lanes):
            while waiting and lanes < self._plan.n_seq and waiting[0].cells <= free:
                work = waiting.popleft()
                free -= work.cells
                lanes += 1
                self._lanes.start(work, trunk, done)
            self._lanes.step()

    def _reset(self) -> None:
        self._context.clear()
        self._sequences = Sequences(self._context.sequences)
        self._prefixes = Prefixes(self._context, self._sequences, _KEEP_BYTES)
        self._lanes = Lanes(self._context, self._sequences)

    def _count(self, answers: tuple[Answer, ...], seconds: float) -> None:
        before = self._statistics
        self._statistics = Statistics(
            bundles=before.bundles + 1,
            questions=before.questions + len(answers),
            seconds=before.seconds + seconds,
            decode_seconds=self._context.decode_seconds,
            decode_calls=self._context.decode_calls,
            usage=before.usage + total_usage(answers),
        )
