"""Reading a hunk's evidence out of token probabilities."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import pytest

from hunkwise.engine import Scored, TokenScore
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.likelihood.blocks import MOST_SPREAD, blocks, spread
from hunkwise.reviewer.judge.likelihood.calibration import UNCALIBRATED, Layer, layer_for
from hunkwise.reviewer.judge.likelihood.evidence import CHANCE, reading, suspects, words
from hunkwise.reviewer.judge.likelihood.evidence import features as read_off
from hunkwise.reviewer.judge.likelihood.sides import Sides, sides_of
from hunkwise.reviewer.types import FileDiff, FileStatus, Hunk, HunkContext, Line, LineCode

HUNK = Hunk(
    1,
    4,
    1,
    4,
    "",
    (
        Line("context", "a = 1", 1, 1),
        Line("removed", "b = a + 1", 2, None),
        Line("added", "b = a - 1", None, 2),
        Line("context", "print(b)", 3, 3),
    ),
)
CONTEXT = HunkContext(
    FileDiff("x.py", "x.py", FileStatus.MODIFIED, (HUNK,)), HUNK, 0, before=(), after=((4, "exit()"),)
)

BLOCK = range(1, 3)


def _scored(name: str, rows: list[tuple[str, float, float]]) -> Scored:
    tokens, start = [], 0
    for text, logprob, best in rows:
        end = start + len(text.encode())
        tokens.append(TokenScore(text, start, end, logprob, best))
        start = end
    return Scored(name, tuple(tokens))


NEW = _scored(
    "new",
    [
        ("b = a", -0.1, -0.1),
        (" - 1\n", -3.0, -0.05),
    ],
)
OLD = _scored(
    "old",
    [
        ("b = a", -0.1, -0.1),
        (" + 1\n", -0.05, -0.05),
    ],
)


SHORT = _scored("new", [("b = a", -0.1, -0.1), ("\n", -0.1, -0.1)])


def features(read: Sides, new: Scored, old: Scored) -> dict[str, float]:
    """Read off the numbers of a block that stands alone."""
    return read_off(reading(read, new, old))


def test_both_sides_follow_the_same_lines() -> None:
    """The shared text ends where the change begins; each side goes on with its own lines."""
    read = sides_of(CONTEXT, BLOCK)

    assert read.before == "a = 1\n"
    assert read.new.text == "b = a - 1\n"
    assert read.old.text == "b = a + 1\n"
    assert read.new.lines == ((2, 10),)


def test_a_side_without_a_line_is_an_empty_one() -> None:
    """What is only removed leaves a blank line to score, which counts for nothing."""
    read = sides_of(replace(CONTEXT, hunk=replace(HUNK, lines=(HUNK.lines[0], HUNK.lines[1]))), range(1, 2))

    assert (read.new.text, read.new.lines, read.new.code) == ("\n", ((None, 0),), False)
    assert features(read, _scored("new", [("\n", -9.0, -0.1)]), OLD)["gap"] == 0


def test_blocks_are_parted_by_more_than_one_unchanged_line() -> None:
    """A single line between two changes does not part them; two do; without a change there is no block."""
    same, new = HUNK.lines[0], HUNK.lines[2]

    assert blocks(HUNK) == (range(1, 3),)
    assert blocks(replace(HUNK, lines=(new, same, new, same, same, new))) == (range(3), range(5, 6))
    assert blocks(replace(HUNK, lines=(same,))) == ()


def test_another_block_is_taken_as_made() -> None:
    """A block's old text follows the new text of the others before it."""
    lines = (*HUNK.lines, HUNK.lines[3], Line("removed", "old end", 5, None), Line("added", "end", None, 5))
    context = replace(CONTEXT, hunk=replace(HUNK, lines=lines))
    first, second = (sides_of(context, block) for block in blocks(context.hunk))

    assert (first.old.text, second.old.text) == ("b = a + 1\n", "old end\n")
    assert second.before == "a = 1\nb = a - 1\nprint(b)\nprint(b)\n"


def test_the_gaps_favour_the_likelier_text() -> None:
    """Where the old text is likelier the gap is positive."""
    read = sides_of(CONTEXT, BLOCK)
    got = features(read, NEW, OLD)

    total = (-0.1 - 0.05) - (-0.1 - 3.0)
    assert got["gap"] == pytest.approx(total / math.sqrt(2) - CHANCE)  # two tokens differ: + 1 and - 1
    assert got["drops"] == 0


def test_a_small_gap_is_chance() -> None:
    """A difference within two standard scores says nothing, either way."""
    read = sides_of(CONTEXT, BLOCK)
    likelier = replace(NEW.tokens[1], logprob=-1.0)
    near = replace(NEW, tokens=(NEW.tokens[0], likelier))

    assert features(read, near, OLD)["gap"] == 0


def test_a_name_of_several_tokens_is_one_word() -> None:
    """Tokens are joined inside names and numbers, not over signs, spaces and lines."""
    rows = [("my", -1.0), ("_name", -0.5), ("2", -0.5), (" =", -0.1), (" x", -0.2), ("\n", 0.0), ("y", -20.0)]
    found = words(_scored("new", [(text, logprob, logprob) for text, logprob in rows]).tokens)

    assert [(word.text, word.logprob, word.tokens) for word in found] == [
        ("my_name2", -2.0, 3),
        ("=", -0.1, 1),
        ("x", -0.2, 1),
        ("", 0.0, 1),
        ("y", -12.0, 1),
    ]


def test_swapping_the_sides_turns_the_gaps_round() -> None:
    """A fix is a bug read backwards: the gaps change sign and nothing else."""
    read = sides_of(CONTEXT, BLOCK)
    there, back = features(read, NEW, OLD), features(read, OLD, NEW)

    for name in ("gap", "drops"):
        assert there[name] == pytest.approx(-back[name])


