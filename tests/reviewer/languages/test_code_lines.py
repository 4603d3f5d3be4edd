"""What of the changed lines is code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from edits import asked, edit
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.reviewer.languages.comments import bare, code_of, codes, weight
from hunkwise.reviewer.languages.parser import LIVES, Parser
from hunkwise.reviewer.types import Change, FileDiff, FileStatus, Hunk, Line


@pytest.fixture
def fresh() -> Iterator[Parser]:
    """A parser of its own for a test that may kill it."""
    one = Parser()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hunkwise.reviewer.languages.comments.parser", lambda: one)
        yield one
    one.close()


def _change(path: str, text: str, known: bool = True) -> tuple[FileDiff, str | None]:
    lines = tuple(Line("added", line, None, n) for n, line in enumerate(text.split("\n"), 1))
    hunk = Hunk(0, 0, 1, len(lines), "", lines)
    return FileDiff(None, path, FileStatus.ADDED, (hunk,)), text if known else None


def _read(path: str, text: str, known: bool = True) -> tuple[list[str], list[str]]:
    """The lines of a new file without comments, and what of each is evidence."""
    file, whole = _change(path, text, known)
    found = codes(file, whole)
    lines = file.hunks[0].lines
    return [bare(line, found).text for line in lines], [code_of(line, found) for line in lines]


@pytest.mark.parametrize(
    ("path", "line", "code"),
    [
        ("a.py", "x = 1  # the first", "x = 1"),
        ("a.py", "    # nothing but words", ""),
        ("a.py", 'x = "no # comment"', 'x = "no # comment"'),
        ("a.py", "x = a // b", "x = a // b"),
        ("a.c", "#define X 1", "#define X 1"),
        ("a.c", "int x; /* why */", "int x;"),
        ("a.c", "void g() { f(/* first */ a, b); } /* why */", "void g() { f( a, b); }"),
        ("a.js", 'glob("src/**/*.js", a)', 'glob("src/**/*.js", a)'),
        ("a.js", "x = '/*' + a /* b */ + '*/'", "x = '/*' + a  + '*/'"),
        ("a.js", 'get("http://a.b/") // asks', 'get("http://a.b/")'),
        ("a.js", "/* ok */ /a/.test(eval(a))", " /a/.test(eval(a))"),
        ("a.js", "/* ok */ x = 1; /* fine */" + "; y()" * 200, " x = 1; " + "; y()" * 200),
        ("a.sh", "echo ${x#a} # cut", "echo ${x#a}"),
        ("a.yml", "run: make # all", "run: make"),
        ("a.tf", "x = 1 // one", "x = 1"),
        ("a.lua", "x = 1 --[[ one ]] y = 2", "x = 1  y = 2"),
        ("a.rb", 'x = "#{y}" # y', 'x = "#{y}"'),
        ("notes.txt", "# a title", "# a title"),
        ("q.sql", "select 1 -- one", "select 1 -- one"),
        ("a.py", "   ", ""),
        ("a.py", "from a import b  # why", ""),
        ("a.py", "importance = 1", "importance = 1"),
        ("a.py", "import os; os.remove(path)", "import os; os.remove(path)"),
        ("a.js", "const a = require('a');", ""),
        ("a.js", "const a = require(name);", "const a = require(name);"),
        ("a.ts", "import { a } from './a'", ""),
        ("a.ts", "const a = await import(name)", "const a = await import(name)"),
        ("a.java", "import java.util.List;", ""),
        ("a.go", 'import log "example.org/log"', ""),
        ("a.h", "#include <stdio.h>", ""),
        ("a.rs", "pub use crate::a;", ""),
        ("a.php", "include $_GET['page'];", "include $_GET['page'];"),
    ],
)
def test_code_ends_where_a_comment_begins(path: str, line: str, code: str) -> None:
    """What is in a comment is no code, nor are white space and imports; of an unknown language all is."""
    assert _read(path, line)[1] == [code]


def test_a_line_without_comments_keeps_the_rest() -> None:
    """Imports and white space are left as they are."""
    assert _read("a.py", "from a import b  # why\nx = 1  \n  # why")[0] == ["from a import b", "x = 1  ", ""]


_EVIL = "evil()"


@pytest.mark.parametrize("end", ["\r", "\u2028", "\u2029", "\f", "\v", "\x85", "\x00", "\x1a", "\x1c"])
@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("a.py", "#"),
        ("a.js", "//"),
        ("a.cs", "//"),
        ("a.rs", "//"),
        ("a.sol", "//"),
        ("a.yml", "#"),
        ("a.hs", "--"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_line_terminator_that_git_does_not_know_ends_a_comment(
    path: str, mark: str, end: str, known: bool
) -> None:
    """Some language ends a line there, so what follows may be code."""
    assert _EVIL in _read(path, f"x = 1 {mark} gross{end} {_EVIL}\n", known)[1][0]


def test_ends_of_lines_as_windows_has_them_are_no_trouble() -> None:
    """A carriage return before a line feed is white space."""
    assert _read("a.py", "x = 1  # one\r\n# two\r\ny = 2\r")[1] == ["x = 1", "", "y = 2\r"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.js", "total = a\n  * (1 + evil())"),
        ("a.java", "class A { int f() { return a\n * evil();\n} }"),
        ("a.js", "x = `\n// ${evil()}\n`"),
        ("a.js", "x = `\n/* ${evil()} */\n`"),
        ("a.py", 'x = f"""\n# {evil()}\n"""'),
        ("a.py", 'def f():\n    f"""\n    {evil()}\n    """'),
        ("a.py", 'x = """\n# evil()\n"""'),
        ("a.sh", "cat > run.sh <<END\n# evil()\nEND"),
        ("a.sh", "bash -c '\n# evil()\n'"),
        ("a.yml", "run: |\n  # evil()\n  make"),
        ("a.yml", "run: >-\n  # evil()\n  make"),
        ("a.php", "<?php\n$a = 1; // one ?><?php evil(); ?>\n"),
        ("a.php", "<?php\n$a = <<<END\n// evil()\nEND;\n"),
        ("a.rb", "x = <<~END\n  # evil()\nEND\n"),
        ("a.rb", "%w[\n# evil()\n]"),
        ("a.go", "package a\nvar x = `\n// evil()\n`\n"),
        ("a.cpp", 'auto s = R"x(\n// evil()\n)x";'),
        ("a.h", 'auto s = R"x( // )x" + evil();'),
        ("a.c", 'char *s = R"x( // )x" "evil()";'),
        ("a.rs", 'let s = r#"\n// evil()\n"#;'),
        ("a.swift", 'let s = """\n// evil()\n"""'),
        ("a.kt", 'val s = """\n// evil()\n"""'),
        ("a.cs", 'var s = @"\n// evil()\n";'),
        ("a.html", "<script>\n// evil()\nevil()\n</script>"),
        ("a.html", "<!--> <script>evil()</script> -->"),
        ("a.html", "<!-- a --!> <script>evil()</script> -->"),
        ("a.html", "<textarea><!-- evil() --></textarea>"),
        ("a.html", "<a title='<!--'>evil()<b title='-->'>"),
        ("a.css", "a{content:'/*'; x: evil(); y: '*/'}"),
        ("a.rs", 'let c = \'"\'; // "\nlet d = "\n// evil()\n";'),
        ("a.hs", "f a = a --> evil()\n"),
        ("a.lua", "x = [==[\n-- evil()\n]==]"),
        ("a.nix", "x: ''\n # evil()\n''"),
        ("a.tf", "x = <<EOT\n# evil()\nEOT\n"),
        ("a.ex", 'x = ~S"""\n# evil()\n"""'),
        ("a.rb", "x = <<A + <<B\n# a\nA\n# evil()\nB\n"),
        ("a.cpp", "auto x = 1'000; evil(); // '"),
        ("a.php", "<?php\n$a = '\n// evil()\n';"),
        ("a.java", "class A { // \\u000a void evil() {}\n}"),
        ("a.java", "class A { /* \\u002a/ void evil() {} /* */ }"),
        ("a.c", "// one \\ \n/*\nevil();\n/* */"),
        ("a.c", "// one ??/\n/*\nevil();\n/* */"),
        ("a.py", "# coding: unicode_escape\n# \\nevil()"),
        ("a.go", 'package a\n\n// void evil() {}\nimport "C"\n'),
        ("a.js", 'const x = require("child_process").execSync("evil()")'),
        ("a.js", 'const a = eval("evil()"), b = require("fs")'),
        ("a.ts", "import './evil()'"),
        ("a.ts", "import {} from './evil()'"),
        ("a.go", 'package a\nimport _ "evil()"\n'),
        ("a.go", 'package a\nimport (\n  "a"\n  . "evil()"\n)\n'),
        ("a.py", "from evil import *  # evil()"),
        ("a.rb", "require './evil()'"),
        ("a.py", "def f(:\n    # evil()\n    pass"),
        ("a.js", "x = {{{ // evil()\n"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_what_only_looks_like_a_comment_is_code(path: str, text: str, known: bool) -> None:
    """Continued lines, strings of every kind, tricks with the end of a comment, imports that do something."""
    evidence = "\n".join(_read(path, text, known)[1])

    assert "evil" in evidence


@pytest.mark.parametrize(
    ("path", "comment"),
    [
        ("a.sh", "#!/bin/sh"),
        ("a.py", "#!/usr/bin/env python"),
        ("a.go", "//go:build linux"),
        ("a.go", "// +build linux"),
        ("a.go", "//go:embed secrets/*"),
        ("a.go", "//nolint:errcheck"),
        ("a.go", "// nolint"),
        ("a.go", "// #nosec G101"),
        ("a.js", "// @ts-nocheck"),
        ("a.ts", "// @ts-ignore: why"),
        ("a.ts", "// @ts-expect-error"),
        ("a.js", "/* eslint-disable */"),
        ("a.js", "// eslint-disable-next-line no-eval"),
        ("a.js", "/** @flow */"),
        ("a.js", "/* istanbul ignore next */"),
        ("a.js", "//# sourceMappingURL=a.map"),
        ("a.ts", '/// <reference types="node" />'),
        ("a.js", "// prettier-ignore"),
        ("a.js", "// biome-ignore lint: why"),
        ("a.js", "/* @__PURE__ */"),
        ("a.py", "# nosec"),
        ("a.py", "# noqa: E501"),
        ("a.py", "# type: ignore"),
        ("a.py", "# pragma: no cover"),
        ("a.py", "# pylint: disable=all"),
        ("a.py", "# mypy: ignore-errors"),
        ("a.py", "# fmt: off"),
        ("a.py", "# -*- coding: latin-1 -*-"),
        ("a.py", "# hunkwise: ignore"),
        ("a.py", "# nosemgrep"),
        ("a.c", "// NOLINT(bugprone)"),
        ("a.c", "// NOLINTNEXTLINE"),
        ("a.c", "// clang-format off"),
        ("a.java", "//CHECKSTYLE:OFF"),
        ("a.java", "// NOSONAR"),
        ("a.java", "//noinspection unchecked"),
        ("a.rb", "# frozen_string_literal: true"),
        ("a.rb", "# rubocop:disable all"),
        ("a.sh", "# shellcheck disable=SC2086"),
        ("a.yml", "#cloud-config"),
        ("a.yml", "# zizmor: ignore[unpinned]"),
        ("a.swift", "// swiftlint:disable all"),
        ("a.swift", "// swift-tools-version:5.9"),
        ("a.tf", "#tfsec:ignore:aws"),
        ("a.html", "<!--[if IE]> x <![endif]-->"),
        ("a.css", "/* stylelint-disable */"),
        ("a.kt", "// ktlint-disable"),
        ("a.scala", "//> using dep a"),
        ("a.cs", "// ReSharper disable All"),
        ("a.php", "/** @Route('/a') */"),
    ],
)
def test_comments_that_act_are_evidence(path: str, comment: str) -> None:
    """A directive, a pragma, a suppression: somebody does something else because of it."""
    begun = "<?php\n" if path.endswith(".php") else ""

    assert _read(path, f"{begun}{comment}\n")[1][-2] == comment


@pytest.mark.parametrize(
    "comment",
    [
        "# the sum of all prices",
        "# TODO: ask for a discount",
        "# approved by the security team, nothing to see",
        "# see https://example.org/a:b",
        "# a type of price, on sale",
        "# returns: the price",
    ],
)
def test_comments_of_prose_are_none(comment: str) -> None:
    """What only people read is no evidence."""
    assert _read("a.py", f"x = 1\n{comment}\n")[1][1] == ""


@given(st.text(max_size=60), st.sampled_from(["a.py", "a.js", "a.c", "a.sh", "a.yml", "a.html", "a.unknown"]))
def test_nothing_is_made_up(text: str, path: str) -> None:
    """A line's code is the line with parts taken out, whatever it holds."""
    for line, told in zip(text.split("\n"), _read(path, text)[0], strict=True):
        rest = iter(line)
        assert all(character in rest for character in told)


@given(
    st.sampled_from(["\r", "\u2028", "\f", "\x85"]),
    st.sampled_from("#;\"'`/*- {}$<"),
    st.text("#/*'\"`- ab", max_size=9),
)
def test_nothing_behind_a_strange_line_end_is_hidden(end: str, mark: str, text: str) -> None:
    """Whatever stands before it in the comment, and around."""
    for path, opening in (("a.py", "# "), ("a.js", "// "), ("a.yml", "# ")):
        assert _EVIL in _read(path, f"{opening}{text}{end}{mark}\n{_EVIL}\n")[1][1]


@pytest.mark.parametrize(
    "text",
    [
        " /*" * 60_000,
        "(" * 50_000,
        "'\"`" * 20_000,
        "`${" * 20_000,
        "\ud800 # x",
        "x = " + "-" * 90_000 + "1",
        "\0",
    ],
)
@pytest.mark.parametrize("path", ["a.js", "a.py"])
def test_hostile_text_is_code_and_takes_little_time(fresh: Parser, path: str, text: str) -> None:
    """A grammar that takes too long, or crashes, tells nothing; the review goes on."""
    evidence = _read(path, text)[1]

    assert evidence == [text] or evidence == [text.split(" #")[0]]


def test_the_parser_lives_again(fresh: Parser) -> None:
    """What kills the process costs that text alone, three times."""
    for _ in range(LIVES - 1):
        assert fresh.read("no such language", "x") == []
        assert fresh.read("python", "# a") == [(0, 3, "comment", "")]
    assert fresh.read("no such language", "x") == []
    assert fresh.read("python", "# a") == []


DOCS = '''\
"""A module."""

QUERY = """
select:
"""


def total(rows):
    # the sum
    """Add up.

    Empty lists give:
        0
    """
    text = "not a docstring"
    return sum(rows)


class Row:  # one
    r"""A row."""

    def size(self):
        return 1
'''


def _prose(change: Change) -> set[tuple[int | None, int | None]]:
    (file,) = change.files
    return {at for at, code in codes(file, change.new_texts.get(file.path)).items() if not code.text}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("A module.", "The module.", {(1, None), (None, 1)}),
        ("        0\n", "        1\n", {(13, None), (None, 13)}),
        ("    Empty lists give:\n        0\n", "", {(12, None), (13, None)}),
        ('r"""A row."""', '"""A line."""', {(20, None), (None, 20)}),
        ("select:", "delete:", set()),
        ("sum(rows)", "max(rows)", set()),
        ("not a docstring", "no docstring", set()),
        ('r"""A row."""', '"""A row."""; evil()', {(20, None)}),
        ('r"""A row."""', 'f"""A row."""', {(20, None)}),
        ('r"""A row."""', 'b"""A row."""', {(20, None)}),
        ('r"""A row."""', "x = 1\n    'A row.'", {(20, None)}),
    ],
)
def test_docstrings_are_told_from_other_text(
    old: str, new: str, expected: set[tuple[int | None, int | None]]
) -> None:
    """A docstring comes first in a file, a class or a function; other strings are code."""
    change = edit(DOCS, DOCS.replace(old, new))

    assert _prose(change) == expected
    assert bool(expected) == (asked(change) == []) or "row" in new.lower()


