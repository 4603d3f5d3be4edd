"""Vectors of passages: the model that makes them, the place that keeps them, and a search by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from hunkwise.engine import Bundle, Capability, Embed, Embedding, Engine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.knowledge.pieces import most
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
        asked = [Embed(str(number), beginning(engine, text)) for number, text in enumerate(texts)]
        answers = engine.ask(Bundle((), tuple(asked)))
        return [answer.vector for answer in answers if isinstance(answer, Embedding)]

    return Embedder(card.digest, embed)


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
