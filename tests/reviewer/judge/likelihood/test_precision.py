"""A wanted precision becomes a bar, from what was measured and from nothing else."""

from __future__ import annotations

import pytest

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.judge.likelihood import precision
from hunkwise.reviewer.judge.likelihood.calibration import shipped_layers
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.types import Change

DIFF = b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
POINTS = [
    (0.1, 0.5, 1.0, 40),
    (0.4, 0.7, 0.9, 30),
    (0.5, 0.68, 0.8, 25),
    (0.8, 0.9, 0.4, 10),
    (0.9, 1.0, 0.1, 3),
]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """An engine whose model has a curve."""
    keys = ("threshold", "precision", "recall", "said")
    curve = [dict(zip(keys, point, strict=True)) for point in POINTS]
    entry = {"model": "scripted", "curve": curve, "notes": {"places": 40, "base_rate": 0.5}}
    monkeypatch.setattr(precision, "shipped_layers", lambda: {"0" * 64: entry})
    return ScriptedEngine()


@pytest.mark.parametrize(("target", "bar"), [(0.4, 0.1), (0.5, 0.1), (0.7, 0.4), (0.75, 0.8), (0.9, 0.8)])
def test_the_bar_is_the_lowest_that_reaches_the_target(
    engine: ScriptedEngine, target: float, bar: float
) -> None:
    """A lower bar finds more bugs; that a higher one dips below the target changes nothing."""
    assert precision.aim(Config(precision_target=target), engine).min_confidence == bar


def test_without_a_target_the_bar_stays(engine: ScriptedEngine) -> None:
    """No curve is asked for."""
    assert precision.aim(Config(min_confidence=0.3), engine) == Config(min_confidence=0.3)


def test_what_was_not_reached_is_refused_with_what_was(engine: ScriptedEngine) -> None:
    """Three right remarks of three are no precision of 100 %; the base rate stands beside the figure."""
    with pytest.raises(UsageError) as refused:
        precision.aim(Config(precision_target=0.95), engine)

    assert str(refused.value) == (
        "--precision-target 0.95: scripted does not reach it; its highest is 90% at a confidence of 0.8, "
        "which finds 40% of the bugs (measured on 40 places, 50% of them wrong)"
    )


def test_a_model_nobody_calibrated_is_refused() -> None:
    """The message names those that are calibrated, and the way without."""
    with pytest.raises(UsageError, match=r"for scripted; give --min-confidence, .*\(qwen2.5-coder:"):
        precision.aim(Config(precision_target=0.7), ScriptedEngine())


def test_a_review_says_what_it_was_held_to(engine: ScriptedEngine) -> None:
    """The manifest has the target and the bar that came of it; the bar is what candidates have to reach."""
    made = review(parse_diff(DIFF), Config(precision_target=0.75), engine)

    settings = made.manifest.settings
    assert (settings["precision_target"], settings["min_confidence"]) == (0.75, 0.8)
    assert [drop.reason for drop in made.rejected] == ["below --min-confidence 0.8"]


def test_nothing_to_ask_needs_no_curve() -> None:
    """Where no hunk is reviewed, no model is opened, and no curve is missed."""
    assert review(Change(()), Config(precision_target=0.7), ScriptedEngine()).complete


def test_shipped_curves_fit_their_layers() -> None:
    """Thresholds rise, remarks get fewer, and each precision is what its counts say."""
    for entry in shipped_layers().values():
        curve = entry["curve"]
        assert [point["threshold"] for point in curve] == sorted({point["threshold"] for point in curve})
        assert [point["said"] for point in curve] == sorted({point["said"] for point in curve}, reverse=True)
        for point in curve:
            assert point["precision"] == pytest.approx(point["true"] / point["said"], abs=1e-4)
            assert point["recall"] == pytest.approx(
                point["true"] / (entry["notes"]["places"] * entry["notes"]["base_rate"]), abs=1e-3
            )
