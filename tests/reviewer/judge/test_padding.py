"""One harmless line beside a wrong one must not silence it."""

from __future__ import annotations

import hashlib
import re

import pytest
from edits import accused, asked, edit
from padding import BUGS, Bug

from hunkwise.engine import Bundle, Question, Score, Scored, ScriptedEngine, TokenScore

_TOKEN = re.compile(rb"\n|[ \t]*(?:\w+|[^\w\s])|[ \t]+")


def _script(_: Bundle, question: Question) -> Scored | None:
    """Score each word by itself: odd letters are unlikely, the same everywhere."""
    if not isinstance(question, Score):
        return None
    tokens = []
    for found in _TOKEN.finditer(question.text.encode()):
        digest = hashlib.sha256(found[0].strip()).digest()
        logprob = -0.1 - digest[0] / 64
        if question.id == "new":
            logprob -= digest[1] / 32
        tokens.append(TokenScore(found[0].decode(), found.start(), found.end(), logprob, -0.1))
    return Scored(question.id, tuple(tokens))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.path)
def test_a_harmless_line_changes_nothing_of_what_is_said(bug: Bug, known: bool) -> None:
    """Before, after and within the block: the evidence is the same to the digit, and so is the line."""
    said = {
        what: accused(edit(bug.before, after, bug.path, known=known), ScriptedEngine(_script))
        for what, after in bug.variants()
        if what != "renamed"
    }

    assert len(set(said.values())) == 1, said


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.path)
def test_a_new_name_elsewhere_does_not_move_the_remark(bug: Bug) -> None:
    """The lines in which only a name is new are as unchanged ones."""
    changes = dict(bug.variants())
    plain, renamed = (
        accused(edit(bug.before, changes[what], bug.path), ScriptedEngine(_script))[1]
        for what in ("plain", "renamed")
    )

    assert renamed == re.sub(rf"\b{bug.name}\b", f"{bug.name}_", plain)


@pytest.mark.parametrize(
    "line",
    [
        "log.debug('page %s', number)",
        "logging.getLogger(__name__).info(number)",
        "print(number, size)",
        "print(number, size)  # for now",
        "assert number > 0, 'pages'",
        "self.check(rows)",
        "spare = size",
        "spare: int = size + 1",
        "log.debug(\n        'page %s',\n        number,\n    )",
    ],
)
def test_forms_of_harmless_lines(line: str) -> None:
    """Logs, checks, calls, and values that nobody uses; on one line or several."""
    bug = BUGS[0]
    plain, padded = (bug.text.replace("@@", text) for text in (bug.new, f"{line}\n    {bug.new}"))
    said = [accused(edit(bug.before, after, bug.path), ScriptedEngine(_script)) for after in (plain, padded)]

    assert said[0] == said[1]


@pytest.mark.parametrize(
    "line",
    [
        "if number > 9:\n        return []",
        "return rows",
        "raise ValueError",
        "size = 1",
        "sys.exit(1)",
        "log.debug(size); size = 1",
        "size = log.debug(size)",
        "rows = rows[1:]",
    ],
)
def test_lines_that_change_what_the_code_does_count(line: str) -> None:
    """A branch, an end, a value that is used."""
    bug = BUGS[0]
    plain, other = (bug.text.replace("@@", text) for text in (bug.new, f"{line}\n    {bug.new}"))
    said = [accused(edit(bug.before, after, bug.path), ScriptedEngine(_script)) for after in (plain, other)]

    assert said[0] != said[1]


def test_harmless_lines_alone_are_new_code() -> None:
    """Where nothing went there is nothing to stand beside."""
    bug = BUGS[0]
    change = edit(bug.before, bug.text.replace("@@", f"{bug.old}\n    {bug.log}"), bug.path)

    assert asked(change) == ["\n"]
