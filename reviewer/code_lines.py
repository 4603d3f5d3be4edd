"""What of a line is code that can be wrong: comments and imports are no evidence of anything.

By the file's suffix and the line alone. Where that errs (inside a long string, say), a line counts for a little
more or less than it should; nothing is decided here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath

from hunkwise.reviewer.types import Line

LONGEST_READ = 300  # characters; in a longer line an import, or a comment before code, is read as code
LONGEST_HEAD = 300  # characters of a line that tell its form

_HASH = re.compile(r"(?:^|\s)#.*")
_SLASHES = re.compile(r"(?:^|\s)(?://.*|/\*.*)|^\s*\*(?:[\s/].*|$)")
_INSIDE = re.compile(r"/\*(?:[^*]|\*(?!/))*\*/(?=\s*[^\s/])")  # a comment with code behind it
_DASHES = re.compile(r"(?:^|\s)--.*")
_SUFFIXES = {
    _HASH: "py pyi rb sh bash zsh yml yaml toml pl pm r jl ex exs nim cmake mk tf ps1 dockerfile",
    _SLASHES: "c h cc cpp cxx hpp hh m mm java kt kts scala groovy cs fs go rs swift js mjs cjs jsx ts tsx dart "
    "php css scss less proto zig v sol glsl vue svelte",
    _DASHES: "sql lua hs elm ada adb ads",
}
_ACTS = re.compile(r"[=!<>]=|[<>+\-*/%&|!?(]|\b(?:if|while|for|return|not|and|or|in|case)\b")
_CONTROL = re.compile(r"\s*(?:if|for|while|return|elif)\b")
_FRAMES = re.compile(
    r"\s*(?:def|func|public|private|static|class|function|import|from)\s|\s*(?:#|\}|else)"
    r"|\s*[\w<>\[\], *]+\([^;]*\)\s*\{?$"
)
_IMPORTS = {
    r"(?:import|from)\s": "py pyi",
    r"import\b(?!\s*[(.])|export\s.*\sfrom\s|(?:const|let|var)\s.*=\s*require\(['\"]": "js mjs cjs jsx ts tsx "
    "vue svelte",
    r"(?:import|package)\s": "java kt kts scala groovy swift dart",
    r'(?:import|package)\s|(?:[\w.]+\s+)?"[\w./@:-]+"\s*$': "go",
    r"#\s*(?:include|import)\b": "c h cc cpp cxx hpp hh m mm",
    r"(?:pub\s+)?use\s|extern\s+crate\s": "rs",
    r"using\s+[\w.]+\s*;": "cs",
    r"use\s": "php",
    r"require(?:_relative)?\s*['\"]": "rb",
}
_IMPORT_BY_SUFFIX = {
    suffix: re.compile(rf"\s*(?:{pattern})[^;]*;?\s*$")  # and no second statement
    for pattern, names in _IMPORTS.items()
    for suffix in names.split()
}
_BY_SUFFIX = {suffix: pattern for pattern, names in _SUFFIXES.items() for suffix in names.split()}


def code_of(path: str, line: str) -> str:
    """Give the code of a line: nothing of a blank line, a comment, an import."""
    importing = _IMPORT_BY_SUFFIX.get(_suffix(path))
    if importing and len(line) <= LONGEST_READ and importing.match(line):
        return ""
    code = uncommented(path, line)
    return code if code.strip() else ""


def uncommented(path: str, line: str) -> str:
    """Give a line without its comments, and without the white space before one that ends it."""
    pattern = _BY_SUFFIX.get(_suffix(path))
    if pattern is _SLASHES and len(line) <= LONGEST_READ:
        line = _without_inside(line)
    for match in pattern.finditer(line) if pattern else ():
        if not _quoted(line[: match.start()]):
            return line[: match.start()].rstrip()
    return line


def bare(path: str, line: Line) -> Line:
    """Give a line without its comments, if the change touches it."""
    return line if line.kind == "context" else replace(line, text=uncommented(path, line.text))


def _without_inside(line: str) -> str:
    at = 0
    while match := _INSIDE.search(line, at):
        at = match.start()
        if _quoted(line[:at]):
            at += 1
        else:
            line = line[:at] + line[match.end() :]
    return line


def _suffix(path: str) -> str:
    found = PurePosixPath(path)
    return (found.suffix[1:] or found.name).lower()


def weight(line: str) -> float:
    """Weigh a line by its form, 0..1: slips are in what acts, seldom in what opens or closes a block."""
    head = line[:LONGEST_HEAD]
    acts = 1.0 if _ACTS.search(head) else 0.5
    return acts * (0.3 if _FRAMES.match(head) and not _CONTROL.match(head) else 1.0)


def _quoted(before: str) -> bool:
    """True where a string was opened and not closed."""
    return any(before.count(mark) % 2 for mark in "\"'`")
