"""What of the changed lines is code: comments and docstrings are no evidence of anything, and imports hardly.

Told by the language's own grammar (syntax.py), of the whole file before and after the change where it is known,
else of the hunk alone. What is not sure is code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import PurePosixPath

from hunkwise.reviewer.languages.parser import parser
from hunkwise.reviewer.languages.syntax import Span, languages
from hunkwise.reviewer.types import FileDiff, FileKey, Line, LineCode, Numbers, TextOf

LONGEST_TEXT = 1_000_000  # characters; a longer one is code as a whole
LONGEST_HEAD = 300  # characters of a line that tell its form

_ACTS = re.compile(r"[=!<>]=|[<>+\-*/%&|!?(]|\b(?:if|while|for|return|not|and|or|in|case)\b")
_CONTROL = re.compile(r"\s*(?:if|for|while|return|elif)\b")
_FRAMES = re.compile(
    r"\s*(?:def|func|public|private|static|class|function|import|from)\s|\s*(?:#|\}|else)"
    r"|\s*[\w<>\[\], *]+\([^;]*\)\s*\{?$"
)

Codes = Mapping[Numbers, LineCode]
"""What is left of the changed lines of a file; a line that is not here is code as it stands."""


def codes_of(files: Iterable[FileDiff], text_of: TextOf) -> dict[FileKey, Codes]:
    """Find what of the changed lines of each file is code; `text_of` gives a file after the change."""
    return {file.key: codes(file, text_of(file)) for file in files}


def codes(file: FileDiff, text: str | None) -> Codes:
    """Find what of the changed lines of a file is code; `text` is the file after the change."""
    wholes = [list(hunk.lines) for hunk in file.hunks] if text is None else [both_sides(file, text)]
    found: dict[Numbers, LineCode] = {}
    for lines in wholes:
        for kind, other in (("added", "removed"), ("removed", "added")):
            if any(line.kind == kind for line in lines):
                side = [line for line in lines if line.kind != other]
                found |= {line.numbers: code for line, code in _told(file.path, side) if line.kind == kind}
    return found


def bare(line: Line, known: Codes) -> Line:
    """Give a line without its comments, if the change touches it."""
    code = known.get(line.numbers)
    return line if code is None or line.kind == "context" else replace(line, text=code.text)


def code_of(line: Line, known: Codes) -> str:
    """Give what of a changed line is evidence: nothing of a blank line, a comment, an import."""
    code = known.get(line.numbers, LineCode(line.text))
    return code.text if code.text.strip() and not code.imports else ""


def both_sides(file: FileDiff, text: str) -> list[Line]:
    """Give the file's lines with the removed ones among them; those outside the hunks have no numbers."""
    after, at, lines = text.split("\n"), 1, []
    for hunk in file.hunks:
        start = hunk.new_start if hunk.new_length else hunk.new_start + 1
        lines += [Line("context", line, None, None) for line in after[at - 1 : start - 1]]
        lines += hunk.lines
        at = start + hunk.new_length
    return lines + [Line("context", line, None, None) for line in after[at - 1 :]]


def _told(path: str, lines: Sequence[Line]) -> Iterator[tuple[Line, LineCode]]:
    """Tell what is code of those lines of one side that are not code as they stand."""
    text = "".join(f"{line.text}\n" for line in lines)
    ends = [0, *accumulate(len(line.text) + 1 for line in lines)]
    spans, first = _spans(path, text), 0
    for line, (start, end) in zip(lines, pairwise(ends), strict=True):
        while first < len(spans) and spans[first][1] <= start:
            first += 1
        own: list[Span] = []
        for span in spans[first:]:
            if span[0] >= end - 1:
                break
            own.append((max(span[0] - start, 0), min(span[1] - start, end - 1 - start), *span[2:]))
        if own:
            yield line, _cut(line.text, own)


def _cut(text: str, spans: Sequence[Span]) -> LineCode:
    """Take comments and docstrings out of a line, and the white space before one that ends it."""
    kept, code, at = "", "", 0
    does = next((does for _, _, kind, does in spans if kind == "statement"), "")
    spans = [span for span in spans if span[2] != "statement"]
    for start, end, kind, _ in spans:
        kept += text[at:start] + (text[start:end] if kind == "import" else "")
        code += text[at:start]
        at = end
    kept, code = kept + text[at:], code + text[at:]
    if spans and spans[-1][2] != "import" and not text[at:].strip():
        kept = kept.rstrip()
    return LineCode(kept, imports=bool(kept.strip()) and not code.strip(), does=does)


def _spans(path: str, text: str) -> list[Span]:
    """Find what is no code in a text: what all grammars of its language say of it."""
    names = languages(_suffix(path))
    if not names or len(text) > LONGEST_TEXT:
        return []
    told = text.encode("utf-8", "replace").decode() if not text.isascii() else text
    first, *others = (parser().read(name, told) for name in names)
    return [span for span in first if all(span in other for other in map(set, others))]


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix[1:].lower()


def weight(line: str) -> float:
    """Weigh a line by its form, 0..1: slips are in what acts, seldom in what opens or closes a block."""
    head = line[:LONGEST_HEAD]
    acts = 1.0 if _ACTS.search(head) else 0.5
    return acts * (0.3 if _FRAMES.match(head) and not _CONTROL.match(head) else 1.0)
