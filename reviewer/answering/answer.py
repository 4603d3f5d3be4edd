"""`answer`: from a question and the passages that were found to an answer, or to "the documents don't say"."""

from __future__ import annotations

from collections.abc import Sequence

from hunkwise.engine import Capability, Engine
from hunkwise.reviewer.answering.evidence import BAR, features, layer_for, weigh, weigh_by_words
from hunkwise.reviewer.answering.types import Answer, Heard, Verdict, Weighed
from hunkwise.reviewer.answering.writing import sentences
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.knowledge.port import Hit

WEIGHED = 4  # passages that a model weighs
MOST_SENTENCES = 2
_NEAR = 1.5  # nats that a passage may be behind the best and still be answered from
_NEEDED = (Capability.SCORE, Capability.CHOOSE, Capability.GENERATE, Capability.SCHEMA)


def listed(question: str, hits: Sequence[Hit]) -> Answer:
    """Give the passages alone; no model is asked."""
    verdict: Verdict = "passages only" if hits else "not in the documents"
    return Answer(question, verdict, tuple(Weighed(hit) for hit in hits))


def answer(
    question: str,
    hits: Sequence[Hit],
    engine: Engine,
    *,
    language: str = "English",
    heard: Heard = lambda sentence: None,
) -> Answer:
    """Answer from passages alone. Raises EngineError, and UsageError for an engine that can't do it."""
    card = engine.card()
    if missing := card.lacks(*_NEEDED):
        names = ", ".join(missing)
        raise UsageError(f"{card.model} can't answer from documents, for it lacks: {names}; see --no-model")
    layer = layer_for(card.digest)
    if not hits:
        return Answer(question, "not in the documents", (), (), 0.0, layer.measured, card.model)
    weighed = weigh_by_words(question, hits[:WEIGHED])
    probability = layer.probability(features(weighed))
    if not layer.by_words or probability >= BAR:
        weighed = weigh(engine, question, hits[:WEIGHED])
        probability = layer.probability(features(weighed))
    told = (probability, layer.measured, card.model)
    if probability < BAR:
        return Answer(question, "not in the documents", weighed, (), *told)
    written = sentences(engine, question, _chosen(weighed), language, heard)
    verdict: Verdict = "answered" if written else "not in the documents"
    return Answer(question, verdict, weighed, written, *told)


def _chosen(weighed: Sequence[Weighed]) -> tuple[Weighed, ...]:
    best = weighed[0]
    near = (each for each in weighed if best.gain + best.yes - each.gain - each.yes <= _NEAR)
    return tuple(near)[:MOST_SENTENCES]
