"""`LocalEngine`: one loaded model that answers bundles. See `load`."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from hunkwise.engine.errors import Closed, InvalidQuestion
from hunkwise.engine.llamacpp import native
from hunkwise.engine.llamacpp.card import card_of
from hunkwise.engine.llamacpp.chat import Chat, Layout
from hunkwise.engine.llamacpp.decoding.jobs import Job
from hunkwise.engine.llamacpp.decoding.prefix_files import PrefixFiles
from hunkwise.engine.llamacpp.decoding.scheduler import Limits, Scheduler
from hunkwise.engine.llamacpp.decoding.works.starting import start
from hunkwise.engine.llamacpp.decoding.works.work import Work
from hunkwise.engine.llamacpp.grammar import Grammars
from hunkwise.engine.llamacpp.soundness import check_sound, check_vectors
from hunkwise.engine.llamacpp.vocab import Vocab
from hunkwise.engine.planning.plan import Plan
from hunkwise.engine.port import Answers, EngineCard, OnText, wait
from hunkwise.engine.questions import check_bundle, check_length
from hunkwise.engine.types import Bundle, BundleSize, Embed, ModelSpec, Statistics


def load(
    spec: ModelSpec, plan: Plan, limits: Limits | None = None, *, prefixes: Path | None = None
) -> LocalEngine:
    """Load a model as planned; `prefixes` is a folder for those that the next process begins with too.

    Raises ModelError, NativeFailure, or MissingExtra without llama-cpp-python.
    """
    with ExitStack() as undo:
        model = native.Model(
            spec.weights,
            gpu_layers=plan.n_gpu_layers,
            main_gpu=plan.main_gpu,
            split=plan.tensor_split,
            use_mmap=plan.use_mmap,
            repack=plan.repack,
            name=spec.name,
        )
        undo.callback(model.close)
        engine = LocalEngine(spec, plan, model, limits or Limits(), prefixes)
        undo.pop_all()
    return engine


class LocalEngine:
    """An `Engine` in this process; a context manager. Thread-safe: bundles queue."""

    def __init__(
        self,
        spec: ModelSpec,
        plan: Plan,
        model: native.Model,
        limits: Limits,
        prefixes: Path | None = None,
    ) -> None:
        self._spec = spec
        self._plan = plan
        self._limits = limits
        self._model = model
        self._vocab = Vocab(model)
        self._chat = Chat(self._vocab, spec, model.chat_template())
        if plan.pooling is None:  # an embedding model is never asked in a chat
            self._chat.check(min(plan.n_ctx, model.context_trained))
        self._grammars = Grammars(model)
        adapters = [(model.adapter(path), scale) for path, scale in spec.adapters]
        # Lanes, trunks, and branches for options of several tokens; each costs a row of the output buffer.
        sequences = min(3 * plan.n_seq + 8, max(plan.n_outputs, plan.n_seq + 4), native.MAX_SEQUENCES)
        context = native.Context(
            model,
            cells=plan.n_ctx,
            sequences=sequences,
            batch=plan.n_ubatch,
            outputs=max(plan.n_outputs, sequences),
            threads=plan.n_threads,
            kv_type=plan.kv_type,
            # llama.cpp knows whether the device can; a quantised cache needs it in any case
            whole=not plan.causal,
            flash_attention=None if plan.flash_attention and plan.kv_type == "f16" else plan.flash_attention,
        )
        with ExitStack() as unless_sound:
            unless_sound.callback(context.close)
            if adapters:
                context.adapt(adapters)
            (check_sound if plan.pooling is None else check_vectors)(context, self._vocab)
            unless_sound.pop_all()
        most = context.batch if context.whole else context.cells
        self.limit = min(most, model.context_trained)  # most tokens of a prompt with its answer
        files = PrefixFiles(prefixes, self._fingerprint()) if prefixes else None
        self._scheduler = Scheduler(context, plan.n_seq, limits, files)
        self._preparing = threading.Lock()  # callers' threads use the vocabulary; none may while it is freed
        self._closed = False

    def ask(self, bundle: Bundle) -> Answers:
        """Answer every question, in order. Ctrl-C in the waiting thread takes the bundle back."""
        return wait(self.submit(bundle), bundle)

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[Answers]:
        """Queue a bundle and return at once; cancelling the future frees its cells. Raises QueueFull."""
        layout, works = self._prepare(bundle, on_text)
        if not works:
            empty: Future[Answers] = Future()
            empty.set_result(())
            return empty
        check_length(bundle, self._size(layout, works))
        added = tuple(map(len, layout.questions))
        return self._scheduler.submit(
            Job(bundle, layout.shared, added, works, layout.lasting, on_text is not None)
        )

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count the bundle's tokens."""
        layout, works = self._prepare(bundle)
        return self._size(layout, works)

    def card(self) -> EngineCard:
        """Describe the model, the build and the settings that can change an answer."""
        return card_of(self._spec, self._plan, native.build())

    def statistics(self) -> Statistics:
        """Return the totals since loading."""
        return self._scheduler.statistics()

    @property
    def alive(self) -> bool:
        """False once it is closed, or its thread has ended by a fault."""
        return self._scheduler.alive

    @property
    def idle(self) -> bool:
        """True if nothing waits or runs, and no cell of the cache is in use."""
        return self._scheduler.idle

    def close(self) -> None:
        """Cancel what waits or runs, and free the model; harmless when done twice."""
        with self._preparing:
            self._closed = True
            self._scheduler.close()
            self._model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fingerprint(self) -> bytes:
        """Name all that can change a cell: model, adapters, plan, build, and the CPU's features."""
        card = {**asdict(self.card()), "system": native.system_info()}
        return json.dumps(card, sort_keys=True).encode()

    def _refuse_words(self, bundle: Bundle) -> None:
        if self._plan.pooling is None:
            return
        for question in bundle.questions:
            if not isinstance(question, Embed):
                raise InvalidQuestion(
                    f"{self._spec.name} is an embedding model, which writes no text and foretells none; "
                    "choose a language model"
                )

    def _size(self, layout: Layout, works: list[Work]) -> BundleSize:
        return BundleSize(len(layout.shared), tuple(work.cells for work in works), self.limit)

    def _prepare(self, bundle: Bundle, on_text: OnText | None = None) -> tuple[Layout, list[Work]]:
        with self._preparing:
            if self._closed:
                raise Closed(f"{self._spec.name} is closed; load it again")
            check_bundle(bundle)
            self._refuse_words(bundle)
            layout = self._chat.layout(bundle)
            pairs = zip(bundle.questions, layout.questions, strict=True)
            return layout, [
                start(question, own, self._vocab, self._grammars, layout.shared, on_text, self._plan.pooling)
                for question, own in pairs
            ]
