"""Vectors of passages: the model that makes them, the place that keeps them, and a search by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from math import hypot
from operator import mul

from hunkwise.engine import Bundle, Capability, Embed, Embedding, Engine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.knowledge.pieces import most, pieces
from hunkwise.reviewer.knowledge.port import Filter, Passage
from hunkwise.reviewer.knowledge.store.index import Index
from hunkwise.reviewer.knowledge.vectors.finding import bring_up_to_date, nearest
from hunkwise.reviewer.knowledge.vectors.port import Embedder, Vectors

DEPTH = 60  # passages that are ranked by vectors
Tell = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class ByVectors:
    """A search by vectors: who opens the model that embeds, and who hears how much is embedded of how much."""

    open_engine: Callable[[], Engine]
    tell: Tell = lambda done, total: None

    def search(self, index: Index, question: str, wanted: Filter, environment: Environment) -> list[Passage]:
        """Embed what has no vector yet, and find what is nearest to the question.

        Raises UsageError for a model that does not embed, KnowledgeError, EngineError.
        """
        with closing(self.open_engine()) as engine:
            embedder = embedder_of(engine)
            with closing(_place(index, embedder.name, environment)) as vectors:
                made = bring_up_to_date(index, vectors, embedder, self.tell)
                if made:
                    environment.say(f"{made} passages were embedded")
                return nearest(index, vectors, embedder, question, DEPTH, wanted)


def embedder_of(engine: Engine) -> Embedder:
    """Make an embedder of an engine. Raises UsageError for a model that does not embed."""
    card = engine.card()
    if Capability.EMBED not in card.capabilities:
        raise UsageError(f"{card.model} does not embed texts; name another model with --embed")

    def embed(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        parts = [_parts(engine, text) for text in texts]
        asked = [Embed(str(number), part) for number, part in enumerate(chain.from_iterable(parts))]
        vectors = [
            answer.vector for answer in engine.ask(Bundle((), tuple(asked))) if isinstance(answer, Embedding)
        ]
        following = iter(vectors)
        return [_together(list(islice(following, len(of))), list(map(len, of))) for of in parts]

    return Embedder(card.digest, embed)


def _parts(engine: Engine, text: str) -> list[str]:
    """Cut a text into parts that the model can embed, by its own tokens; nothing is left out."""
    if _fits(engine, text, len(text)):
        return [text]
    found = pieces(text.split("\n"), 1, lambda part: _fits(engine, part, len(part)))
    return [part for _, _, part in found] or [text[:1]]


def _together(vectors: Sequence[Sequence[float]], sizes: Sequence[int]) -> Sequence[float]:
    """Make one vector of those of a text's parts: their mean by size, of length 1."""
    if len(vectors) < 2:
        return next(iter(vectors), ())
    sums = [sum(map(mul, column, sizes)) for column in zip(*vectors, strict=True)]
    length = hypot(*sums) or 1.0
    return [one / length for one in sums]


def beginning(engine: Engine, text: str) -> str:
    """Keep as much of the beginning of a text as the model can embed."""
    fits = partial(_fits, engine, text)
    if fits(len(text)):
        return text
    return text[: max(1, most(len(text), fits))]


def _fits(engine: Engine, text: str, count: int) -> bool:
    return engine.measure(Bundle((), (Embed("0", text[:count]),))).fits


def _place(index: Index, name: str, environment: Environment) -> Vectors:
    variables = environment.variables
    if address := variables.get("HUNKWISE_QDRANT_URL", ""):
        from hunkwise.reviewer.knowledge.vectors.remote import QdrantVectors

        return QdrantVectors(address, name, token=variables.get("HUNKWISE_QDRANT_TOKEN", ""))
    from hunkwise.reviewer.knowledge.vectors.embedded import EmbeddedVectors

    return EmbeddedVectors(index.file.with_suffix(".vectors.sqlite3"), name)
