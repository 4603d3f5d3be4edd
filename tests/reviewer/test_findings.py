"""Reading drafts and settling which findings are said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hunkwise.engine import Choice, Generated
from hunkwise.reviewer.findings import Bar, category_of, read_draft, settle, truth
from hunkwise.reviewer.types import Category, Finding, Severity, Suggestion

DRAFT = {
    "line": 7,
    "severity": "high",
    "title": "Off by one",
    "message": "The last page is\nlost.",
}


def _answer(value: object) -> Generated:
    return Generated("finding", value if isinstance(value, str) else json.dumps(value), "schema")


def _finding(line: int = 1, confidence: float = 0.8, **changes: object) -> Finding:
    found = Finding(
        "a.py",
        line,
        line,
        Severity.MEDIUM,
        Category.CORRECTNESS,
        f"title {line}",
        "message",
        confidence,
        True,
        f"{line:032x}",
    )
    return replace(found, **changes)  # type: ignore[arg-type]


BAR = Bar(Severity.LOW, 0.5, 5)


def test_a_draft_is_read() -> None:
    """A complete answer becomes a draft; line breaks in prose are folded."""
    draft = read_draft(_answer(DRAFT), (7,))

    assert draft is not None
    assert (draft.line, draft.severity, draft.message) == (7, Severity.HIGH, "The last page is lost.")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        DRAFT | {"line": 8},
        DRAFT | {"line": None},
        DRAFT | {"severity": "awful"},
        DRAFT | {"title": " "},
        [DRAFT],
        3,
        "{",
        "",
        '{"line": 7',
    ],
)
def test_an_unusable_answer_is_no_draft(answer: object) -> None:
    """Nothing, another line, a cut or foreign text: none of them becomes a remark."""
    assert read_draft(_answer(answer), (7,)) is None


def test_truth_takes_both_polarities() -> None:
    """A model that says Yes to everything is worth one half."""
    always_yes = (Choice("true", (0.9, 0.1), (0, 0)), Choice("false", (0.9, 0.1), (0, 0)))
    sure = (Choice("true", (0.9, 0.1), (0, 0)), Choice("false", (0.2, 0.8), (0, 0)))

    assert truth(always_yes) == pytest.approx(0.5)
    assert truth(sure) == pytest.approx(0.85)


def test_the_category_is_the_likeliest_one() -> None:
    """It is asked once the remark is worded, among the categories that are switched on."""
    offered = (Category.SECURITY, Category.PERFORMANCE)
    answers = (Choice("true", (0.5, 0.5), (0, 0)), Choice("category", (0.2, 0.8), (-2, -1)))

    assert category_of(answers, offered) is Category.PERFORMANCE


def test_the_best_come_first_and_the_rest_is_counted() -> None:
    """Over --max-comments the surest stay, and the others are kept with the reason."""
    kept, rejected = settle([_finding(n, 0.5 + n / 100) for n in range(1, 8)], BAR)

    assert [found.start_line for found in kept] == [7, 6, 5, 4, 3]
    assert [(drop.finding.start_line, drop.reason) for drop in rejected] == [
        (2, "over --max-comments 5"),
        (1, "over --max-comments 5"),
    ]


def test_what_misses_the_bar_is_rejected_with_the_flag_that_did_it() -> None:
    """Severity and confidence each name their option."""
    kept, rejected = settle([_finding(1, severity=Severity.INFO), _finding(2, confidence=0.4)], BAR)

    assert kept == ()
    assert {drop.reason for drop in rejected} == {"below --min-severity low", "below --min-confidence 0.5"}


def test_the_same_remark_is_said_once() -> None:
    """Overlapping lines, or the same words in one file, are one remark."""
    twice = [_finding(1), _finding(1, 0.7, fingerprint="b" * 32), _finding(9, 0.6, title="title 1")]
    kept, rejected = settle(twice, BAR)

    assert [found.start_line for found in kept] == [1]
    assert [drop.reason for drop in rejected] == ["the same remark stands at a.py:1"] * 2


def test_the_same_slip_twice_is_one_remark() -> None:
    """What is mended alike in two places is said at the likelier one; other code, and no suggestion, is not."""
    here, there = (
        _finding(line, confidence, code=("use(a)",), suggestion=Suggestion(line, line, "use(b)", True))
        for line, confidence in ((3, 0.8), (40, 0.9))
    )
    kept, rejected = settle([here, there], BAR)

    assert kept == (there,)
    assert [drop.reason for drop in rejected] == ["the same remark stands at a.py:40"]
    assert len(settle([here, replace(there, code=("use(c)",))], BAR)[0]) == 2
    assert len(settle([replace(here, suggestion=None), there], BAR)[0]) == 2


def test_a_path_may_have_its_own_least_severity() -> None:
    """A rule for some paths goes before the general setting."""
    kept, _ = settle([_finding(1)], BAR, [("a.py", Severity.HIGH)])

    assert kept == ()
