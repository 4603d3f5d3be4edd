"""Reading drafts and settling which findings are said."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from hunkwise.engine import Choice, Generated
from hunkwise.reviewer.findings.fingerprint import distinguish
from hunkwise.reviewer.findings.ranking import Bar, category_of, rank_and_filter, read_draft, truth
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
    kept, rejected = rank_and_filter([_finding(n, 0.5 + n / 100) for n in range(1, 8)], BAR)

    assert [found.start_line for found in kept] == [7, 6, 5, 4, 3]
    assert [(drop.finding.start_line, drop.reason) for drop in rejected] == [
        (2, "over --max-comments 5"),
        (1, "over --max-comments 5"),
    ]


def test_checks_and_model_crowd_each_other_out_of_nothing() -> None:
    """Of each as many are said as --max-comments names, and secrets beyond that."""
    bar = replace(BAR, max_comments=2)
    checked = [_finding(line, 1.0) for line in (1, 2, 3)]
    judged = [_finding(line, 0.9) for line in (11, 12, 13)]
    secrets = [_finding(line, 1.0, severity=Severity.CRITICAL) for line in range(21, 28)]
    kept, rejected = rank_and_filter([*checked, *judged, *secrets], bar)

    assert sorted(found.start_line for found in kept) == [1, 2, 11, 12, *range(21, 28)]
    assert {drop.reason for drop in rejected} == {"over --max-comments 2"}


def test_what_misses_the_bar_is_rejected_with_the_flag_that_did_it() -> None:
    """Severity and confidence each name their option."""
    kept, rejected = rank_and_filter([_finding(1, severity=Severity.INFO), _finding(2, confidence=0.4)], BAR)

    assert kept == ()
    assert {drop.reason for drop in rejected} == {"below --min-severity low", "below --min-confidence 0.5"}


def test_the_same_thing_in_the_same_place_is_said_once() -> None:
    """The same lines and the same fingerprint make a twin, however it is worded."""
    kept, rejected = rank_and_filter(
        [_finding(1), _finding(1, 0.7, title="other words"), _finding(1, 0.6)], BAR
    )

    assert [found.confidence for found in kept] == [0.8]
    assert [drop.reason for drop in rejected] == ["the same remark stands at a.py:1"] * 2


@pytest.mark.parametrize(
    "other",
    [
        {"fingerprint": "b" * 32},
        {"start_line": 9, "end_line": 9},
        {"start_line": 9, "end_line": 9, "fingerprint": "b" * 32},
        {"end_line": 2},
        {"path": "b.py"},
        {"part": 2},
    ],
)
def test_another_thing_or_another_place_is_another_remark(other: dict[str, Any]) -> None:
    """The same words, the same code and the same mending make no twin: each remark is said where it stands."""
    here = _finding(1, code=("use(a)",), suggestion=Suggestion(1, 1, "use(b)", True))
    kept, rejected = rank_and_filter([here, replace(here, **other)], BAR)

    assert len(kept) == 2
    assert rejected == ()


def test_many_findings_are_settled_in_linear_time() -> None:
    """Twice as many take about twice as long, not four times."""

    def seconds(many: int) -> float:
        made = [_finding(line, title="same", fingerprint=f"{line:032x}") for line in range(1, many + 1)]
        started = time.process_time()
        rank_and_filter(distinguish(made), replace(BAR, max_comments=many))
        return time.process_time() - started

    assert seconds(40_000) < 12 * max(seconds(8_000), 0.01)


def test_a_path_may_have_its_own_least_severity() -> None:
    """A rule for some paths goes before the general setting."""
    kept, _ = rank_and_filter([_finding(1)], BAR, [("a.py", Severity.HIGH)])

    assert kept == ()
