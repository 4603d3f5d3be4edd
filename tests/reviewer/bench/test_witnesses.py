"""One witness of the model alone on labelled changes, and what is counted of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hunkwise.engine import Answer, Bundle, Choice, Choose, Generate, Generated, Question, ScriptedEngine
from hunkwise.reviewer.bench.labelled.cases import Case, Place
from hunkwise.reviewer.bench.run import Remark, Row
from hunkwise.reviewer.bench.skill import Asked, figures, gather, measured
from hunkwise.reviewer.bench.summary import summarise
from hunkwise.reviewer.bench.witnesses import ASKED, QUESTIONS, alone, counted
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.judge.asked.competence import ALL, Remarks

TEXT = "def f(db, name):\n    db.execute('select ' + name)\n"
DIFF = f"--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,2 @@\n+{TEXT[:-1].replace(chr(10), chr(10) + '+')}\n"
BUG = Case("bug", "single", DIFF, {"a.py": TEXT}, True, (Place("a.py", (2,)),), "python", group="g")


def voiced(first: float, second: float) -> ScriptedEngine:
    """An engine that gives A these log-odds by the order of the statements, and claims one defect when asked."""

    def answer(_: Bundle, question: Question) -> Answer | None:
        if isinstance(question, Choose):
            odds = first if question.id.endswith("wrong first") else second
            return Choice(question.id, (0.5, 0.5), (odds, 0.0))
        if isinstance(question, Generate) and question.id.startswith("claims"):
            claim = {"line": 2, "dimension": "security", "severity": "high", "fix": ""}
            words = {"claim": "The name becomes SQL.", "when": "With a quote in the name."}
            return Generated(question.id, json.dumps({"defects": [claim | words]}), "schema")
        return None

    return ScriptedEngine(answer)


@pytest.mark.parametrize(("second", "confidence", "said"), [(-1.0, 0.7311, True), (1.0, 0.5, False)])
def test_questions_alone_are_remarks_on_their_lines(second: float, confidence: float, said: bool) -> None:
    """Every question that has a place and may be paid for is asked, skilled or not."""
    remarks, incomplete = alone(QUESTIONS, Config(context_tokens=0))(BUG, voiced(1.0, second))

    assert not incomplete
    assert {(remark.line, remark.confidence, remark.said) for remark in remarks} <= {
        (line, confidence, said) for line in (1, 2)
    }
    assert all(remark.witness.startswith("question ") for remark in remarks)
    assert remarks


def test_a_free_review_alone_asks_for_no_likelihood() -> None:
    """Only the witness that is measured is asked."""
    engine = voiced(1.0, -1.0)
    remarks, _ = alone(ASKED, Config())(BUG, engine)

    assert [(remark.line, remark.said, remark.witness) for remark in remarks] == [(2, True, "asked")]
    assert {type(question) for bundle in engine.bundles for question in bundle.questions} == {
        Generate,
        Choose,
    }


def test_remarks_are_counted_at_the_bug() -> None:
    """What is said is counted, what is not is not."""
    remarks = [
        Remark("a.py", 2, 0.9, "t"),
        Remark("a.py", 9, 0.9, "t"),
        Remark("a.py", 2, 0.1, "t", said=False),
    ]

    assert counted([(BUG, remarks)]) == Remarks(2, 1)


def test_both_versions_of_a_pair_are_asked_the_same() -> None:
    """Which questions come first depends on the group alone, and a place near the bug is a defect."""
    right = Case("fix", "single", DIFF, {"a.py": TEXT}, False, (), "python", group="g", pair_of="bug")
    wrong, good = (gather(each, Config(), voiced(1.0, -1.0)) for each in (BUG, right))

    assert [each.question for each in wrong] == [each.question for each in good]
    assert all(each.wrong for each in wrong)
    assert not any(each.wrong for each in good)
    assert {each.pair for each in (*wrong, *good)} == {"bug"}


def _asked(number: int, wrong: bool, odds: float, family: str = "python") -> Asked:
    return Asked("bounds", family, f"g{number}", f"g{number}", wrong, odds)


def test_a_question_that_tells_is_told_from_one_that_guesses() -> None:
    """The interval of a perfect question is above chance; that of a constant one is not."""
    perfect = [_asked(n, wrong, 1.0 if wrong else -1.0) for n in range(12) for wrong in (True, False)]
    constant = [_asked(n, wrong, 1.0) for n in range(12) for wrong in (True, False)]

    assert (figures(perfect).auroc, figures(perfect).low, figures(perfect).told) == (1.0, 1.0, 12)
    assert figures(perfect).skilled
    assert (figures(constant).auroc, figures(constant).told, figures(constant).said) == (0.5, 0, 24)
    assert not figures(constant).skilled


def test_families_are_measured_apart() -> None:
    """A question can tell in one language and guess in another."""
    asked = [_asked(n, wrong, 1.0 if wrong else -1.0) for n in range(12) for wrong in (True, False)]
    asked += [_asked(n, wrong, 0.0, "go") for n in range(12, 24) for wrong in (True, False)]
    found = measured(asked)["bounds"]

    assert found["python"].skilled
    assert not found["go"].skilled
    assert found[ALL].defects == 24


def test_nothing_is_measured_of_one_kind_alone() -> None:
    """Without right places there is no AUROC, and no skill."""
    assert figures([_asked(1, True, 1.0)]).auroc is None
    assert not figures([]).skilled


def test_a_ranking_is_compared_with_three_lines_drawn_by_chance() -> None:
    """Of four lines with one wrong, three have it three times in four; blank lines don't count."""
    lines = ["a = 1", "b = 2", "", "c = 3", "d = 4"]
    diff = f"--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,5 @@\n{''.join(f'+{line}{chr(10)}' for line in lines)}"
    case = Case("c", "single", diff, {"a.py": "\n".join(lines)}, True, (Place("a.py", (4,)),), "python")
    row = Row("c", 0.0, (), 0.0, 0, 0, 0, 0)

    assert summarise([(case, row)])["first_three_by_chance"] == 0.75
    assert summarise([(replace(case, buggy=False), row)])["first_three_by_chance"] is None
