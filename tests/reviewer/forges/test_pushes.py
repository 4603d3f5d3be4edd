"""A push, from the diff to the comments: only what is new is asked, and nothing is said twice."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fakes.clients import post, pull, written
from fakes.github import FakeGitHub
from fakes.models import disliking

from hunkwise.engine import Bundle, CachedEngine, CachePlace, ScriptedEngine, open_cache
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.diff import parse_diff
from hunkwise.reviewer.pipeline import review
from hunkwise.reviewer.types import Review

Start = Callable[..., Any]
FILES = 10


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


def reviewed(forge: FakeGitHub, folder: Path) -> tuple[Review, list[Bundle]]:
    """Review the pull request as a fresh process with the answers of earlier ones; gives what was asked."""
    model = ScriptedEngine(disliking())
    change = replace(parse_diff(forge.patch.encode()), head=forge.head)
    with open_cache(CachePlace(folder), trust="trusted", repository="octo/repo") as cache:
        made = review(change, Config(max_comments=30), CachedEngine(lambda: model, model.card(), cache))
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
    texts = [source(number, "-") for number in range(FILES)]
    forge = github(patch=patch(*texts))
    first, asked = reviewed(forge, tmp_path)
    post(first, forge)
    before = comments(forge)
    assert (len(first.findings), len(before)) == (FILES, FILES)
    of_a_hunk = len(asked) // FILES

    forge.head = "d" * 40
    forge.patch = patch(*texts[:4], source(4, "*", "    check(second)\n"), *texts[5:])
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


def test_the_same_push_reviewed_again_costs_nothing(github: Start, tmp_path: Path) -> None:
    """Run again, as a restarted job is: no question to a model and no writing request."""
    forge = github(patch=patch(*(source(number, "-") for number in range(FILES))))
    first, _ = reviewed(forge, tmp_path)
    post(first, forge)
    forge.requests = []
    second, asked = reviewed(forge, tmp_path)
    post(second, forge)
    assert second == first
    assert asked == []
    assert written(forge) == []
    assert pull(forge).fetch().head == second.head
