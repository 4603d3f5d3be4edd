"""Typed questions: for a kind of defect two opposite statements, of which the model chooses the true one.

Asked whether there is a bug, a small model answers at chance. A contrast of two concrete statements, in both
orders, has to be better for some kind of code before a review asks it (competence.py); all that is asked of a hunk
shares one prefill of it with its function.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from hunkwise.engine import Bundle, Choice, Choose, Engine, Segment
from hunkwise.reviewer.checks.files import language_of
from hunkwise.reviewer.judge.prompt import View
from hunkwise.reviewer.types import Category, Hunk, Severity

MOST_COST = 1.5  # of the prefill of a hunk: so much may all its questions take together
LONGEST_LINE = 400  # characters in which a question's word is looked for
LONGEST_QUOTE = 80  # characters of the line that a question is about

# Languages that one wording of a question suits.
_FAMILIES = {"typescript": "javascript", "tsx": "javascript", "kotlin": "java", "csharp": "java", "cpp": "c"}

Statements = tuple[str, str]
"""What holds of wrong code, and what holds of right code."""


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of defect: where it can be (a pattern over a line), and what holds of wrong and of right code.

    `families` has other statements for some families of languages; `languages` names the only families that it is
    for (none: all); `rules` are globs of the rules whose hits it can doubt.
    """

    id: str
    where: re.Pattern[str]
    statements: Statements
    title: str
    category: Category
    severity: Severity
    families: Mapping[str, Statements] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def line(self, hunk: Hunk) -> int | None:
        """Give the first added line that the question is about."""
        lines = (line for line in hunk.added if self.where.search(line.text[:LONGEST_LINE]))
        return next((line.new_no for line in lines), None)

    def for_family(self, family: str) -> Statements:
        """Give the statements in the words of a family of languages."""
        return self.families.get(family, self.statements)


@dataclass(frozen=True, slots=True)
class Due:
    """A question that is put about a line: its name, the line's number and text, and the statements."""

    id: str
    line: int
    text: str
    statements: Statements


@dataclass(frozen=True, slots=True)
class Heard:
    """What the model said: `odds` are the log-odds of the wrong statement, what the order does taken off."""

    due: Due
    odds: float

    @property
    def wrong(self) -> bool:
        """Whether the wrong statement is the likelier one."""
        return self.odds > 0

    @property
    def probability(self) -> float:
        """How likely the model holds the wrong statement to be the true one."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.odds))))


@cache
def questions() -> tuple[Question, ...]:
    """Read the questions that ship."""
    rows = json.loads((resources.files("hunkwise.prompts") / "questions.json").read_text("utf-8"))[
        "questions"
    ]
    return tuple(
        Question(
            row["id"],
            re.compile(row["where"]),
            (row["bad"], row["good"]),
            row["title"],
            Category(row["dimension"]),
            Severity(row["severity"]),
            {name: (words["bad"], words["good"]) for name, words in row.get("families", {}).items()},
            tuple(row.get("languages", ())),
            tuple(row.get("rules", ())),
        )
        for row in rows
    )


def family_of(path: str) -> str:
    """Name the family of a file's language; "" of a file that is no code we know."""
    language = language_of(path)
    return _FAMILIES.get(language, language)


def due_of(hunk: Hunk, path: str, among: Iterable[Question]) -> list[Due]:
    """List what can be asked of a hunk: each question at the first added line with its word."""
    family = family_of(path)
    texts = {line.new_no: line.text for line in hunk.added}
    found = []
    for question in among:
        line = question.line(hunk)
        if line is not None and (not question.languages or family in question.languages):
            found.append(Due(question.id, line, texts[line].strip(), question.for_family(family)))
    return found


def ask(shown: View, due: Sequence[Due], engine: Engine) -> list[Heard]:
    """Ask in both orders over one prefill."""
    if not due:
        return []
    answers = iter(engine.ask(Bundle(shown, tuple(each for one in due for each in contrast(one)))))
    return [Heard(one, odds_of(next(answers), next(answers))) for one in due]


def affordable(shown: View, due: Sequence[Due], engine: Engine) -> list[Due]:
    """Take as many questions as cost at most `MOST_COST` times what the hunk costs, in their order."""
    if not due:
        return []
    size = engine.measure(Bundle(shown, tuple(each for one in due for each in contrast(one))))
    taken: list[Due] = []
    left = MOST_COST * size.shared
    for number, one in enumerate(due):
        left -= sum(size.questions[2 * number : 2 * number + 2])
        if left < 0:
            break
        taken.append(one)
    return taken


def contrast(due: Due) -> tuple[Choose, Choose]:
    """Word a question in both orders: the wrong statement first, then the right one first."""
    wrong, right = due.statements
    return _choice(due, "wrong first", wrong, right), _choice(due, "right first", right, wrong)


def _choice(due: Due, order: str, first: str, second: str) -> Choose:
    about = f"\nLine {due.line}, `{due.text[:LONGEST_QUOTE]}`. Which is true?"
    text = f"{about}\nA: {first}\nB: {second}\nAnswer A or B."
    return Choose(f"{due.id} {order}", (Segment(text),), ("A", "B"))


def odds_of(wrong_first: object, right_first: object) -> float:
    """Average the log-odds of the wrong statement over both orders."""
    assert isinstance(wrong_first, Choice)
    assert isinstance(right_first, Choice)
    one = wrong_first.logprobs[0] - wrong_first.logprobs[1]
    other = right_first.logprobs[1] - right_first.logprobs[0]
    return (one + other) / 2
