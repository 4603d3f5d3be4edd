"""Vectors beside words: which finds the right passage of questions/questions.json in a pool of passages?

    .venv/bin/python benchmarks/ask_vectors.py --project hunkwise=. --project webhook=DIR --project starlette=DIR \
        --embed qwen2.5-coder:0.5b --pooling mean

The pool of a project are the right passages of its questions, and those that words find first for each of them:
to embed all of them takes hours on a CPU. So places are better than in the whole index; the ways are compared.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import get_args

import numpy as np
from ask import Asked, indexed, place_of, read_questions, table

from hunkwise import engine as engines
from hunkwise.engine import Bundle, Embed, Embedding, Engine, Pooling
from hunkwise.reviewer.app.telling.embedding import beginning
from hunkwise.reviewer.knowledge import fused
from hunkwise.reviewer.knowledge.port import Hit, Passage
from hunkwise.reviewer.knowledge.store.index import Index
from hunkwise.reviewer.knowledge.vectors.port import embedded_text

FIRST = 3  # passages that words find for a question, of the pool
LONGEST = 800  # characters of a passage
DEPTH = 400


def pool_of(index: Index, questions: Sequence[Asked]) -> list[Passage]:
    """Collect the passages that are ranked."""
    found = [passage for passage in index.passages() if any(asked.right(passage) for asked in questions)]
    for asked in questions:
        found += [hit.passage for hit in fused.search(index, asked.question, FIRST)]
    return list(dict.fromkeys(found))


def embed(engine: Engine, texts: Sequence[str], pooling: Pooling | None) -> np.ndarray:
    """Embed texts."""
    rows = []
    for begin in range(0, len(texts), 16):
        some = [beginning(engine, text[:LONGEST]) for text in texts[begin : begin + 16]]
        answers = engine.ask(Bundle((), tuple(Embed(str(n), text, pooling) for n, text in enumerate(some))))
        rows += [answer.vector for answer in answers if isinstance(answer, Embedding)]
    return np.array(rows, np.float32)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", action="append", default=[], metavar="NAME=CLONE", required=True)
    parser.add_argument("--embed", default="qwen2.5-coder:0.5b", metavar="MODEL")
    parser.add_argument("--pooling", choices=get_args(Pooling))
    parser.add_argument(
        "--ending", default="", help="text behind each passage and question, for the last token"
    )
    parser.add_argument("--work", type=Path, default=Path("~/.cache/hunkwise-benchmarks/ask").expanduser())
    given = parser.parse_args()
    clones = dict(each.split("=", 1) for each in given.project)
    projects, questions = read_questions()
    places: dict[str, list[int | None]] = {}
    spec = engines.library_from_environment(os.environ, offline=True).ensure(given.embed, lambda *_: None)
    count, began = 0, time.monotonic()
    with closing(engines.open_local(spec)) as engine:
        for name, clone in clones.items():
            asked = [each for each in questions if each.project == name and each.answered_at]
            with closing(indexed(name, Path(clone), projects[name]["commit"], given.work)) as index:
                pool = pool_of(index, asked)
                count += len(pool)
                texts = [embedded_text(passage)[:LONGEST] + given.ending for passage in pool]
                vectors = embed(engine, texts, given.pooling)
                wanted = embed(engine, [each.question + given.ending for each in asked], given.pooling)
                for each, scores in zip(asked, wanted @ vectors.T, strict=True):
                    by_vector = [pool[place] for place in np.argsort(-scores)]
                    both = fused.search(index, each.question, DEPTH, by_vector=by_vector)
                    words = fused.search(index, each.question, DEPTH)
                    ways = {"vectors": by_vector, "words": _within(words, pool), "both": _within(both, pool)}
                    for way, ranking in ways.items():
                        places.setdefault(way, []).append(place_of(each, ranking))
    print(
        f"{given.embed}, {given.pooling or 'its own pooling'}: {count} passages, {time.monotonic() - began:.0f} s"
    )
    for way, found in places.items():
        print(table(way, found))
    return 0


def _within(hits: Sequence[Hit], pool: Sequence[Passage]) -> list[Passage]:
    there = set(pool)
    return [hit.passage for hit in hits if hit.passage in there]


if __name__ == "__main__":
    sys.exit(main())
