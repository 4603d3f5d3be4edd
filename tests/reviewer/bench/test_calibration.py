"""Fitting the layer: it learns what is there to learn, and never from the case it is tried on."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("numpy")

from hunkwise.reviewer.bench.calibration import WEIGHED, cross_validate, fit, label, layer_entry, read_journal
from hunkwise.reviewer.bench.held import Example, Held, curve, quiet_threshold
from hunkwise.reviewer.bench.labelled.cases import Case, Place
from hunkwise.reviewer.errors import UsageError


def _examples(count: int, *, signal: float) -> list[Example]:
    draw = random.Random(7)
    rows = []
    for number in range(count):
        wrong = number % 2 == 0
        features = {name: draw.gauss(0, 1) for name in WEIGHED}
        features["gap"] += signal if wrong else -signal
        rows.append(Example(f"c{number}", f"g{number // 2}", wrong, features))
    return rows


def test_a_signal_is_learned() -> None:
    """The feature that tells the kinds apart gets the weight, and the scores part them."""
    examples = _examples(200, signal=2.0)
    fitted = fit(examples)
    scores = cross_validate(examples)

    assert max(fitted.weights, key=lambda name: fitted.weights[name]) == "gap"
    assert sum((scores[e.case] >= 0.5) == e.wrong for e in examples) > 180


def test_noise_is_not_learned() -> None:
    """Cross-validated scores of pure noise are no better than chance."""
    examples = _examples(200, signal=0.0)
    scores = cross_validate(examples)

    assert 60 < sum((scores[e.case] >= 0.5) == e.wrong for e in examples) < 140


def test_the_quiet_threshold_bounds_false_alarms() -> None:
    """At most a tenth of the clean cases lies at or above it."""
    truths = [False] * 20 + [True] * 5
    scores = [place / 20 for place in range(20)] + [0.99] * 5
    threshold = quiet_threshold(truths, scores)

    assert sum(score >= threshold for score in scores[:20]) <= 2
    assert quiet_threshold([False] * 10, [1.0] * 10) == 1.0


def test_the_entry_is_reproducible() -> None:
    """The same examples give the same digest; what was measured beside the layer is not in it."""
    examples = _examples(60, signal=1.0)
    entry = layer_entry("m", fit(examples), {}, [])

    assert entry == layer_entry("m", fit(examples), {}, [])
    assert entry["digest"] == layer_entry("m", fit(examples), {"cases": 60}, [{"threshold": 0.1}])["digest"]


def test_the_curve_has_a_point_for_each_number_of_alarms() -> None:
    """At each hundredth at which fewer places are flagged: how many of them are wrong, and of how many bugs."""
    points = curve([True, True, True, False, False], [0.9, 0.9, 0.3, 0.5, 0.1])
    assert [(p["threshold"], p["said"], p["true"], p["recall"]) for p in points] == [
        (0.01, 5, 3, 1.0),
        (0.11, 4, 3, 1.0),
        (0.31, 3, 2, 0.6667),
        (0.51, 2, 2, 0.6667),
    ]


def test_what_the_later_fix_left_alone_is_right() -> None:
    """Elsewhere nobody said so; another file of a labelled change is right too."""
    bug = Case("b", "single", "", {}, True, (Place("a.py", (5,)),), "python")

    assert [label(bug, "a.py", [line]) for line in (6, 9)] == [True, None]
    assert label(replace(bug, mended=True), "a.py", [9]) is False
    assert label(bug, "b.py", [5]) is False


def test_remarks_are_counted_where_they_would_sit() -> None:
    """Of two places over the bar one is at the bug; the lines are those of all the changes."""
    diff = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n"
    case = Case("b", "single", diff, {}, True, (Place("a.py", (1,)),), "python")
    examples = [Example("b", "g", wrong, {}, at_bug=wrong) for wrong in (True, False, False)]
    held = Held((case,), tuple(examples), (0.95, 0.92, 0.1))
    at = next(point for point in held.frontier() if point["threshold"] == 0.9)

    assert (at["remarks"], at["at_bug"], at["bugs"], at["per_100_lines"]) == (2, 1, 1, 100)
    assert held.scores == {"b": 0.95}
    assert held.places()["places"] == 3
    assert held.only([]).examples == ()


def test_a_journal_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    """Whole lines count, a broken one is done again, and so is one that does not say what it belongs to."""
    path = tmp_path / "journal"
    path.write_text(
        '{"case": "old", "examples": []}\n'
        '{"key": "k", "case": "a", "examples": []}\n'
        '{"key": "k", "case": "b", "exam'
    )

    assert read_journal(path, "k") == {"a": ()}
    assert read_journal(tmp_path / "none", "k") == {}
    with pytest.raises(UsageError, match="another model or context"):
        read_journal(path, "another")
