"""One ranking of what words and vectors find.

What words find is put in order by its best line too: a passage that has the words of a question near one another
says more of it than one that has them far apart. Vectors are fused with that by reciprocal rank fusion, in which
each ranking counts by places alone. Measured: docs/ask.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hunkwise.reviewer.knowledge.port import ANY, Filter, Hit, Knowledge, Passage
from hunkwise.reviewer.knowledge.words import asked, shared

_DEPTH = 60  # of each ranking
_FLATTEN = 60  # Cormack, Clarke and Büttcher 2009: how little the first places stand out


def search(
    index: Knowledge,
    question: str,
    limit: int = 8,
    wanted: Filter = ANY,
    by_vector: Sequence[Passage] = (),
) -> tuple[Hit, ...]:
    """Find the passages that say most about a question: by words, by their best line, and by vectors."""
    words = by_lines(question, index.search(question, _DEPTH, wanted))
    return (_fuse(words, by_vector) if by_vector else words)[:limit]


def by_lines(question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Put hits in order by their score and by the share of the question's words that one line of theirs has."""
    words = asked(question)
    best = max((hit.score for hit in hits), default=0.0) or 1.0
    scores = {hit: hit.score / best + _line(words, hit.passage) for hit in hits}
    order = sorted(hits, key=lambda hit: -scores[hit])  # of equals the one that was found first
    return tuple(replace(hit, score=scores[hit], lexical=place) for place, hit in enumerate(order, 1))


def _line(words: Sequence[str], passage: Passage) -> float:
    return max(shared(words, line) for line in passage.text.split("\n"))


def _fuse(words: Sequence[Hit], vectors: Sequence[Passage]) -> tuple[Hit, ...]:
    lexical = {hit.passage: place for place, hit in enumerate(words, 1)}
    vector = {passage: place for place, passage in enumerate(vectors, 1)}
    scores: dict[Passage, float] = {}
    for ranking in (lexical, vector):
        for passage, place in ranking.items():
            scores[passage] = scores.get(passage, 0.0) + 1 / (_FLATTEN + place)
    best = sorted(scores, key=lambda passage: -scores[passage])
    return tuple(Hit(each, scores[each], lexical.get(each), vector.get(each)) for each in best)
