"""How failures that may pass are waited out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hunkwise.reviewer.publish.port import Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often something is tried; times in seconds. `sleep` is the clock's, or a test's."""

    tries: int = 5
    first_wait: float = 2.0  # doubled after each failure
    longest_wait: float = 120.0  # a forge that asks for more is given up on
    sleep: Callable[[float], None] = time.sleep


def patiently(do: Callable[[], T], patience: Patience) -> T:
    """Do something until the forge answers; each failure doubles the wait, unless the forge names one."""
    for failures in range(patience.tries):
        try:
            return do()
        except Unavailable as error:
            doubled = min(patience.first_wait * 2**failures, patience.longest_wait)
            seconds = doubled if error.wait is None else error.wait
            if failures + 1 == patience.tries or seconds > patience.longest_wait:
                raise
            patience.sleep(seconds)
    raise AssertionError("tries is at least 1")
