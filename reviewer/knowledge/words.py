"""How identifiers are taken apart, so that what people type finds what programs are written in.

`ReadRegular2`, `read_regular_2` and "read regular" find each other: beside each text the parts of its identifiers
are indexed, and each name without its underscores as one word. Scripts without blanks are cut into pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hunkwise.reviewer.knowledge.synonyms import STEM, same

MOST_WORDS = 48  # of one question that are looked up
_LONGEST = 100  # characters of a word that is taken apart
_WORD = re.compile(r"\w+")
_CAMEL = re.compile(r"[a-z\d][A-Z]")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
# Scripts that are written without blanks between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
# Words that say nothing of what a question is about
_STOP_WORDS = """
    a about all also am an and any are as at be been being but by can could did do does for from get
    gets give had has have how i if in into is it its me must my no not of on one or our out over s
    shall should so some such t tell than that the their them then there these they this those to up
    us use used uses using was we were what when where which while who whom whose why will with would
    you your
"""
_STOP = frozenset(_STOP_WORDS.split())
# "How long" asks for a measure: a text that says "long" is no answer
_MEASURE = re.compile(r"(?i)\bhow (?:long|many|much|often|old|large|big|far|fast|soon|high|deep)\b")
_PLAIN = re.compile(r"[^\W_]+")


def parts(text: str) -> str:
    """Give the parts of a text's identifiers, each once, as a line of words."""
    return " ".join(
        dict.fromkeys(part for word in dict.fromkeys(_WORD.findall(text)) for part in _parts(word))
    )


def asked(question: str) -> list[str]:
    """Give the words of a question to look up, each once, without those that every text has."""
    plain = _MEASURE.sub("how", question)
    words = [piece for word in _WORD.findall(plain) for piece in (*word.lower().split("_"), *_parts(word))]
    told = list(dict.fromkeys(word for word in words if word))
    return ([word for word in told if word not in _STOP] or told)[:MOST_WORDS]


def asks_for_measure(question: str) -> bool:
    """Tell whether a question asks how long, how many and the like."""
    return bool(_MEASURE.search(question))


def shared(words: Sequence[str], text: str, other: float = 0.0) -> float:
    """Give the share of words, as `asked` gives them, that stand in a text.

    A word counts for `other` where only another of the same meaning stands there.
    """
    wanted, there = {word[:STEM] for word in words}, _stems(text)
    counts = (1.0 if stem in there else other * (not there.isdisjoint(same(stem))) for stem in wanted)
    return sum(counts) / len(wanted) if wanted else 0.0


def _stems(text: str) -> set[str]:
    return {word[:STEM] for word in (*_PLAIN.findall(text.lower()), *parts(text).split())}


def names_code(question: str) -> bool:
    """Tell whether a question names something as programs do: `read_regular`, `ReadRegular`."""
    return any("_" in word.strip("_") or _CAMEL.search(word) for word in _WORD.findall(question))


def _parts(word: str) -> Iterator[str]:
    if len(word) > _LONGEST:
        return
    for run in () if word.isascii() else _UNSPACED.findall(word):
        yield from (run[at : at + 2] for at in range(len(run) - 1))
    if not word.isascii() or (word.isalpha() and word.islower()):  # one word as it is
        return
    pieces = [part.lower() for part in _PART.findall(word)]
    if len(pieces) > 1:
        yield from (piece for piece in pieces if len(piece) > 1)
    if "_" in word.strip("_"):
        yield word.replace("_", "").lower()
