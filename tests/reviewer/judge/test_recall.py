"""The memory of judged hunks: what it gives back, what it does not believe, and when it does not help."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
from fakes.models import disliking
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine import BadEntry, Cache, CachePlace, Counters, ScriptedEngine, errors, open_cache
from hunkwise.engine.testing import plain_answer
from hunkwise.reviewer.config.path_rules import Rule
from hunkwise.reviewer.config.settings import Config, JudgeSettings
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge import judgement, memory
from hunkwise.reviewer.judge.hunk import HunkResult, HunkTask
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.judge.scope.askable import hidden
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.judge.wording import remark
from hunkwise.reviewer.types import (
    Category,
    Change,
    FileDiff,
    FileStatus,
    Finding,
    Hunk,
    HunkContext,
    Line,
    Rejected,
    Review,
    Severity,
)

TEXTS = st.text(min_size=1, max_size=40)
CONFIG = Config(max_comments=30, min_confidence=0)


def hunk(rows: list[tuple[str, str]], start: int = 1) -> Hunk:
    """A hunk of (kind, text) rows that begins at line `start` on both sides."""
    old = new = start
    lines = []
    for kind, text in rows:
        numbers = (None if kind == "added" else old, None if kind == "removed" else new)
        lines.append(Line(kind, text, *numbers))  # type: ignore[arg-type]
        old, new = old + (kind != "added"), new + (kind != "removed")
    return Hunk(start, old - start, start, new - start, "def f():", tuple(lines))


def picked(made: Hunk, path: str = "a.py") -> tuple[ReviewUnit, HunkTask]:
    file = FileDiff(path, path, FileStatus.MODIFIED, (made,))
    return ReviewUnit(file, 0), HunkTask(Change((file,)), CONFIG.judging, ScriptedEngine())


def kept(pick: ReviewUnit, examined: HunkResult) -> Any:
    """What a store gives back."""
    return json.loads(json.dumps(asdict(memory.written(pick, examined))))


@st.composite
def judged(draw: st.DrawFn) -> tuple[Hunk, HunkResult]:
    """A hunk, and what judging it may give."""
    kinds = st.sampled_from(["context", "added", "removed"])
    rows = [("added", draw(TEXTS)), *draw(st.lists(st.tuples(kinds, st.text(max_size=20)), max_size=9))]
    made = hunk(rows, draw(st.integers(1, 10**6)))
    pick, task = picked(made)
    context = hidden(HunkContext(pick.file, made, 0))

    def found() -> Finding:
        line = draw(st.sampled_from([each.new_no for each in made.lines if each.new_no is not None]))
        return Finding(
            "a.py",
            line,
            line,
            draw(st.sampled_from(Severity)),
            draw(st.sampled_from(Category)),
            draw(TEXTS),
            draw(TEXTS),
            draw(st.floats(0, 1)),
            draw(st.booleans()),
            remark.name_of(context, line),
            (remark.text_of(context, line),),
            witnesses=(judgement.LIKELIHOOD,),
        )

    said = [found() for _ in range(draw(st.integers(0, 3)))]
    said = [replace(one, suggestion=remark.suggested(context, one.start_line, task.change)) for one in said]
    reasons = st.sampled_from([remark.UNTRUE, remark.UNUSABLE]) | TEXTS
    unsaid = [Rejected(found(), draw(reasons)) for _ in range(draw(st.integers(0, 2)))]
    return made, HunkResult(tuple(said), tuple(unsaid))


@settings(max_examples=60, deadline=None)
@given(judged())
def test_what_is_kept_is_what_is_recalled(case: tuple[Hunk, HunkResult]) -> None:
    """Through JSON and back every finding is equal, its code, name and suggestion among it."""
    made, examined = case
    asked = picked(made)
    assert memory.read(*asked, kept(asked[0], examined)) == examined


@settings(max_examples=40, deadline=None)
@given(judged(), st.integers(1, 10**6))
def test_a_hunk_that_moved_takes_its_findings_along(case: tuple[Hunk, HunkResult], start: int) -> None:
    """All but the numbers stays: places move with the hunk, names do not change."""
    made, examined = case
    entry = kept(picked(made)[0], examined)
    moved = hunk([(line.kind, line.text) for line in made.lines], start)
    again = memory.read(*picked(moved), entry)
    by = start - made.new_start
    assert [one.start_line - by for one in again.findings] == [one.start_line for one in examined.findings]
    assert [one.fingerprint for one in again.findings] == [one.fingerprint for one in examined.findings]
    assert [one.code for one in again.findings] == [one.code for one in examined.findings]


def test_words_that_name_a_line_follow_it() -> None:
    """A remark on "line 2" is one on line 12 when the hunk moved by ten; other lines keep their numbers."""
    asked = picked(hunk([("context", "a"), ("added", "b")]))
    one = Finding(
        "a.py",
        2,
        2,
        Severity.LOW,
        Category.CORRECTNESS,
        "Line 2 is odd",
        "line 2, not line 99",
        0.5,
        True,
        "",
    )
    entry = kept(asked[0], HunkResult((one,)))
    (moved,) = memory.read(*picked(hunk([("context", "a"), ("added", "b")], 11)), entry).findings
    assert (moved.title, moved.message) == ("Line 12 is odd", "line 12, not line 99")


FINDING = {
    "place": 0,
    "severity": "high",
    "category": "security",
    "title": "t",
    "message": "m",
    "confidence": 0.5,
    "calibrated": True,
    "rejected": None,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"place": 5},
        {"place": -1},
        {"place": 2},  # a removed line
        {"place": True},
        {"severity": "fatal"},
        {"category": 7},
        {"title": None},
        {"title": "x" * 200_000},
        {"confidence": float("nan")},
        {"confidence": 1.5},
        {"calibrated": 1},
        {"rejected": 3},
        {"path": "../../etc/passwd"},
        {"fingerprint": "0" * 32},
    ],
    ids=str,
)
def test_a_wrong_value_is_no_value(wrong: Mapping[str, Any]) -> None:
    """An entry of another form, or about a line that can't be remarked on, is refused whole."""
    asked = picked(hunk([("added", "a"), ("context", "b"), ("removed", "c")]))
    assert memory.read(*asked, {"start": 1, "findings": [FINDING]}).findings[0].title == "t"
    with pytest.raises(BadEntry):
        memory.read(*asked, {"start": 1, "findings": [{**FINDING, **wrong}]})


