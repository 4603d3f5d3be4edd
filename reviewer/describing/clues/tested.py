"""What new tests are called: their names are sentences on what the change is for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hunkwise.reviewer.types import FileDiff

_CALLED = re.compile(
    r"""\s*(?:(?:test|it|specify|scenario|describe|context|t\.Run|@DisplayName)(?:\.\w+)?\s*\(?\s*(["'`])(.{3,120}?)\1"""
    r"""|(?:TEST_CASE|SECTION|TEST_METHOD)\(\s*(")(.{3,120}?)")"""
)
_DEFINED = re.compile(
    r"\s*(?:(?:public|private|internal|async|static|pub|override|suspend|final|void|export|@Test)\s+)*"
    r"(?:def|func|fn|fun|function|void|Task|sub)\s+(?:`([^`]{3,100})`|([A-Za-z_]\w{3,100}))\s*[(:\[<]"
)
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_HEAD = re.compile(r"(?:test|tests|it|should)$", re.IGNORECASE)
_FEWEST = 3  # words of a name that tells something
_MARKED = re.compile(
    r"\s*(?:#\[(?:\w+::)?test|@(?:\w+\.)?(?:Test|ParameterizedTest)\b|\[(?:Fact|Theory|Test)\b)"
)


_ROW = re.compile(
    r"""[\s{]*["']?(?:name|desc|description|title|scenario|msg)["']?\s*[:=]\s*(["'`])(.{3,120}?)\1"""
)


def tests_of(file: FileDiff, tests: bool) -> Iterator[str]:
    """Give the names of the tests that a change adds to a file, in words, those with enough to tell.

    `tests`: the file is one of tests, so that what a row of a table is called is the name of one.
    """
    gone = {_name(line.text) for hunk in file.hunks for line in hunk.lines if line.kind == "removed"} - {
        ("", False)
    }
    for hunk in file.hunks:
        marked = False
        for line in hunk.lines:
            if line.kind == "removed":
                continue
            name, sure = _name(line.text) if line.kind == "added" else ("", False)
            if tests and line.kind == "added" and not name and (row := _ROW.match(line.text[:300])):
                name, sure = " ".join(row[2].split()), True
            if name and (name, sure) not in gone and (sure or marked) and len(name.split()) >= _FEWEST:
                yield name
            marked = bool(_MARKED.match(line.text)) or (
                marked and (line.text.strip()[:1] in ("", "#", "@", "/"))
            )


def _name(text: str) -> tuple[str, bool]:
    """Give the name of the test that a line begins, in words, and whether the line alone tells that it is one."""
    text = text[:300]
    if found := _CALLED.match(text):
        return " ".join((found[2] or found[4]).split()), True
    if not (found := _DEFINED.match(text)):
        return "", False
    if found[1]:
        return found[1], True
    words = _WORDS.findall(found[2])
    sure = bool(words) and _HEAD.match(words[0]) is not None
    if sure and words[0].lower() != "should":
        words = words[1:]
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words), sure
