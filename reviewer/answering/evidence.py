"""Whether passages say an answer, told by the question's words alone: to refuse, no model is loaded."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib import resources

from hunkwise.reviewer.answering.types import Weighed
from hunkwise.reviewer.knowledge.port import Hit
from hunkwise.reviewer.knowledge.words import asked, shared

BAR = 0.3  # what is less likely by its words is not put to the model, which refuses most of the rest
_OTHER = 0.5  # of a word, where only one of the same meaning stands there


@cache
def _shipped() -> tuple[float, float]:
    row = json.loads((resources.files("hunkwise.prompts") / "answering.json").read_text("utf-8"))
    return row["intercept"], row["shared"]


def weigh(question: str, hits: Sequence[Hit], unwritten: Sequence[str] = ()) -> tuple[Weighed, ...]:
    """Weigh passages in the order in which they were found. `unwritten` are words that no passage has."""
    words = asked(question)
    share = len(words) / (len(words) + len(unwritten)) if words else 0.0  # what nobody writes of counts twice
    return tuple(
        Weighed(hit, share * shared(words, f"{hit.passage.title} {hit.passage.text}", _OTHER)) for hit in hits
    )


def probability(weighed: Sequence[Weighed]) -> float:
    """Give the probability that one of the passages says the answer, by a logistic layer."""
    intercept, weight = _shipped()
    return 1 / (1 + math.exp(-intercept - weight * most_shared(weighed)))


def most_shared(weighed: Sequence[Weighed]) -> float:
    """Give the largest share of the question's words that one passage has."""
    return max((each.shared for each in weighed), default=0.0)


def shared_words(question: str, text: str) -> float:
    """Give the share of a question's words that stand in a text, as the index cuts them."""
    return shared(asked(question), text)
