"""Globs match as git's do, and never take long."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.text.globs import LONGEST, matches, verdict

SEGMENTS = (
    "a", "b", "*", "**", "a*", "*b", "*a*", "a*b", "?", "[ab]", "[!a]", "[^a-b]", "ab", "*a*b*", "\\a", "\\[",
    "[]a]",
)  # fmt: skip
NAMES = ("a", "b", "ab", "ba", "aab", "abab", "c", "[", "]a", "\n")

PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5).map("/".join)
GLOBS = st.builds(
    lambda segments, first, last: first + "/".join(segments) + last,
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4),
    st.sampled_from(("", "", "/")),
    st.sampled_from(("", "", "/")),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("globs")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


@settings(max_examples=60, deadline=None)
@given(glob=GLOBS, paths=st.lists(PATHS, min_size=1, max_size=40, unique=True))
def test_a_glob_matches_what_git_ignores_by_it(repository: Path, glob: str, paths: list[str]) -> None:
    """Git itself is asked, about one glob and many paths."""
    (repository / ".gitignore").write_text(glob + "\n", "utf-8")
    asked = subprocess.run(
        ["git", "-C", str(repository), "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(paths).encode(),
        capture_output=True,
        check=False,
    )
    ignored = set(asked.stdout.decode().split("\0"))

    assert {path for path in paths if matches(path, (glob,))} == ignored & set(paths)


@pytest.mark.parametrize(
    ("globs", "path", "expected"),
    [
        ((), "a.py", None),
        (("# a.py", "", "/"), "a.py", None),
        (("*.py", "!a.py"), "a.py", False),
        (("!a.py", "*.py"), "a.py", True),
        (("vendor/", "!vendor/ours/**"), "vendor/ours/a.py", False),
        (("!vendor/ours/**", "vendor/"), "vendor/ours/a.py", True),
        (("*.py", "!vendor/"), "vendor/a.py", True),
        (("\\!a", "\\#b"), "!a", True),
        (("\\!a", "\\#b"), "#b", True),
        (("a ",), "a", True),
        (("a\\ ",), "a ", True),
        (("pages/[[]id].tsx",), "pages/[id].tsx", True),
    ],
)
def test_the_last_glob_that_matches_decides(globs: tuple[str, ...], path: str, expected: bool | None) -> None:
    """A folder that is given back keeps the files that were taken by their own names."""
    assert verdict(path, globs) is expected


@pytest.mark.parametrize("glob", ["!", "a\\", "[z-a]", "[ab", "a//b", "a" * (LONGEST + 1)])
def test_a_bad_glob_is_named(glob: str) -> None:
    """What git would pass over in silence is an error of the configuration."""
    with pytest.raises(ConfigError, match="glob"):
        verdict("a", (glob,))


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*a" * 300 + "*b", "a" * 4000),
        ("[!b]*" * 150 + "c", "a" * 4000),
        ("**/a/" * 190 + "b", "a/" * 2000 + "c"),
        ("**/*a*a*a/" * 90 + "b", "aaaaaa/" * 580 + "c"),
        ("a/" * 400 + "b", "a/" * 2000 + "x"),
        ("**/" + "a*a/" * 200 + "b", ("a" * 30 + "/") * 130 + "x"),
        ("*" * 900 + "b", "a" * 4000),
        ("?" * 900 + "*b", "a" * 4000),
    ],
)
def test_no_glob_and_no_path_take_long(glob: str, path: str) -> None:
    """Both may be a stranger's: the longest ones take a fraction of a second, not ages."""
    started = time.perf_counter()

    assert verdict(path, (glob,)) is None
    assert time.perf_counter() - started < 2
