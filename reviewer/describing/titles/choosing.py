"""Has a model choose among true titles: the one that gains most by the change, against what it has without it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hunkwise.engine import Bundle, Engine, Score, Scored, Segment

MOST = 6  # titles to choose from
_PER_PLACE = 0.08  # nats a token that a title must gain to come before the one that facts put before it


def chosen(engine: Engine, shown: Sequence[Segment], alone: Sequence[Segment], titles: Sequence[str]) -> str:
    """Give the title whose tokens gain most by what is shown; "" where the engine does not say."""
    if len(titles) < 2:
        return next(iter(titles), "")
    questions = tuple(
        Score(str(number), (Segment("Title:", "raw"),), f" {title}") for number, title in enumerate(titles)
    )
    given, bare = (_means(engine, Bundle(tuple(view), questions)) for view in (shown, alone))
    if len(given) != len(titles) or len(bare) != len(titles):
        return ""
    gains = [
        with_it - without - _PER_PLACE * place
        for place, (with_it, without) in enumerate(zip(given, bare, strict=True))
    ]
    return titles[max(range(len(titles)), key=gains.__getitem__)]


def different(titles: Iterable[str]) -> list[str]:
    """Give titles that say different things, each in its first form."""
    told: dict[str, str] = {}
    for title in titles:
        key = title.rsplit(" ", 2)[0] if re.search(r" (?:in|to|from|of) `[^` ]+`$", title) else title
        told.setdefault(key, title)
    return list(told.values())[:MOST]


def _means(engine: Engine, bundle: Bundle) -> list[float]:
    answers = engine.ask(bundle)
    return [answer.logprob / max(len(answer.tokens), 1) for answer in answers if isinstance(answer, Scored)]
