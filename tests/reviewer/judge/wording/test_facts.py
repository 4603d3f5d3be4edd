"""A remark begins with what is certain, and keeps no sentence that turns the change round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.reviewer.judge.wording.facts import LONGEST_QUOTE, Facts


@pytest.mark.parametrize(
    ("old", "new", "title"),
    [
        (("if at <= last:",), "if at < last:", "`<=` became `<`"),
        (("open(path, timeout=5)",), "open(path)", "`, timeout=5` was taken out of this line"),
        (("return total",), "return total + 1", "`+ 1` came into this line"),
        (("a = f(b)",), "c = f(d)", "This line was `a = f(b)`"),
        (("a", "b"), "c", ""),
    ],
)
def test_the_title_of_a_changed_line_says_what_differs(old: tuple[str, ...], new: str, title: str) -> None:
    """One stretch is shown on both sides; where there are several, the whole line that was there."""
    assert Facts(old, new, replaced=True).title == title


def test_what_was_taken_out_is_said() -> None:
    """With the number of lines, and never more than a few of them."""
    gone = Facts(("lock.acquire()", "check(x)", "y = 1"), "return y", replaced=False)

    assert gone.title == "`lock.acquire()` and 2 more were taken out"
    assert gone.sentence == "− `lock.acquire()` `check(x)` (+1)."
    assert Facts(("a`b",), "c", replaced=True).sentence == "`a'b` → `c`."


@pytest.mark.parametrize(
    ("sentence", "agrees"),
    [
        ("The function now throws an error for an empty list.", False),
        ("The error is no longer thrown for an empty list.", True),
        ("An empty list gives None.", True),
        ("The return of `None` is missing.", False),
        ("It returns `None`, which callers add up.", True),
    ],
)
def test_a_sentence_must_have_the_right_direction(sentence: str, *, agrees: bool) -> None:
    """What went is absent, what came is not missing; what names neither may stay."""
    assert Facts(("throw new RangeError()",), "return None", replaced=True).agrees(sentence) is agrees


@given(
    st.lists(st.text(max_size=300), max_size=5), st.text(max_size=300), st.booleans(), st.text(max_size=300)
)
def test_any_text_makes_short_facts(old: list[str], new: str, replaced: bool, sentence: str) -> None:
    """Whatever the code is, nothing breaks, and no quotation ends early."""
    facts = Facts(tuple(old), new, replaced)

    assert isinstance(facts.agrees(sentence), bool)
    assert len(facts.sentence) < 4 * LONGEST_QUOTE
    assert facts.title.count("`") % 2 == facts.sentence.count("`") % 2 == 0
