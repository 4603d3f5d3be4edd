"""The measures, against hand-made numbers and brute force."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.bench.metrics import (
    Share,
    auroc,
    average_precision,
    brier,
    chance_calibration_error,
    expected_calibration_error,
    f1,
    near,
    pairs,
    precision_curve,
    reliability,
)

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=40)


@settings(deadline=None)
@given(scored)
def test_auroc_equals_counting_pairs(rows: list[tuple[bool, int]]) -> None:
    """The rank formula gives what comparing every pair gives, ties included."""
    buggy = [score for true, score in rows if true]
    clean = [score for true, score in rows if not true]
    wins = sum((b > c) + 0.5 * (b == c) for b in buggy for c in clean)
    expected = wins / (len(buggy) * len(clean)) if buggy and clean else None

    got = auroc([true for true, _ in rows], [float(score) for _, score in rows])
    assert got == (None if expected is None else pytest.approx(expected))


def test_average_precision_of_a_known_ranking() -> None:
    """Hits at ranks 1 and 3 of 4: (1/1 + 2/3) / 2; equal scores can't be ordered by luck."""
    truths = [True, False, True, False]

    assert average_precision(truths, [4, 3, 2, 1]) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(truths, [1, 1, 1, 1]) == pytest.approx(0.5)
    assert average_precision([False], [1]) is None


def test_wilson_interval_of_textbook_numbers() -> None:
    """10 of 100 is 5.5 % to 17.4 %; 0 of 10 still reaches 27.8 %; no case says nothing."""
    assert Share(10, 100).interval == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert Share(0, 10).interval == pytest.approx((0, 0.2775), abs=1e-4)
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, (0.0, 1.0))


def test_pairs_are_counted_in_four_ways() -> None:
    """Flagging everything gives no right pair."""
    counted = pairs([(True, False), (True, True), (False, False), (False, True), (True, False)])

    assert (counted.right, counted.both, counted.neither, counted.reversed) == (2, 1, 1, 1)
    assert pairs([(True, True)] * 9).share.value == 0


def test_calibration_of_honest_and_boastful_confidences() -> None:
    """0.5 on a coin is calibrated; 1.0 on a coin is off by one half."""
    coin = [True, False] * 10

    assert expected_calibration_error(coin, [0.5] * 20) == pytest.approx(0)
    assert expected_calibration_error(coin, [1.0] * 20) == pytest.approx(0.5)
    assert brier(coin, [0.5] * 20) == pytest.approx(0.25)
    assert [row.count for row in reliability(coin, [0.5] * 10 + [1.0] * 10)] == [10, 10]
    assert (brier([], []), expected_calibration_error([], [])) == (None, None)


def test_few_cases_look_miscalibrated_by_chance() -> None:
    """The error of exact confidences is large for few cases, small for many, and the same every time."""
    few, many = chance_calibration_error([0.5] * 10), chance_calibration_error([0.5] * 4000, draws=5)

    assert few is not None
    assert many is not None
    assert few > 0.1 > 0.02 > many
    assert few == chance_calibration_error([0.5] * 10)
    assert chance_calibration_error([0.0, 1.0]) == 0
    assert chance_calibration_error([]) is None


def test_the_curve_trades_recall_for_precision() -> None:
    """A higher threshold says less; precision of nothing said is unknown."""
    curve = {row.threshold: row for row in precision_curve([True, False, True], [0.9, 0.6, 0.3])}

    assert curve[0.25].precision.value == pytest.approx(2 / 3)
    assert curve[0.25].recall.value == 1.0
    assert (curve[0.7].precision.value, curve[0.7].recall.value) == (1.0, 0.5)
    assert curve[0.95].precision.value is None


def test_near_and_f1() -> None:
    """Within two lines counts; F1 of nothing found is 0 and of the unknown unknown."""
    assert near(10, [12])
    assert not near(10, [13])
    assert f1(0.5, 0.5) == pytest.approx(0.5)
    assert (f1(0.0, 0.0), f1(None, 0.5)) == (0.0, None)