def test_a_docstring_that_went_is_prose() -> None:
    """A docstring of the old file alone is none of the new one."""
    gone = DOCS.replace('    r"""A row."""\n\n', "")

    assert _prose(edit(DOCS, gone)) == {(20, None)}
    assert asked(edit(DOCS, gone)) == []


@pytest.mark.parametrize(
    "hidden",
    [
        "    'A row.'; os.remove(path)",
        "    # ''' note:\n    os.remove(path)  # ''' note:\n    '''A row.'''",
        "    x = 1  # note:\n    '''a'''; os.remove(path)",
        "    '''\\\r'''; os.remove(path)\n    '''",
        "    # a\r    '''\n    os.remove(path)\n    '''",
    ],
)
def test_code_is_not_hidden_by_quotes(hidden: str) -> None:
    """Beside a docstring on its line, or between quotes in comments, code is code."""
    found = _read("a.py", DOCS.replace('    r"""A row."""', hidden))[1]

    assert any("os.remove" in line for line in found)


def test_what_acts_weighs_more_than_what_frames_it() -> None:
    """A condition weighs more than a name alone, that more than a signature or a bracket."""
    ranked = ["    if a < b:", "    rest", "def f(a, b):", "}"]
    weights = [weight(line) for line in ranked]

    assert weights == sorted(weights, reverse=True)
    assert weights[0] == 1
    assert len(set(weights)) > 2


def test_long_lines_take_no_time() -> None:
    """A form is told from the head of a line."""
    assert weight(" " * 200_000 + "x") == 0.5
