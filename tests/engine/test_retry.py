"""Failures that may pass: how often, how long, and what the other side asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.engine import RetryPolicy, retry_after, with_retries

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Passes(Exception):
    """A failure that may pass, and the wait that it asks for."""

    def __init__(self, wait: float | None = None) -> None:
        super().__init__("not now")
        self.wait = wait


def failing(*failures: Exception) -> Callable[[], str]:
    """Raise each in turn, then give an answer."""
    left = list(failures)

    def do() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return do


def test_waits_double() -> None:
    waits: list[float] = []
    policy = RetryPolicy(tries=5, first_wait=2.0, longest_wait=9.0, sleep=waits.append)

    assert with_retries(failing(*[Passes()] * 4), Passes, policy) == "done"
    assert waits == [2.0, 4.0, 8.0, 9.0]


def test_the_last_failure_is_raised() -> None:
    waits: list[float] = []
    last = Passes()

    with pytest.raises(Passes) as caught:
        with_retries(failing(Passes(), Passes(), last), Passes, RetryPolicy(tries=3, sleep=waits.append))
    assert caught.value is last
    assert len(waits) == 2


def test_another_failure_is_raised_at_once() -> None:
    waits: list[float] = []

    with pytest.raises(KeyError):
        with_retries(failing(KeyError()), Passes, RetryPolicy(sleep=waits.append))
    assert waits == []


def test_waits_as_long_as_it_is_asked_to() -> None:
    waits: list[float] = []

    with_retries(
        failing(Passes(0.0), Passes(30.0)), Passes, RetryPolicy(longest_wait=30.0, sleep=waits.append)
    )
    assert waits == [0.0, 30.0]


def test_gives_up_on_who_asks_for_more() -> None:
    waits: list[float] = []

    with pytest.raises(Passes):
        with_retries(failing(Passes(30.5)), Passes, RetryPolicy(longest_wait=30.0, sleep=waits.append))
    assert waits == []


def test_progress_counts_anew() -> None:
    """Many failures are borne as long as something arrives between them."""
    waits: list[float] = []
    moved = iter([True, False, True, False])
    policy = RetryPolicy(tries=3, first_wait=1.0, sleep=waits.append)

    assert with_retries(failing(*[Passes()] * 4), Passes, policy, lambda: next(moved)) == "done"
    assert waits == [1.0, 2.0, 1.0, 2.0]


@given(st.integers(1, 50), st.floats(0, 0.5))
def test_waits_vary_within_their_bounds(failures: int, spread: float) -> None:
    """No wait is longer than the longest, or another one than its double by more than the spread."""
    policy = RetryPolicy(tries=100, first_wait=1.0, longest_wait=60.0, spread=spread)

    wait = policy.wait(failures)

    assert wait is not None
    assert min(60.0, 2.0 ** (failures - 1) * (1 - spread)) <= wait <= 60.0
    assert wait <= 2.0 ** (failures - 1) * (1 + spread)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("²", None),
        ("-3", None),
        (format_datetime(NOW.replace(minute=1)), 60.0),
        (format_datetime(NOW.replace(year=2025)), 0.0),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW.timestamp) == seconds


@given(st.text())
def test_retry_after_of_anything(value: str) -> None:
    """Whatever a server sends is a wait or none."""
    seconds = retry_after(value, NOW.timestamp)

    assert seconds is None or seconds >= 0
    assert not re.fullmatch(r"[0-9]+", value) or seconds == float(value)
