"""From a hunk to bundles, by the templates in prompts/. Everything the model reads is made here.

Code reaches the model as data: it is a segment of its own, in which the engine parses no special tokens.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hunkwise.engine import Bundle, Choose, Generate, Score, Segment
from hunkwise.reviewer.diff.hunks import MARKS
from hunkwise.reviewer.text.redaction import plain
from hunkwise.reviewer.text.templates import render, source
from hunkwise.reviewer.types import Category, HunkContext, Severity

YES_NO = ("Yes", "No")

DESCRIPTIONS: dict[Category, str] = {
    Category.CORRECTNESS: "wrong result or broken logic",
    Category.ERROR_HANDLING: "an error, a null or an edge case that is not handled",
    Category.CONCURRENCY: "a race, a deadlock, or a resource that is not released",
    Category.SECURITY: "a security hole",
    Category.PERFORMANCE: "needless cost in time or memory",
    Category.MAINTAINABILITY: "dead, duplicated or misleading code",
    Category.TESTABILITY: "code that cannot be tested",
}

# What a remark may be graded as; without "info", so that no planted text can talk a remark below every bar
SAYABLE = tuple(severity for severity in Severity if severity is not Severity.INFO)

# Longest texts the grammar admits, in characters: a remark is read on a screen, not in a book.
MAX_TITLE = 80
MAX_MESSAGE = 360

# What a remark may quote in backticks: names and changed lines that it was shown, so many and so long at most.
MOST_NAMES = 300
MOST_LINES = 24
LONGEST_QUOTE = 100
_NAME = re.compile(r"[^\W\d]\w*(?:(?:\.|::|->)[^\W\d]\w*)*")
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")  # in a regular expression


@dataclass(frozen=True, slots=True)
class Focus:
    """Where the evidence points: a commentable line, its text, and the old lines that went there."""

    line: int
    text: str
    old: tuple[str, ...] = ()
    replaced: bool = True  # the line came in for the old ones; else they went beside it


View = tuple[Segment, ...]
"""A hunk as the model is shown it: the shared segments of every question about it."""


@cache
def prompt_digest() -> str:
    """Sha256 (hex) of all that shapes a prompt: the templates, what fills them in, the words of this module."""
    parts = [source(name) for name in ("system", "hunk", "finding", "remark", "think", "claims")]
    for room, module in ((__package__, "prompt.py"), ("hunkwise.reviewer.text", "templates.py")):
        parts.append(resources.files(room).joinpath(module).read_text("utf-8"))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def view(context: HunkContext, guidelines: str = "") -> View:
    """Show a hunk: the reviewer's role, the project's guidelines, and the numbered lines between two fences.

    The fence is drawn from the code's own digest, so code cannot spell it to break out.
    """
    rows = numbered(context)
    digest = hashlib.sha256("\n".join(text for _, _, text in rows).encode("utf-8", "surrogateescape"))
    path = plain(context.file.path)
    code = render("hunk", path=path, rows=rows, fence=f"=== {digest.hexdigest()[:8]} ===")
    return Segment(role(guidelines), "system"), Segment(code)


def role(guidelines: str = "") -> str:
    """Tell the model what it is, and what the project's guidelines are."""
    return render("system", guidelines=guidelines)


def numbered(context: HunkContext) -> list[tuple[str, str, str]]:
    """List the lines of a hunk and around it: new-side number ("" where it is gone), diff mark, text."""
    rows: list[tuple[int | None, str, str]] = [(number, " ", text) for number, text in context.before]
    rows += [(line.new_no, MARKS[line.kind], line.text) for line in context.hunk.lines]
    rows += [(number, " ", text) for number, text in context.after]
    width = max((len(str(number)) for number, _, _ in rows if number is not None), default=1)
    return [
        (str(number if number is not None and mark != "-" else "").rjust(width), mark, text.rstrip("\r"))
        for number, mark, text in rows
    ]


