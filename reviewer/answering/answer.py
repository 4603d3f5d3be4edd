"""`answer`: from a question and the passages that were found to an answer, or to "the documents don't say"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hunkwise.engine import Capability, Engine
from hunkwise.reviewer.answering.choosing import chosen, offered
from hunkwise.reviewer.answering.evidence import BAR, probability, weigh
from hunkwise.reviewer.answering.types import Answer, Heard, Verdict, Weighed
from hunkwise.reviewer.answering.writing import sentences
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.knowledge.port import Hit

WEIGHED = 4  # passages that are answered from
LEAST_GAIN = 0.9  # nats a token by which a quote must make the question likelier to be its answer
MOST_SENTENCES = 1
_NEEDED = (Capability.SCORE, Capability.GENERATE)


def listed(question: str, hits: Sequence[Hit]) -> Answer:
    """Give the passages alone; no model is asked."""
    verdict: Verdict = "passages only" if hits else "not in the documents"
    return Answer(question, verdict, tuple(Weighed(hit) for hit in hits))


def refused(question: str, hits: Sequence[Hit], unwritten: Sequence[str] = ()) -> Answer | None:
    """Refuse by words alone, where passages are not likely to say an answer: no model is opened for that.

    `unwritten` are words of the question that stand nowhere.
    """
    unsaid = _by_words(question, hits, unwritten)
    return None if _is_likely(unsaid) else unsaid


def answer(
    question: str,
    hits: Sequence[Hit],
    engine: Engine,
    *,
    unwritten: Sequence[str] = (),
    language: str = "English",
    heard: Heard = lambda sentence: None,
) -> Answer:
    """Answer from passages alone, or refuse: by words, or by what the model makes of the passages.

    Raises EngineError, and UsageError for an engine that can't do it.
    """
    card = engine.card()
    if missing := card.lacks(*_NEEDED):
        names = ", ".join(missing)
        raise UsageError(f"{card.model} can't answer from documents, for it lacks: {names}; see --no-model")
    unsaid = _by_words(question, hits, unwritten)
    if not _is_likely(unsaid):
        return unsaid
    offers = offered(question, [each.passage for each in unsaid.passages])
    order = chosen(engine, question, offers) if offers else ()
    if not any(offer.gain >= LEAST_GAIN for offer in order):
        return replace(unsaid, model=card.model)
    written = sentences(engine, question, order[:MOST_SENTENCES], language, heard)
    also = tuple(offer.quote for offer in order[MOST_SENTENCES:])
    return replace(unsaid, verdict="answered", sentences=written, also=also, model=card.model)


def _by_words(question: str, hits: Sequence[Hit], unwritten: Sequence[str]) -> Answer:
    """Weigh the first passages by words; as yet nothing is said."""
    weighed = weigh(question, hits[:WEIGHED], unwritten)
    likely = probability(weighed) if hits else 0.0
    return Answer(question, "not in the documents", weighed, probability=likely)


def _is_likely(unsaid: Answer) -> bool:
    return unsaid.probability is not None and unsaid.probability >= BAR
