"""One ranking of what words and vectors find.

What the question's words find counts, and less what other words of the same meaning find. It is put in order by
its best line too: a passage that has the words of a question near one another says more of it than one that has
them far apart. Vectors are fused with that by reciprocal rank fusion: each ranking counts by places alone.
Measured: docs/ask.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from hunkwise.reviewer.knowledge.port import ANY, Filter, Hit, Knowledge, Passage
from hunkwise.reviewer.knowledge.synonyms import other_words
from hunkwise.reviewer.knowledge.words import asked, shared

_DEPTH = 60  # of each ranking
_OTHER = 0.3  # of what a word counts, one of the same meaning
_FLATTEN = 60  # Cormack, Clarke and Büttcher 2009: how little the first places stand out


def search(
    index: Knowledge,
    question: str,
    limit: int = 8,
    wanted: Filter = ANY,
    by_vector: Sequence[Passage] = (),
) -> tuple[Hit, ...]:
    """Find the passages that say most about a question: by words, by their best line, and by vectors."""
    words = _by_words(index, question, wanted)
    return (_fuse(words, by_vector) if by_vector else words)[:limit]


def unwritten(index: Knowledge, question: str, found: Sequence[Hit], wanted: Filter = ANY) -> tuple[str, ...]:
    """Give the words of a question that stand nowhere in the index; `found` is what was found for it."""
    missing = (
        word for word in asked(question) if not any(shared([word], _whole(hit.passage)) for hit in found)
    )
    return tuple(word for word in missing if not index.search(word, 1, wanted))


def _whole(passage: Passage) -> str:
    return f"{passage.title} {passage.text}"


def _by_words(index: Knowledge, question: str, wanted: Filter) -> tuple[Hit, ...]:
    words = asked(question)
    others = other_words(words)
    scores: dict[Passage, float] = {}
    for text, counts in ((question, 1.0), (" ".join(others), _OTHER)):
        for hit in index.search(text, _DEPTH, wanted):
            scores[hit.passage] = scores.get(hit.passage, 0.0) + counts * hit.score
    best = max(scores.values(), default=0.0) or 1.0

    def whole(passage: Passage) -> float:
        return scores[passage] / best + _line(words, others, passage)

    made = {passage: whole(passage) for passage in sorted(scores, key=lambda each: -scores[each])[:_DEPTH]}
    order = sorted(made, key=lambda passage: -made[passage])  # of equals the one that was found first
    return tuple(Hit(passage, made[passage], lexical=place) for place, passage in enumerate(order, 1))


def _line(words: Sequence[str], others: Sequence[str], passage: Passage) -> float:
    lines = passage.text.split("\n")
    return max(shared(words, line) + _OTHER / 2 * shared(others, line) for line in lines)


def _fuse(words: Sequence[Hit], vectors: Sequence[Passage]) -> tuple[Hit, ...]:
    lexical = {hit.passage: place for place, hit in enumerate(words, 1)}
    vector = {passage: place for place, passage in enumerate(vectors, 1)}
    scores: dict[Passage, float] = {}
    for ranking in (lexical, vector):
        for passage, place in ranking.items():
            scores[passage] = scores.get(passage, 0.0) + 1 / (_FLATTEN + place)
    best = sorted(scores, key=lambda passage: -scores[passage])
    return tuple(Hit(each, scores[each], lexical.get(each), vector.get(each)) for each in best)
