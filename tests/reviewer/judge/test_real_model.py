"""Whole reviews by the real 0.5B model: what no fake can show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from edits import accused, edit
from padding import BUGS, Bug

from hunkwise.engine import Engine, ModelSpec, open_local
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.report import View, renderer

pytestmark = pytest.mark.model

DIFF = b"""\
--- a/shop.py
+++ b/shop.py
@@ -1,5 +1,5 @@
 def page(lines, number, size):
     if number < 1:
         raise ValueError("pages are counted from 1")
-    start = (number - 1) * size
+    start = number * size
     return lines[start : start + size]
"""
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def engine(small_model: ModelSpec) -> Iterator[Engine]:
    with open_local(small_model) as opened:
        yield opened


def test_the_same_change_gives_the_same_bytes(engine: Engine) -> None:
    """Reviewed twice in a row, with nothing remembered, the JSON is equal to the byte; the slip is found."""
    write = renderer("json")
    first, second = (review(parse_diff(DIFF), Config(min_confidence=0.5), engine) for _ in range(2))

    assert write(first, View()) == write(second, View())
    assert [found.start_line for found in first.findings] == [4]
    assert first.findings[0].suggestion is not None
    assert first.findings[0].suggestion.replacement == "    start = (number - 1) * size"


def test_remarks_come_in_the_language_asked_for(engine: Engine) -> None:
    """With Chinese as the language the message is in Chinese, and the grammar still holds."""
    made = review(parse_diff(DIFF), Config(min_confidence=0.5, language="Chinese"), engine)
    (found,) = made.findings

    assert CHINESE.search(found.message)
    assert not CHINESE.search(found.path)


@pytest.mark.parametrize("bug", [BUGS[0], BUGS[3], BUGS[5]], ids=lambda bug: bug.path)
def test_a_harmless_line_does_not_silence_a_bug(engine: Engine, bug: Bug) -> None:
    """Beside logs and checks the remark stands on the same line, about as sure."""
    said = {what: accused(edit(bug.before, after, bug.path), engine) for what, after in bug.variants()}
    sure, line = said.pop("plain")

    assert sure >= Config().min_confidence
    assert all(abs(other - sure) <= 0.06 for other, _ in said.values()), said
    del said["renamed"]
    assert {where for _, where in said.values()} == {line}
