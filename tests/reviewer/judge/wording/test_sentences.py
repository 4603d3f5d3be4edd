"""What says nothing is left out of a remark, and what says something stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.reviewer.judge.prompt import MAX_MESSAGE, MAX_TITLE, Focus, request, role
from hunkwise.reviewer.judge.wording.sentences import Prompted, sound, whole

CODE = "    processWrapper.on('SIGINT', disconnectBrowsers)"
ASKED = Prompted(
    role(),
    request(Focus(395, CODE.strip(), ("old(code)",), replaced=True), "English"),
    "Every query must be parameterised by its caller.",
)
GOOD = "With an empty cart `total` is None. The page then fails."


def _sound(message: str, code: str = CODE) -> str:
    return sound(message, ASKED, code, MAX_MESSAGE)


@pytest.mark.parametrize(
    "message",
    [
        GOOD,
        "`abs` is compared with `total`, not with `epsilon`",
        "It should be `start = (number - 1) * size`",
        "Bei leerem Korb ist `total` None! Die Seite bricht ab.",
        "`a.b` is set. Then `a.b` is read.",
        "空のリストで`max`が失敗する。呼び出し元も失敗する。",
        "See e.g. version 1.2.3 of `x.y.z`, which is slow...",
    ],
)
def test_what_says_something_stays(message: str) -> None:
    """A plain message comes back letter for letter."""
    assert _sound(message) == message


@pytest.mark.parametrize(
    "message",
    [
        "It now calls `done(code)` instead of `done(code)`, which can crash.",
        "It looks for `arg` starting with `x` or `arg` starting with `x` or `arg` starting with `x` or `y`.",
        "The severity is critical for lost data or a security hole, high for wrong results or crashes.",
        "The line 395 was changed, probably by mistake.",
    ],
)
def test_what_says_nothing_goes(message: str) -> None:
    """Quotations against themselves, circles and recited instructions; the sentences around them stay."""
    assert _sound(message) == ""
    assert _sound(f"{GOOD} {message} {GOOD}") == f"{GOOD} {GOOD}"


def test_a_line_may_set_a_name_against_itself() -> None:
    """Where the line itself does so, that is the defect."""
    message = "It compares `total` with `total`, which always holds."
    assert _sound(message, "if total == total:") == message
    assert _sound(message, "if total == other:") == ""


def test_a_message_that_was_broken_off_ends_with_its_last_whole_sentence() -> None:
    """Only near the limit: a short message may do without a full stop."""
    rest = " This can lead to " + " ".join(f"error {number}," for number in range(60))
    assert _sound((GOOD + rest)[:MAX_MESSAGE]) == GOOD
    assert _sound(rest.strip()[:MAX_MESSAGE]) == ""
    short = (GOOD + rest)[: MAX_MESSAGE // 2].strip()
    assert _sound(short) == short


def test_a_title_ends_with_a_whole_word() -> None:
    """An ellipsis says that there was more; quotations are not cut."""
    assert whole("Wrong total", MAX_TITLE) == "Wrong total"
    assert whole(("word " * 20)[:MAX_TITLE].rstrip() + "x", MAX_TITLE).endswith("word…")
    assert whole("x" * MAX_TITLE, MAX_TITLE) == "x" * MAX_TITLE
    assert "`a b`…" in whole("y" * 75 + " `a b`", MAX_TITLE)


@given(st.text(alphabet="ab `.!?。\n", max_size=80), st.integers(0, 100))
def test_nothing_is_added(message: str, limit: int) -> None:
    """Whatever comes, what is said is made of its letters, in order."""
    kept = sound(message, ASKED, CODE, limit)
    letters = iter(message)
    assert all(letter in letters for letter in kept)


@pytest.mark.parametrize(
    ("sentence", "stays"),
    [
        ("The code has wrong results, unhandled errors, races and leaks.", False),
        ("Every query must be parameterised by the caller.", False),
        ("The code does not handle errors or races and leaks because the start is not set before.", False),
        ("Here `q` is a query that must be parameterised by its caller.", True),
        ("The file stays open when the parser raises.", True),
        ("An empty list gives wrong results.", True),
    ],
)
def test_what_the_model_was_told_is_not_told_again(sentence: str, stays: bool) -> None:
    """A sentence that quotes nothing and has its words from the prompt or a rule says nothing of the code."""
    assert bool(sound(sentence, ASKED, CODE, MAX_MESSAGE)) is stays
