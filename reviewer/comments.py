"""How much of a line is code: the rest is a comment, and no evidence of anything.

By the file's suffix and the line alone. Where that errs (inside a long string, say), a line counts for a little
more or less than it should; nothing is decided here.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_HASH = re.compile(r"(?:^|\s)#.*")
_SLASHES = re.compile(r"(?:^|\s)(?://.*|/\*.*)|^\s*\*(?:[\s/].*|$)")
_DASHES = re.compile(r"(?:^|\s)--.*")
_SUFFIXES = {
    _HASH: "py pyi rb sh bash zsh yml yaml toml pl pm r jl ex exs nim cmake mk tf ps1 dockerfile",
    _SLASHES: "c h cc cpp cxx hpp hh m mm java kt kts scala groovy cs fs go rs swift js mjs cjs jsx ts tsx dart "
    "php css scss less proto zig v sol glsl vue svelte",
    _DASHES: "sql lua hs elm ada adb ads",
}
_BY_SUFFIX = {suffix: pattern for pattern, names in _SUFFIXES.items() for suffix in names.split()}


def code_length(path: str, line: str) -> int:
    """Count the characters of a line that stand before its comment; 0 for a blank line or a comment alone."""
    found = PurePosixPath(path)
    pattern = _BY_SUFFIX.get((found.suffix[1:] or found.name).lower())
    code = line
    if pattern is not None:
        for match in pattern.finditer(line):
            if not _quoted(line[: match.start()]):
                code = line[: match.start()]
                break
    return len(code) if code.strip() else 0


def _quoted(before: str) -> bool:
    """True where a string was opened and not closed."""
    return any(before.count(mark) % 2 for mark in "\"'`")
