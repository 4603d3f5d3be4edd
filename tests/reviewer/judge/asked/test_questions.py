"""Typed questions: asked in both orders, only where a model has shown skill, and at a bounded cost."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hunkwise.engine import Answer, Bundle, Choice, Choose, Question, ScriptedEngine, Segment
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.judge.asked.competence import ALL, Competence, Figures, competence_of, parsed, shipped
from hunkwise.reviewer.judge.asked.questions import (
    MOST_COST,
    Due,
    affordable,
    ask,
    contrast,
    due_of,
    questions,
)
from hunkwise.reviewer.judge.pipeline import review

NEW = b"""\
--- /dev/null
+++ b/shop/db.py
@@ -0,0 +1,3 @@
+def find(db, name):
+    query = "select * from people where name = '" + name + "'"
+    return db.execute(query).fetchone()
"""
SKILLED = Figures(20, 20, 0.8, 0.7, 0.9, 10, 8, 12, 10)
VIEW = (Segment("role", "system"), Segment("one two three four five six seven eight nine ten " * 8))


def voiced(first: float, second: float) -> ScriptedEngine:
    """An engine that gives A these log-odds, by the order of the statements."""

    def answer(_: Bundle, question: Question) -> Answer | None:
        if not isinstance(question, Choose):
            return None
        odds = first if question.id.endswith("wrong first") else second
        return Choice(question.id, (0.5, 0.5), (odds, 0.0))

    return ScriptedEngine(answer)


def _table(tmp_path: Path, figures: Figures, family: str = ALL) -> str:
    path = tmp_path / "competence.json"
    entry = {
        "model": "scripted",
        "questions": {"sql-text": {family: asdict(figures)}},
        "together": None,
        "free": None,
    }
    path.write_text(json.dumps({"models": {"0" * 64: entry}}))
    return str(path)


def test_what_the_order_does_cancels_out() -> None:
    """A model that always likes A says nothing; one that likes the wrong statement in both orders does."""
    due = [Due("sql-text", 3, "db.execute(query)", ("bad", "good"))]

    assert ask(VIEW, due, voiced(2.0, 2.0))[0].odds == 0
    (heard,) = ask(VIEW, due, voiced(2.0, -1.0))
    assert (heard.odds, heard.wrong) == (1.5, True)


def test_each_statement_stands_first_once() -> None:
    """Both orders differ in the statements' places alone."""
    one, other = (choose.prompt[0].text for choose in contrast(Due("x", 1, "code", ("wrong", "right"))))

    assert "A: wrong\nB: right" in one
    assert "A: right\nB: wrong" in other
    assert sorted(one) == sorted(other)


def test_questions_cost_what_they_may() -> None:
    """As many questions are asked, the first ones first, as cost 1.5 times the prefill of the hunk."""
    engine = ScriptedEngine()
    due = [Due(str(number), 1, "code", ("bad " * 5, "good " * 5)) for number in range(30)]

    taken = affordable(VIEW, due, engine)
    size = engine.measure(Bundle(VIEW, tuple(each for one in taken for each in contrast(one))))
    costs = sum(size.questions)

    assert 0 < len(taken) < len(due)
    assert taken == due[: len(taken)]
    assert costs <= MOST_COST * size.shared < costs * (len(taken) + 1) / len(taken)


@pytest.mark.parametrize(
    ("figures", "skilled"),
    [
        (SKILLED, True),
        (replace(SKILLED, low=0.54), False),  # chance is not ruled out
        (replace(SKILLED, defects=9), False),  # too few
        (replace(SKILLED, others=9), False),
        (replace(SKILLED, told=5), False),  # half of the pairs is what a coin tells apart
        (replace(SKILLED, pairs=4, told=0), True),  # too few pairs to say anything
        (replace(SKILLED, auroc=None, low=None, high=None), False),
    ],
)
def test_skill_is_more_than_chance(figures: Figures, skilled: bool) -> None:
    """A question is asked where the lower end of what was measured is above a coin."""
    known = Competence("m", {"sql-text": {ALL: figures}})

    assert figures.skilled is skilled
    assert known.asks is skilled
    assert [question.id for question in known.asked(questions(), "python")] == ["sql-text"] * skilled


def test_figures_of_a_family_go_before_those_of_all() -> None:
    """A question with skill in general is not asked in a language in which it has none."""
    known = Competence("m", {"sql-text": {ALL: SKILLED, "go": replace(SKILLED, low=0.4)}})

    assert known.asked(questions(), "go") == []
    assert len(known.asked(questions(), "python")) == 1


def test_only_a_skilled_question_is_asked_and_says_what_it_is_worth(tmp_path: Path) -> None:
    """The remark is on the line, with the measured share of such remarks that are right."""
    engine = voiced(2.0, -2.0)
    config = Config(competence_file=_table(tmp_path, SKILLED), min_confidence=0.5)
    made = review(parse_diff(NEW), config, engine)

    (said,) = (
        found
        for found in (*made.findings, *(drop.finding for drop in made.rejected))
        if not found.source.rule
    )
    assert (said.start_line, said.witnesses[0].name) == (3, "question sql-text")
    assert (said.confidence, said.calibrated) == (round(11 / 14, 4), True)
    assert {choose.id for bundle in engine.bundles for choose in bundle.questions} == {
        "sql-text wrong first",
        "sql-text right first",
    }
    assert made.manifest.settings["asked"] == "questions"
    assert not [skip for skip in made.skipped if "new code" in skip.reason]


@pytest.mark.parametrize("asked", ["auto", "off"])
def test_nothing_is_asked_without_skill_or_against_the_setting(tmp_path: Path, asked: str) -> None:
    """A model without skill is not asked at all, and none with the setting off."""
    figures = replace(SKILLED, low=0.5) if asked == "auto" else SKILLED
    engine = voiced(2.0, -2.0)
    config = Config(competence_file=_table(tmp_path, figures), asked=asked)  # type: ignore[arg-type]
    made = review(parse_diff(NEW), config, engine)

    assert engine.bundles == []
    assert "asked" not in made.manifest.settings
    assert [skip.reason for skip in made.skipped if "new code" in skip.reason]


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"models": 1}', '{"models": {"d": {"model": "m"}}}', "[" * 9000, '{"models": {}, "x": 1}'],
)
def test_a_table_that_is_none_is_refused(text: str) -> None:
    """Whatever stands in the file, the user gets a sentence."""
    with pytest.raises(ConfigError, match="no competence table"):
        parsed(text.encode(), "mine.json")


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is said."""
    with pytest.raises(ConfigError, match="can't be read"):
        competence_of("d", str(tmp_path / "none.json"))


def test_the_shipped_models_are_asked_nothing() -> None:
    """Each was measured, and none has shown skill in any question."""
    assert shipped().models
    assert not any(known.asks for known in shipped().models.values())


def test_questions_speak_of_lines_with_their_word() -> None:
    """A hunk is asked of what stands in its added lines, in the words of its language."""
    hunk = parse_diff(NEW).files[0].hunks[0]
    due = {one.id: one for one in due_of(hunk, "shop/db.py", questions())}

    assert due["sql-text"].line == 3
    assert "f-string" in due["sql-text"].statements[0]
    assert "left-open" not in due