def test_length_is_no_evidence_of_its_own() -> None:
    """Between sides of different length the sum counts less."""
    read = sides_of(CONTEXT, BLOCK)
    long = _scored("new", [(" x", -1.0, -1.0)] * 40)
    read = replace(read, new=replace(read.new, text=" x" * 40 + "\n", lines=((2, 81),)))

    assert abs(features(read, long, OLD)["gap"]) < 0.1


@pytest.mark.parametrize("kind", ["added", "removed"])
@pytest.mark.parametrize(("above", "behind"), [("# approved", ""), ("", "  # approved")])
def test_a_comment_is_not_read(kind: Literal["added", "removed"], above: str, behind: str) -> None:
    """A comment or a docstring above the changed line or behind it changes no letter that is scored."""
    noted = [replace(line, text=line.text + behind) if line.kind == kind else line for line in HUNK.lines]
    said = Line(kind, above, 9, None) if kind == "removed" else Line(kind, above, None, 9)
    codes = {said.numbers: LineCode("")}
    codes |= {line.numbers: LineCode(line.text) for line in HUNK.lines if line.kind == kind}
    lines = (noted[0], *([said] if above else []), *noted[1:])
    context = replace(CONTEXT, codes=codes, hunk=replace(HUNK, lines=lines))

    assert sides_of(context, range(1, 3 + bool(above))) == sides_of(CONTEXT, BLOCK)


def test_a_comment_in_another_block_is_not_read() -> None:
    """Nor what the same change wrote further up; what stood there before is."""
    lines = (Line("added", "# approved", None, 1), Line("context", "# why", 1, 2), *HUNK.lines)
    context = replace(CONTEXT, codes={(None, 1): LineCode("")}, hunk=replace(HUNK, lines=lines))

    assert sides_of(context, range(3, 5)).before == f"# why\n{sides_of(CONTEXT, BLOCK).before}"


def test_a_block_of_comments_has_no_code() -> None:
    """So it is not asked about."""
    lines = (Line("removed", "# old", 1, None), Line("added", "# new", None, 1))
    codes = {line.numbers: LineCode("") for line in lines}
    read = sides_of(replace(CONTEXT, codes=codes, hunk=replace(HUNK, lines=lines)), range(2))

    assert not read.new.code
    assert not read.old.code


def test_words_that_only_went_are_evidence() -> None:
    """Dropped words that belong there count, added ones count the other way, and odd words hardly."""
    read = sides_of(CONTEXT, BLOCK)
    read = replace(read, new=replace(read.new, text="b = a\n"))
    turned = replace(read, new=read.old, old=read.new)
    surprising = replace(OLD, tokens=(OLD.tokens[0], replace(OLD.tokens[1], logprob=-9.0)))
    there = features(read, SHORT, OLD)
    back = features(turned, OLD, SHORT)

    assert there["drops"] == pytest.approx(-back["drops"])
    assert there["drops"] > 0.9
    assert features(read, SHORT, surprising)["drops"] < 0.01


def test_words_that_moved_are_no_evidence() -> None:
    """What went here and came in the same block or another one of the hunk is not missed."""
    read = sides_of(CONTEXT, BLOCK)
    gone = reading(replace(read, new=replace(read.new, text="b = a\n")), SHORT, OLD)
    turned = replace(gone, gone=gone.come, come=gone.gone)

    assert read_off(gone)["drops"] > 0.9
    assert read_off(gone, [turned])["drops"] == 0
    assert read_off(gone, [gone])["drops"] > 0.9


def test_fewer_words_instead_of_more_count_by_the_share_that_is_lost() -> None:
    """A replacement that is shorter is a drop as far as it is shorter."""
    read = sides_of(CONTEXT, BLOCK)
    whole = reading(replace(read, new=replace(read.new, text="b = a\n")), SHORT, OLD)
    half = replace(whole, gone=whole.gone * 2, come=(replace(whole.gone[0], text="other"),))

    assert read_off(half)["drops"] == pytest.approx(read_off(whole)["drops"] / 2, rel=0.05)


def test_the_most_surprising_line_comes_first() -> None:
    """A suspect carries how much rather the model would have read something else."""
    read = sides_of(CONTEXT, BLOCK)
    (suspect,) = suspects(read, NEW)

    assert suspect.line == 2
    assert suspect.surprise == pytest.approx(math.exp(-0.05) - math.exp(-3))


def test_the_layer_is_a_logistic_function() -> None:
    """Extreme values stay within 0..1 and missing features count as 0."""
    layer = Layer(0.0, {"gap": 1.0}, calibrated=True)

    assert layer.probability({}) == 0.5
    assert 0 < layer.probability({"gap": -1e9}) < 1e-9
    assert layer.probability({"gap": 1e9}) <= 1


def test_an_unknown_model_is_uncalibrated_and_says_so() -> None:
    """Weights without a shipped layer get the cautious default."""
    assert layer_for("f" * 64) is UNCALIBRATED
    assert not UNCALIBRATED.calibrated


def test_a_change_is_spread_over_the_places_where_something_went() -> None:
    """In doublings, over all files; what is only added does not count, so that nothing harmless hides a slip."""
    one = "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n"
    more = one.replace("a.py", "b.py") + "@@ -9,4 +9,4 @@\n-a\n+b\n c\n d\n-e\n+f\n"
    added = "--- a/c.py\n+++ b/c.py\n@@ -1 +1,3 @@\n+log\n c\n+log\n"

    def told(diff: str) -> float:
        return spread(parse_diff(diff.encode()).files)

    assert (told(one), told(one + added), told(one + more), told(added)) == (0, 0, 2, 0)
    assert spread(parse_diff((one + more).encode()).files * 99) == MOST_SPREAD
