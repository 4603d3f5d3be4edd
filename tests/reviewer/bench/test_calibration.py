"""Fitting the layer: it learns what is there to learn, and never from the case it is tried on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("numpy")

from hunkwise.reviewer.bench.calibration import (
    WEIGHED,
    Example,
    cross_validate,
    curve,
    fit,
    layer_entry,
    quiet_threshold,
    read_journal,
)
from hunkwise.reviewer.bench.cases import Case
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
    """At each hundredth at which fewer changes are flagged: how many of them are wrong, and of how many bugs."""
    cases = [Case(str(n), "single", "", {}, n < 3, (), "python") for n in range(5)]
    scores = {"0": 0.9, "1": 0.9, "2": 0.3, "3": 0.5, "4": 0.1}

    points = curve(cases, scores)
    assert [(p["threshold"], p["said"], p["true"], p["recall"]) for p in points] == [
        (0.01, 5, 3, 1.0),
        (0.11, 4, 3, 1.0),
        (0.31, 3, 2, 0.6667),
        (0.51, 2, 2, 0.6667),
    ]


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
