"""A push, from the diff to the comments: only what is new is asked, and nothing is said twice."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fakes.clients import post, pull, written
from fakes.github import FakeGitHub
from fakes.models import disliking, remark

from hunkwise.engine import Bundle, CachedEngine, CachePlace, ScriptedEngine, open_cache
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.types import Review

Start = Callable[..., Any]
FILES = 10
TURNED = (
    "-",
    "*",
    "/",
    "%",
    "**",
    "//",
    "&",
    "|",
    "^",
    "<<",
)  # each another slip, or they were one rewriting


def source(number: int, sign: str, more: str = "") -> str:
    return f"def f{number}(first, second):\n    check(first)\n{more}    return first {sign} second\n"


def patch(*new: str) -> str:
    """The diff from the sums of the base to these texts, a hunk for each file."""
    parts = []
    for number, text in enumerate(new):
        name = f"f{number}.py"
        old = source(number, "+").splitlines(keepends=True)
        lines = difflib.unified_diff(old, text.splitlines(keepends=True), f"a/{name}", f"b/{name}")
        parts.append(f"diff --git a/{name} b/{name}\n" + "".join(lines))
    return "".join(parts)


def words(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say of each line something of its own, or equal remarks of one file are told once."""
    return {**remark(schema), "title": f"Line {remark(schema)['line']} is turned"}


def reviewed(forge: FakeGitHub, folder: Path) -> tuple[Review, list[Bundle]]:
    """Review the pull request as a fresh process with the answers of earlier ones; gives what was asked."""
    model = ScriptedEngine(disliking(words))
    change = replace(parse_diff(forge.patch.encode()), head=forge.head)
    with open_cache(CachePlace(folder), trust="trusted", repository="octo/repo") as cache:
        engine = CachedEngine(lambda: model, model.card(), cache)
        made = review(change, Config(max_comments=30, min_confidence=0.01), engine, memory=cache)
    return made, model.bundles


def comments(forge: FakeGitHub) -> dict[str, list[tuple[int, str]]]:
    """The comments that are not outdated, by path."""
    live: dict[str, list[tuple[int, str]]] = {}
    for one in forge.review_comments:
        if "_Outdated" not in one["body"]:
            live.setdefault(one["path"], []).append((one["id"], one["body"]))
    return live


def test_a_push_that_changes_one_hunk_of_ten_costs_one_hunk(github: Start, tmp_path: Path) -> None:
    """Nine remarks keep their comments untouched; the tenth hunk alone is asked about, and remarked on once."""
    texts = [source(number, TURNED[number]) for number in range(FILES)]
    forge = github(patch=patch(*texts))
    first, asked = reviewed(forge, tmp_path)
    post(first, forge)
    before = comments(forge)
    assert (len(first.findings), len(before)) == (FILES, FILES)
    of_a_hunk = len(asked) // FILES

    forge.head = "d" * 40
    forge.patch = patch(*texts[:4], source(4, ">>", "    check(second)\n"), *texts[5:])
    forge.requests = []
    second, asked = reviewed(forge, tmp_path)
    post(second, forge)
    after = comments(forge)

    assert 0 < len(asked) <= of_a_hunk
    assert all("f4(" in repr(bundle) for bundle in asked)
    assert sorted(after) == sorted(before)
    assert all(len(notes) == 1 for notes in after.values())
    assert {path for path in after if after[path] != before[path]} == {"f4.py"}
    assert len([one for one in written(forge) if one.endswith("/reviews")]) == 1
    assert len(forge.issue_comments) == 1


SPACING = 12  # lines from one hunk of the file to the next


def one_file(changed: Mapping[int, str]) -> str:
    """A file of ten functions; `changed` replaces the last line of some."""
    parts = []
    for number in range(FILES):
        body = [f"def f{number}(first, second):", *(f"    step{line}(first)" for line in range(SPACING - 3))]
        last = changed.get(number, f"    return first {TURNED[number]} second + {number}\n")
        parts.append("\n".join(body) + f"\n{last}\n")
    return "".join(parts)


def patch_of_one(new: str) -> str:
    old = one_file({number: f"    return first + second + {number}\n" for number in range(FILES)})
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), "a/f.py", "b/f.py")
    return "diff --git a/f.py b/f.py\n" + "".join(lines)


def test_it_costs_one_hunk_also_within_one_file(github: Start, tmp_path: Path) -> None:
    """Ten hunks near each other: one changes and lines come in above the others, whose remarks move along."""
    forge = github(patch=patch_of_one(one_file({})))
    first, asked = reviewed(forge, tmp_path)
    post(first, forge)
    before = {one["id"]: one for one in forge.review_comments}
    assert (len(first.findings), len(before)) == (FILES, FILES)
    of_a_hunk = len(asked) // FILES

    forge.head = "d" * 40
    more = "    check(first)\n    check(second)\n    return first >> second\n"
    forge.patch = patch_of_one(one_file({0: more}))
    forge.requests = []
    second, asked = reviewed(forge, tmp_path)
    post(second, forge)

    assert 0 < len(asked) <= of_a_hunk
    lines = {found.fingerprint: found.start_line for found in first.findings}
    moved = [
        found.start_line - lines[found.fingerprint] for found in second.findings if found.fingerprint in lines
    ]
    assert moved == [2] * (FILES - 1)
    live = [one for one in forge.review_comments if "_Outdated" not in one["body"]]
    assert len(live) == FILES
    assert len([one for one in live if one["id"] in before]) == FILES - 1
    fresh = review(
        parse_diff(forge.patch.encode()),
        Config(max_comments=30, min_confidence=0.01),
        ScriptedEngine(disliking(words)),
    )
    assert second.findings == fresh.findings


def test_the_same_push_reviewed_again_costs_nothing(github: Start, tmp_path: Path) -> None:
    """Run again, as a restarted job is: no question to a model and no writing request."""
    forge = github(patch=patch(*(source(number, TURNED[number]) for number in range(FILES))))
    first, _ = reviewed(forge, tmp_path)
    post(first, forge)
    forge.requests = []
    second, asked = reviewed(forge, tmp_path)
    post(second, forge)
    assert second == first
    assert asked == []
    assert written(forge) == []
    assert pull(forge).fetch().head == second.head