@pytest.mark.parametrize("value", [None, [], 1, {"start": 1}, {"start": "1", "findings": []}], ids=repr)
def test_a_value_of_another_form_is_no_value(value: object) -> None:
    """What is not what was written is refused."""
    with pytest.raises(BadEntry):
        memory.read(*picked(hunk([("added", "a")])), value)


CHANGE = parse_diff(b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@ def f():\n x = 1\n-y = 2\n+y = 3\n")


def calls(cache: Cache, change: Change = CHANGE, config: Config = CONFIG, guidelines: str = "") -> int:
    """Review with a memory and without a cache of answers; gives how many bundles that took."""
    model = ScriptedEngine(disliking())
    review(change, config, model, guidelines=guidelines, memory=cache)
    return len(model.bundles)


@pytest.fixture
def cache(tmp_path: Path) -> Any:
    with open_cache(CachePlace(tmp_path), trust="trusted", repository="octo/repo") as opened:
        yield opened


def test_a_hunk_is_read_once(cache: Cache) -> None:
    """Whether something was found or not."""
    assert calls(cache) > 0
    assert calls(cache) == 0


def test_the_review_is_equal_to_a_fresh_one(cache: Cache) -> None:
    """Findings, rejected, coverage and manifest: a recalled review can't be told from a fresh one."""
    fresh = review(CHANGE, CONFIG, ScriptedEngine(disliking()))
    seen: list[int] = []
    reviews: list[Review] = [
        review(
            CHANGE,
            CONFIG,
            ScriptedEngine(disliking()),
            memory=cache,
            observer=lambda step: seen.append(step.recalled),
        )
        for _ in range(2)
    ]
    assert reviews == [fresh, fresh]
    assert fresh.findings
    assert seen[-1] == 1


OTHER: dict[str, Any] = {  # another value for each setting that judging reads
    "language": "German",
    "categories": (Category.SECURITY,),
    "min_confidence": 0.3,
    "effort": "deep",
    "context_tokens": 7,
}


def test_every_setting_is_weighed() -> None:
    """What judges is the key's part of the settings, whole, and nothing else is."""
    assert type(CONFIG.judging) is JudgeSettings
    assert {each.name for each in fields(JudgeSettings)} == OTHER.keys()


@pytest.mark.parametrize("name", sorted(OTHER))
def test_a_setting_that_judging_reads_has_hunks_read_again(cache: Cache, name: str) -> None:
    """What was judged under another setting does not count."""
    calls(cache)
    assert calls(cache, config=replace(CONFIG, **{name: OTHER[name]})) > 0


@pytest.mark.parametrize(
    ("name", "value"), [("format", "json"), ("max_comments", 3), ("exclude", ("*.md",)), ("max_time", 600)]
)
def test_a_setting_that_judging_does_not_read_costs_nothing(cache: Cache, name: str, value: Any) -> None:
    """How a review is shown or settled does not have hunks read again."""
    calls(cache)
    assert calls(cache, config=replace(CONFIG, **{name: value})) == 0


def test_guidelines_and_rules_of_the_file_count(cache: Cache) -> None:
    """Other guidelines, or a rule for this file, have it read again; a rule for other files does not."""
    calls(cache)
    assert calls(cache, config=replace(CONFIG, rules=(Rule(("*.go",), "Look closely."),))) == 0
    assert calls(cache, config=replace(CONFIG, rules=(Rule(("*.py",), "Look closely."),))) > 0
    assert calls(cache, guidelines="Be kind.") > 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a.py", b"b.py"),
        (b"def f", b"def g"),
        (b"+y = 3", b"+y = 4"),
        (b"-y = 2", b"-y = 1"),
        (b" x = 1", b" x = 0"),
        (b"+y = 3\n", b"+y = 3\n\\ No newline at end of file\n"),
    ],
)
def test_another_hunk_is_read(cache: Cache, old: bytes, new: bytes) -> None:
    """Path, section and each line are the hunk's own."""
    calls(cache)
    text = b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@ def f():\n x = 1\n-y = 2\n+y = 3\n"
    assert calls(cache, parse_diff(text.replace(old, new))) > 0


