"""A rule's doubtful hit is put to a model that is skilled in such a question, and to no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hunkwise.engine import Answer, Bundle, Choice, Choose, Question, ScriptedEngine
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.asked.competence import ALL, Competence, Figures
from hunkwise.reviewer.judge.asked.doubts import undoubted
from hunkwise.reviewer.judge.hunk import HunkTask
from hunkwise.reviewer.judge.scope.agenda import agenda
from hunkwise.reviewer.types import Category, Finding, Severity, Source

DIFF = b"--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,2 @@\n+def f(db, name):\n+    db.execute(name)\n"
SKILLED = Figures(20, 20, 0.8, 0.7, 0.9, 10, 8, 12, 10)
HIT = Finding(
    "a.py", 2, 2, Severity.HIGH, Category.SECURITY, "t", "m", 0.6, True, "0" * 32,
    code=("    db.execute(name)",), source=Source(rule="python-sql-text"),
)  # fmt: skip


def _put(found: Finding, odds: float, figures: Figures = SKILLED) -> tuple[int, int, int]:
    """Put a hit to a model; give how many hits stand, how many fall, and how many questions were asked."""

    def script(bundle: Bundle, question: Question) -> Answer | None:
        assert isinstance(question, Choose)
        sign = 1 if question.id.endswith("wrong first") else -1
        return Choice(question.id, (0.5, 0.5), (sign * odds, 0.0))

    engine = ScriptedEngine(script)
    todo = agenda(parse_diff(DIFF), Config())
    task = HunkTask(todo.change, Config().judging, engine)
    known = Competence("m", {"sql-text": {ALL: figures}})
    kept, dropped = undoubted([found], todo.readable, task, known)
    return len(kept), len(dropped), sum(len(bundle.questions) for bundle in engine.bundles)


@pytest.mark.parametrize(("odds", "stands"), [(1.0, True), (-1.0, False)])
def test_a_doubtful_hit_stands_if_the_model_agrees(odds: float, stands: bool) -> None:
    """The question is asked in both orders, of the very line."""
    assert _put(HIT, odds) == (int(stands), int(not stands), 2)


@pytest.mark.parametrize(
    "found",
    [
        replace(HIT, confidence=0.97),  # measured, and nearly always right
        replace(HIT, source=Source(rule="python-mutable-default")),  # of another kind
        replace(HIT, path="b.py"),  # nothing of that file is shown
    ],
)
def test_other_hits_stand_unasked(found: Finding) -> None:
    """Nothing is asked, so nothing is paid."""
    assert _put(found, -1.0) == (1, 0, 0)


def test_a_model_without_skill_is_not_asked() -> None:
    """Its word would only add noise."""
    assert _put(HIT, -1.0, replace(SKILLED, low=0.5)) == (1, 0, 0)


def test_what_nobody_measured_is_doubted() -> None:
    """A hit of a rule without figures is put to the model, whatever number it carries."""
    assert _put(replace(HIT, confidence=0.97, calibrated=False), -1.0) == (0, 1, 2)
