"""What is done about failures that may pass: how often to try, how long to wait, what the other side asks for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often something is tried; times in seconds. `tries` counts those in a row.

    A wait is `first_wait` after the first failure and doubles with each one, up to `longest_wait`. It varies by
    the share `spread`, so that clients that failed together don't come back together. If the other side names a
    time it is that; who asks for more than `longest_wait` is given up on. `sleep` is the clock's, or a test's.
    """

    tries: int = 5
    first_wait: float = 2.0
    longest_wait: float = 120.0
    spread: float = 0.0
    sleep: Callable[[float], None] = time.sleep

    def wait(self, failures: int, asked: float | None = None) -> float | None:
        """Say how long to wait after so many failures in a row; None: no more tries."""
        if failures >= self.tries or (asked is not None and asked > self.longest_wait):
            return None
        if asked is not None:
            return asked
        varied = random.uniform(1 - self.spread, 1 + self.spread)  # noqa: S311 - no secret
        return min(self.first_wait * 2.0 ** min(failures - 1, 60) * varied, self.longest_wait)


def with_retries(
    do: Callable[[], T],
    passing: type[Exception],
    policy: RetryPolicy,
    progressed: Callable[[], bool] = lambda: False,
) -> T:
    """Do something until it works; the last failure is raised where the policy gives up.

    Failures of the class `passing`, which has `wait`, are waited out, and others are raised at once. One before
    which there was progress is counted as the first one in a row.
    """
    failures = 0
    while True:
        try:
            return do()
        except passing as error:
            failures = 1 if progressed() else failures + 1
            seconds = policy.wait(failures, getattr(error, "wait", None))
            if seconds is None:
                raise
            policy.sleep(seconds)


def retry_after(value: str | None, clock: Callable[[], float] = time.time) -> float | None:
    """Read a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3); None where it says no time."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    from email.utils import parsedate_to_datetime  # heavy, and seldom needed

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - clock())
    except (ValueError, OverflowError, OSError):
        return None