def test_another_model_reads_for_itself(cache: Cache) -> None:
    """A model with another digest, or built otherwise, does not take over what one said."""
    calls(cache)
    model = ScriptedEngine(disliking(), context=8192)
    review(CHANGE, CONFIG, model, memory=cache)
    assert model.bundles


def test_what_could_not_be_read_is_not_kept(cache: Cache) -> None:
    """A fault is tried again the next time."""

    class Failing(ScriptedEngine):
        def ask(self, bundle: Any) -> Any:
            raise errors.PromptTooLong("new", 5000, 4096)

    broken = review(CHANGE, CONFIG, Failing(), memory=cache)
    assert not broken.complete
    assert calls(cache) > 0


def test_equal_hunks_of_a_file_are_each_their_own(cache: Cache) -> None:
    """Two that are equal may differ in their neighbours, so both are read, and both remembered."""
    one = "@@ -{0},2 +{1},1 @@\n x = 1\n-y = 2\n"
    change = parse_diff(f"--- a/a.py\n+++ b/a.py\n{one.format(1, 1)}{one.format(9, 8)}".encode())
    twice = calls(cache, change)
    assert twice == 2 * calls(cache, parse_diff(f"--- a/b.py\n+++ b/b.py\n{one.format(1, 1)}".encode()))
    assert calls(cache, change) == 0


@pytest.mark.parametrize(("trust", "repository"), [("fork", "octo/repo"), ("trusted", "octo/other")])
def test_foreign_entries_do_not_count(tmp_path: Path, trust: Any, repository: str) -> None:
    """Neither a fork's nor another repository's, in the same folder."""
    with open_cache(CachePlace(tmp_path), trust="trusted", repository="octo/repo") as own:
        calls(own)
    with open_cache(CachePlace(tmp_path), trust=trust, repository=repository) as foreign:
        assert calls(foreign) > 0


def test_poisoned_entries_do_not_count() -> None:
    """Bytes changed in the store, or an entry put under another hunk's key, are misses and are counted."""

    class Shelf:
        name = "shelf"

        def __init__(self) -> None:
            self.entries: dict[str, bytes] = {}

        def get(self, keys: Any) -> dict[str, bytes]:
            return {key: self.entries[key] for key in keys if key in self.entries}

        def put(self, entries: Mapping[str, bytes]) -> None:
            self.entries.update(entries)

    shelf, tally = Shelf(), Counters()
    cache = Cache([shelf], secret=b"s" * 32, namespace="trusted:r", tally=tally)
    calls(cache)
    (key,) = shelf.entries
    good = shelf.entries[key]
    for bad in (good[:-1] + b"\0", good[:20], b""):
        shelf.entries[key] = bad
        assert calls(cache) > 0
        assert shelf.entries[key] == good  # and mended
    other = parse_diff(b"--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-y = 2\n+y = 3\n")
    calls(cache, other)
    second = next(each for each in shelf.entries if each != key)
    shelf.entries[second] = good
    assert calls(cache, other) > 0
    assert tally.counts()["shelf.rejected"] == 4


def test_a_likely_change_is_remembered_as_such(cache: Cache) -> None:
    """A hunk on which nothing was said is not asked about again either."""
    model = ScriptedEngine(lambda bundle, question: plain_answer(question))
    quiet = review(CHANGE, Config(), model, memory=cache)
    again = ScriptedEngine()
    assert review(CHANGE, Config(), again, memory=cache) == quiet
    assert again.bundles == []


def test_the_digest_of_the_code_holds_every_module_that_judges() -> None:
    """All that is loaded for judging is in it, wherever it lies; what only reports or posts is not."""
    script = "import sys, hunkwise.reviewer.judge.judgement; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("hunkwise.reviewer.")}

    assert loaded - memory.judging_modules().keys() == set()
    assert {
        "hunkwise.reviewer.judge.likelihood.evidence",
        "hunkwise.reviewer.languages.comments",
    } <= memory.judging_modules().keys()
    assert not [
        name for name in memory.judging_modules() if "cli" in name or "sticky" in name or ".commands" in name
    ]
    assert set(
        memory._imported(
            "from hunkwise.reviewer.a import (\n    b,\n    c,\n)\nimport hunkwise.reviewer.d.e\n"
        )
    ) == {*("hunkwise.reviewer.a", "hunkwise.reviewer.a.b", "hunkwise.reviewer.a.c", "hunkwise.reviewer.d.e")}
