"""What a remark knows for certain: what was there, and what is there now. Do the model's words agree with it?

The place of a remark is better than a small model's words for it (docs/quality.md). So a remark begins with the
facts, and of the model's sentences one is kept, if it does not turn the change round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

LONGEST_TITLE, LONGEST_QUOTE = 60, 100  # characters of code
MOST_QUOTES = 2
SHORTEST_NAME = 3

_TOKEN = re.compile(r"\w+|[^\w\s]+")
_NAME = re.compile(r"[^\W\d_][^\W_]+")  # a part of a name
_ENDING = re.compile(r"(?:ing|ed|es|s)$")
# Words by which a sentence says that something is not there, or not any more
_ABSENT = frozenset(
    [
        "no",
        "not",
        "never",
        "without",
        "missing",
        "misses",
        "miss",
        "lost",
        "loses",
        "lose",
        "lacks",
        "lack",
        "lacking",
        "removed",
        "removes",
        "removing",
        "dropped",
        "gone",
        "longer",
        "instead",
        "before",
        "was",
        "were",
        "skips",
        "skipped",
        "skip",
        "omits",
        "omitted",
        "fails",
        "fail",
        "ignores",
        "ignored",
        "stopped",
        "stops",
        "previously",
        "formerly",
        "used",
        "deleted",
        "doesn",
        "isn",
        "don",
        "won",
        "cannot",
        "can't",
        "isn't",
        "doesn't",
        "don't",
        "won't",
        "unless",
        "until",
    ]
)
_MISSING = frozenset(["missing", "removed", "dropped", "gone", "lost", "deleted", "omitted"])


@dataclass(frozen=True, slots=True)
class Facts:
    """The old lines that went, the line that is there, and whether it came in for them."""

    old: tuple[str, ...]
    new: str
    replaced: bool

    @property
    def title(self) -> str:
        """Say in English what was changed, or "" where nothing short can be said."""
        if not self.old:
            return ""
        first = _code(self.old[0], LONGEST_TITLE)
        if not self.replaced:
            more = len(self.old) - 1
            return f"`{first}` and {more} more were taken out" if more else f"`{first}` was taken out"
        gone, come = _differing(self.old[0], self.new) if len(self.old) == 1 else ("", "")
        if max(len(gone), len(come)) > LONGEST_TITLE or not (gone or come):
            return f"This line was `{first}`" if len(self.old) == 1 else ""
        if gone and come:
            return f"`{_code(gone)}` became `{_code(come)}`"
        return (
            f"`{_code(gone)}` was taken out of this line" if gone else f"`{_code(come)}` came into this line"
        )

    @property
    def sentence(self) -> str:
        """Show what was there and what is there, in signs that every language has."""
        quotes = " ".join(f"`{_code(text, LONGEST_QUOTE)}`" for text in self.old[:MOST_QUOTES])
        rest = len(self.old) - MOST_QUOTES
        if rest > 0:
            quotes += f" (+{rest})"
        return f"{quotes} → `{_code(self.new, LONGEST_QUOTE)}`." if self.replaced else f"− {quotes}."

    def agrees(self, sentence: str) -> bool:
        """Tell whether an English sentence has the change the right way round, as far as its names tell.

        What went must be spoken of as absent, and what came alone must not be called missing.
        """
        old, new = _stems(" ".join(self.old)), _stems(self.new if self.replaced else "")
        said = _stems(sentence)
        words = set(re.findall(r"[\w']+", sentence.lower()))
        if said & (old - new):
            return not words.isdisjoint(_ABSENT)
        return not said & (new - old) or words.isdisjoint(_MISSING)


def _differing(old: str, new: str) -> tuple[str, str]:
    """Give the one stretch in which two lines differ, of each; nothing where there are several."""
    before, after = list(_TOKEN.finditer(old)), list(_TOKEN.finditer(new))
    same = SequenceMatcher(None, [each[0] for each in before], [each[0] for each in after], autojunk=False)
    parts = [part for part in same.get_opcodes() if part[0] != "equal"]
    if len(parts) != 1:
        return "", ""
    _, start, end, first, last = parts[0]
    return _stretch(old, before[start:end]), _stretch(new, after[first:last])


def _stretch(text: str, tokens: Sequence[re.Match[str]]) -> str:
    return text[tokens[0].start() : tokens[-1].end()] if tokens else ""


def _code(text: str, most: int = LONGEST_QUOTE) -> str:
    """Make code fit for a quotation: on one line, without the mark that ends it, cut where it is long."""
    shown = " ".join(text.split()).replace("`", "'")
    return shown if len(shown) <= most else f"{shown[: most - 1].rstrip()}…"


def _stems(text: str) -> set[str]:
    parts = (
        part.lower() for name in _NAME.findall(text) for part in re.findall(r"[A-Z]?[^A-Z]+|[A-Z]+", name)
    )
    return {_ENDING.sub("", part) for part in parts if len(part) >= SHORTEST_NAME}
