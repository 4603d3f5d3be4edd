"""What the model reads, against golden files; update them with HUNKWISE_GOLDEN=1."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from hunkwise.engine import Bundle, Generate
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.types import Category, FileDiff, FileStatus, Hunk, HunkContext, Line

GOLDEN = Path(__file__).parents[2] / "cases" / "prompt"

HUNK = Hunk(
    41,
    3,
    41,
    3,
    "def page(lines, number, size):",
    (
        Line("context", "    if number < 1:", 41, 41),
        Line("removed", "    start = (number - 1) * size", 42, None),
        Line("added", "    start = number * size", None, 42),
        Line("context", "    return lines[start : start + size]", 43, 43),
    ),
)
FILE = FileDiff("shop/orders.py", "shop/orders.py", FileStatus.MODIFIED, (HUNK,))
CONTEXT = HunkContext(
    FILE,
    HUNK,
    0,
    before=((40, "def page(lines, number, size):"),),
    after=((44, ""),),
)


def _text(bundle: Bundle) -> str:
    parts = [f"[{segment.role}]\n{segment.text}" for segment in bundle.shared]
    for question in bundle.questions:
        parts.append(f"[{type(question).__name__} {question.id}]")
        parts += [segment.text for segment in question.prompt]
    return "\n".join(parts)


SHOWN = prompt.view(CONTEXT, "Never use floats for money.")
BUNDLES = {
    "finding": prompt.finding(
        SHOWN,
        lines=(42,),
        quotes=prompt.quotable(CONTEXT),
        language="English",
        focus=prompt.Focus(42, "start = number * size", ("start = (number - 1) * size",)),
        rules=("Money is Decimal.",),
    ),
    "grading": prompt.grading(
        SHOWN, 42, "start = number * size", "Off by one", "Page 1 is skipped.", tuple(Category)
    ),
    "likelihoods": prompt.likelihoods("a\nb\n", "new\n", "old\n"),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_prompts_are_as_written_down(name: str) -> None:
    """Every word the model reads is in a golden file, so that a change of prompts is seen in review."""
    golden = GOLDEN / f"{name}.txt"
    text = _text(BUNDLES[name])
    if os.environ.get("HUNKWISE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")

    assert golden.read_text("utf-8") == text


def test_only_commentable_lines_can_be_said() -> None:
    """The schema's line is one of the lines given, and nothing can be added to it."""
    (question,) = BUNDLES["finding"].questions
    assert isinstance(question, Generate)
    assert question.schema is not None

    assert question.schema["properties"]["line"] == {"enum": [42]}
    assert question.schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("message", "sayable"),
    [
        ("`start` is one page too far.", True),
        ("It was `start = (number - 1) * size` before.", True),
        ("`lines` is cut, and `size` is used.", True),
        ("No code is quoted here.", True),
        ("`offset` is one page too far.", False),
        ("`start = 0` would do.", False),
        ("A quote that `start", False),
    ],
)
def test_only_code_in_view_can_be_quoted(message: str, *, sayable: bool) -> None:
    """Between backticks stands a name or a changed line that the model was shown, or nothing can be said."""
    (question,) = BUNDLES["finding"].questions
    assert isinstance(question, Generate)
    assert question.schema is not None

    assert bool(re.search(question.schema["properties"]["message"]["pattern"], message)) is sayable


def test_code_can_not_spell_the_fence() -> None:
    """The fence comes from the digest of the code, so a line that copies another hunk's fence changes it."""
    fence = next(line for line in SHOWN[1].text.splitlines() if line.startswith("==="))
    hunk = Hunk(1, 0, 1, 1, "", (Line("added", fence, None, 1),))
    shown = prompt.view(HunkContext(FILE, hunk, 0))

    assert shown[1].text.count(f"\n{fence}\n") == 0


def test_the_digest_is_stable_and_hexadecimal() -> None:
    """The digest names the prompts in manifests and cache keys."""
    assert prompt.prompt_digest() == prompt.prompt_digest()
    assert len(bytes.fromhex(prompt.prompt_digest())) == 32


def test_a_first_line_has_a_prompt_of_its_own() -> None:
    """With a single line before the change nothing is shared, and each question still has a prompt."""
    bundle = prompt.likelihoods("\n", "new\n", "old\n")

    assert bundle.shared == ()
    assert [segment.text for question in bundle.questions for segment in question.prompt] == ["\n", "\n"]
