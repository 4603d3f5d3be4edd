"""Exactly one source of the change, and messages that name the choices."""

from __future__ import annotations

import pytest

from hunkwise.reviewer.app.sources import CHOICES, Source, checked
from hunkwise.reviewer.errors import UsageError


@pytest.mark.parametrize(
    "source",
    [
        Source(("a.patch",)),
        Source(("-",)),
        Source(staged=True),
        Source(working=True),
        Source(commit="HEAD"),
        Source(starts=("main",)),
        Source(starts=("main",), end="HEAD"),
        Source(("src", "tests"), scan=True),
    ],
)
def test_one_source_is_taken_as_it_is(source: Source) -> None:
    """Each way to name a change is enough by itself, at a terminal and without."""
    assert checked(source, fed=False) == source
    assert checked(source, fed=True) == source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(staged=True, working=True), "more than one source"),
        (Source(("a.patch",), staged=True), "more than one source"),
        (Source(("a",), scan=True, commit="x"), "more than one source"),
        (Source(("a.patch", "b.patch")), "more than one diff"),
        (Source(scan=True), "--scan needs files or folders"),
        (Source(end="HEAD"), "--to needs --from"),
        (Source(), "nothing to review was named"),
    ],
)
def test_no_source_or_several_are_a_usage_error(source: Source, message: str) -> None:
    """What is missing or too much is said, with the choices where they help."""
    with pytest.raises(UsageError, match=message) as caught:
        checked(source, fed=False)
    assert CHOICES in str(caught.value) or "review --" in str(caught.value)


def test_without_a_source_standard_input_is_read() -> None:
    """`git diff | review` needs no dash."""
    assert checked(Source(), fed=True) == Source(("-",))
