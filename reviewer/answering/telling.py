"""How an answer is told: as text for people, and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hunkwise.reviewer.answering.types import Answer, Quote, Sentence, Weighed
from hunkwise.reviewer.knowledge.port import Passage
from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.text.visible import visible_line

DONT_SAY = "The documents don't say."
_SHOWN = 12  # lines of a passage
_ALSO = 3  # passages that are named where nothing is answered
_LONGEST = 100  # characters of another quote


def sentence_lines(sentence: Sentence) -> Iterator[str]:
    """Tell a sentence, and below it where it is from and the words that it stands on."""
    quote = sentence.quote
    own = sentence.text != quote.text
    yield visible_line(sentence.text if own else f"“{quote.text}”")
    yield visible_line(f"    {place(quote)}" + (f"  “{quote.text}”" if own else ""))


def rest_lines(answer: Answer) -> Iterator[str]:
    """Tell what follows the sentences: where else to look, or the passages themselves."""
    if answer.verdict == "passages only":
        for weighed in answer.passages:
            yield from _passage_lines(weighed.passage)
        return
    if answer.verdict == "answered":
        if answer.also:
            yield from ("", "See also:")
        yield from (visible_line(f"    {place(quote)}  “{_short(quote.text)}”") for quote in answer.also)
        return
    yield DONT_SAY
    if answer.passages:
        yield from ("", "Nearest:")
        yield from (f"    {_named(each.passage)}" for each in answer.passages[:_ALSO])


def _passage_lines(passage: Passage) -> Iterator[str]:
    yield _named(passage)
    lines = passage.text.strip("\n").split("\n")
    yield from (f"    {visible_line(line)}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"    … {len(lines) - _SHOWN} more lines"
    yield ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rpartition(' ')[0]} …"


def _named(passage: Passage) -> str:
    title = f"  {passage.title}" if passage.title else ""
    return visible_line(f"{passage.path}:{passage.start}-{passage.end}{title}")


def place(quote: Quote) -> str:
    """Name where a quote stands."""
    return f"{quote.path}:{quote.start}"


def told(answer: Answer) -> dict[str, Any]:
    """Tell an answer in values."""
    return {
        "question": redact(answer.question),
        "verdict": answer.verdict,
        "answer": [told_sentence(sentence) for sentence in answer.sentences],
        "also": [_told_quote(quote) for quote in answer.also],
        "passages": [told_passage(weighed) for weighed in answer.passages],
        "probability": None if answer.probability is None else round(answer.probability, 3),
        "model": answer.model,
    }


def told_sentence(sentence: Sentence) -> dict[str, Any]:
    """Tell a sentence in values."""
    return {"text": redact(sentence.text), **_told_quote(sentence.quote)}


def _told_quote(quote: Quote) -> dict[str, Any]:
    return {
        "quote": redact(quote.text),
        "path": redact(quote.path),
        "line": quote.start,
        "end_line": quote.end,
    }


def told_passage(weighed: Weighed) -> dict[str, Any]:
    """Tell a passage in values: and how it was found."""
    passage, hit = weighed.passage, weighed.hit
    return {
        "path": redact(passage.path),
        "line": passage.start,
        "end_line": passage.end,
        "title": redact(passage.title),
        "kind": passage.kind,
        "text": redact(passage.text),
        "found": {"words": hit.lexical, "vectors": hit.vector},
    }
