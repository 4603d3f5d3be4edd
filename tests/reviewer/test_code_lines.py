"""What of a line is code."""

import pytest

from hunkwise.reviewer.code_lines import code_of, uncommented, weight


@pytest.mark.parametrize(
    ("path", "line", "code"),
    [
        ("a.py", "x = 1  # the first", "x = 1"),
        ("a.py", "    # nothing but words", ""),
        ("a.py", 'x = "no # comment"', 'x = "no # comment"'),
        ("a.py", "x = a // b", "x = a // b"),
        ("a.c", "#define X 1", "#define X 1"),
        ("a.c", "int x; /* why */", "int x;"),
        ("a.c", "f(/* first */ a, b); /* why */", "f( a, b);"),
        ("a.c", "f(a); /* why", "f(a);"),
        ("a.js", 'glob("src/**/*.js", a)', 'glob("src/**/*.js", a)'),
        ("a.js", "'/*' + a /* b */ + '*/'", "'/*' + a  + '*/'"),
        ("a.c", " * in a block", ""),
        ("a.c", "x = a * b;", "x = a * b;"),
        ("a.c", "*p = 1;", "*p = 1;"),
        ("a.js", 'get("http://a.b/") // asks', 'get("http://a.b/")'),
        ("q.sql", "select 1 -- one", "select 1"),
        ("Dockerfile", "# base", ""),
        ("notes.txt", "# a title", "# a title"),
        ("a.py", "   ", ""),
        ("a.py", "from a import b  # why", ""),
        ("a.py", "importance = 1", "importance = 1"),
        ("a.py", "import os; os.remove(path)", "import os; os.remove(path)"),
        ("a.js", "const a = require('a');", ""),
        ("a.js", "const a = require(name);", "const a = require(name);"),
        ("a.ts", "import { a } from './a'", ""),
        ("a.ts", "const a = await import(name)", "const a = await import(name)"),
        ("a.java", "import java.util.List;", ""),
        ("a.go", '\t"os/exec"', ""),
        ("a.go", '\tlog "example.org/log"', ""),
        ("a.go", '\t"name",', '\t"name",'),
        ("a.h", "#include <stdio.h>", ""),
        ("a.rs", "pub use crate::a;", ""),
        ("a.php", "include $_GET['page'];", "include $_GET['page'];"),
    ],
)
def test_code_ends_where_a_comment_begins(path: str, line: str, code: str) -> None:
    """What follows the language's mark outside quotes is no code, nor are white space and imports."""
    assert code_of(path, line) == code


def test_a_line_without_comments_keeps_the_rest() -> None:
    """Imports and white space are left as they are."""
    assert uncommented("a.py", "from a import b  # why") == "from a import b"
    assert uncommented("a.py", "x = 1  ") == "x = 1  "
    assert uncommented("a.py", "  # why") == ""


def test_what_acts_weighs_more_than_what_frames_it() -> None:
    """A condition weighs more than a name alone, that more than a signature or a bracket."""
    ranked = ["    if a < b:", "    rest", "def f(a, b):", "}"]
    weights = [weight(line) for line in ranked]

    assert weights == sorted(weights, reverse=True)
    assert weights[0] == 1
    assert len(set(weights)) > 2


def test_long_lines_take_no_time() -> None:
    """Patterns that look back over spaces are kept to lines as people write them."""
    line = "import x" + " " * 200_000 + "; y"

    assert code_of("a.py", line) == line
    assert code_of("a.c", " /*" * 50_000) == ""
    assert weight(" " * 200_000 + "x") == 0.5