def quotable(context: HunkContext) -> tuple[str, ...]:
    """List what a remark on a hunk may quote: the names in view, the nearest first, and the changed lines."""
    lines = [line.text for line in context.hunk.lines]
    around = [text for _, text in (*reversed(context.before), *context.after)]
    names = dict.fromkeys(name for text in (*lines, *around) for name in _NAME.findall(text))
    changed = (line.text.strip() for line in context.hunk.lines if line.kind != "context")
    whole = dict.fromkeys(text for text in changed if text.isprintable() and text and "`" not in text)
    quotes = (*list(names)[:MOST_NAMES], *list(whole)[:MOST_LINES])
    return tuple(quote for quote in quotes if len(quote) <= LONGEST_QUOTE)


def finding(
    shown: View,
    *,
    lines: tuple[int, ...],
    quotes: tuple[str, ...],
    language: str,
    focus: Focus,
    rules: tuple[str, ...] = (),
) -> Bundle:
    """Ask for the one defect; only `lines`, known categories and severities can be said.

    That there is no finding is decided before, from the evidence: asked to choose, a small model always
    takes the empty list (docs/quality.md).
    """
    text = request(focus, language, rules)
    question = Generate("finding", (Segment(text),), max_tokens=320, schema=finding_schema(lines, quotes))
    return Bundle(shown, (question,))


def request(focus: Focus, language: str, rules: tuple[str, ...] = ()) -> str:
    """Word the question for the one defect."""
    return render("finding", focus=focus, rules=rules, language=language)


def finding_schema(lines: tuple[int, ...], quotes: tuple[str, ...]) -> dict[str, object]:
    """Give the JSON schema of an answer: one finding, on a commentable line; it is graded after it is worded.

    Between backticks only `quotes` can be said, so that no remark quotes code that is not there.
    """
    text = quoting(quotes)
    return {
        "type": "object",
        "properties": {
            "line": {"enum": list(lines)},
            "title": {**text, "minLength": 8, "maxLength": MAX_TITLE},
            "message": {**text, "minLength": 16, "maxLength": MAX_MESSAGE},
            "severity": {"enum": [severity.value for severity in SAYABLE]},
        },
        "required": ["line", "title", "message", "severity"],
        "additionalProperties": False,
    }


def quoting(quotes: Sequence[str]) -> dict[str, str]:
    """Describe a text in which only `quotes` stand between backticks."""
    known = "|".join(_SPECIAL.sub(r"\\\g<0>", quote) for quote in quotes)
    return {"type": "string", "pattern": f"^(?:[^`]|`(?:{known})`)*$" if known else "^[^`]*$"}


def thinking() -> str:
    """Ask for thoughts before a free review."""
    return render("think")


def claiming(most: int, language: str, rules: tuple[str, ...] = ()) -> str:
    """Ask for the defects of a hunk, at most so many."""
    return render("claims", most=most, language=language, rules=rules)


def grading(
    shown: View, line: int, text: str, title: str, message: str, categories: tuple[Category, ...]
) -> Bundle:
    """Ask whether a given remark is true, in both polarities, and of which kind if several are possible."""
    remark = Segment(render("remark", line=line, text=text, title=title, message=message))
    kinds = "; ".join(f"{category.value}: {DESCRIPTIONS[category]}" for category in categories)
    which = Choose(
        "category",
        (Segment(f"Which kind of problem is that? Answer with one of these words. {kinds}"),),
        tuple(category.value for category in categories),
    )
    return Bundle(
        (*shown, remark),
        (
            Choose("true", (Segment("Is this remark true of the code? Answer Yes or No."),), YES_NO),
            Choose("false", (Segment("Is this remark wrong about the code? Answer Yes or No."),), YES_NO),
            *((which,) if len(categories) > 1 else ()),
        ),
    )


def likelihoods(before: str, new: str, old: str) -> Bundle:
    """Score the new and the old text as continuations of the same lines before them.

    The last of these lines belongs to each question: a question has to add something to what is shared.
    """
    head, last = _last_line(before)
    shared = (Segment(head, "raw"),) if head else ()
    own = (Segment(last, "raw"),)
    return Bundle(shared, (Score("new", own, new), Score("old", own, old)))


def alone(text: str) -> Bundle:
    """Share a text and nothing else, to have its tokens counted."""
    return Bundle((Segment(text, "raw"),), (Generate("alone", (Segment("\n", "raw"),), 1),))


def _last_line(text: str) -> tuple[str, str]:
    cut = text.rfind("\n", 0, len(text) - 1) + 1
    return text[:cut], text[cut:]
