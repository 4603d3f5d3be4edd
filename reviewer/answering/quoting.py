"""What may be quoted of a passage: its sentences, rows, items and lines of code, each with its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hunkwise.reviewer.answering.types import Quote
from hunkwise.reviewer.knowledge.port import Passage

LONGEST = 360  # characters of a quote
MOST = 80  # quotes of a passage
_SHORTEST = 3  # letters and digits, links left out: what only sends elsewhere is no answer
_LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)|&\w+;")
_FENCE = ("```", "~~~")
_ALONE = re.compile(
    r"[|>#]|[-*+] |\d{1,3}[.)] |:\w"
)  # begins a row, an item, a heading: nothing is joined to it
_END = re.compile(r"[.!?][\"')\]*_`]{0,2} (?=[\"'(\[*_`]{0,2}[^\W\d_a-z])")  # of a sentence, before a capital


def quotes(passage: Passage) -> tuple[Quote, ...]:
    """List what may be quoted of a passage, each text once."""
    found: dict[str, Quote] = {}
    for start, end, text in _runs(passage):
        for piece in _sentences(text) if passage.kind == "document" else (text,):
            short = _bounded(piece.strip())
            if sum(map(str.isalnum, short if passage.kind == "code" else _LINK.sub("", short))) >= _SHORTEST:
                found.setdefault(short, Quote(passage.path, start, end, short))
    return tuple(found.values())[:MOST]


def _runs(passage: Passage) -> Iterator[tuple[int, int, str]]:
    """Give runs of lines that belong together: paragraphs of prose as one, all else line by line."""
    paragraph: list[str] = []
    fenced, began = False, passage.start
    lines = passage.text.split("\n")
    if (
        len(lines) != passage.end - passage.start + 1
    ):  # text out of a page: its lines are not those of the file
        yield from ((passage.start, passage.end, line) for line in lines)
        return
    for number, line in enumerate(lines, passage.start):
        text = line.strip()
        mark = text.startswith(_FENCE)
        fenced ^= mark
        code = passage.kind == "code" or fenced or mark
        if paragraph and (code or not text or _ALONE.match(text)):
            yield began, number - 1, " ".join(paragraph)
            paragraph = []
        if not text or mark or (text.startswith("#") and not code):  # a heading says nothing of its own
            continue
        if code or text.startswith("|"):
            yield number, number, text
            continue
        began = began if paragraph else number
        paragraph.append(text)
    if paragraph:
        yield began, passage.end, " ".join(paragraph)


def _sentences(text: str) -> Iterator[str]:
    begin = 0
    for found in _END.finditer(text):
        yield text[begin : found.end()]
        begin = found.end()
    yield text[begin:]


def _bounded(text: str) -> str:
    """Keep whole words of what is too long."""
    return text if len(text) <= LONGEST else (text[:LONGEST].rpartition(" ")[0] or text[:LONGEST])
