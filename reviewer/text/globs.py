"""Globs as .gitignore has them, matched in time linear in the path, whatever the glob.

A glob becomes a regular expression without backtracking: after each star the first match of what follows is
taken for good (an atomic group), which loses nothing, for whatever a later one could match the next star can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from hunkwise.reviewer.errors import ConfigError

LONGEST = 1_000  # characters of a glob

# A part of a segment: a class in brackets, an escaped character, a run of stars, or another character
_PART = re.compile(r"\[[!^]?\]?[^\]\\]*(?:\\.[^\]\\]*)*\]|\\.|\*+|.", re.DOTALL)
_RANGE = re.compile(r"\\?(?P<first>.)-\\?(?P<last>.)|\\?(?P<one>.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Glob:
    """A glob: whether it takes or, with `!`, gives back what it matches.

    The expression matches the path of a file or, in the group "folder", a folder above it.
    """

    takes: bool
    expression: re.Pattern[str]


def matches(path: str, globs: tuple[str, ...]) -> bool:
    """Whether the globs take the path. Raises ConfigError for a bad one."""
    return bool(verdict(path, globs))


def verdict(path: str, globs: tuple[str, ...]) -> bool | None:
    """True if the last glob that matches takes, False if it starts with `!`, None without any.

    As in git, `!` with a folder does not give back a file that a glob before it took by the file's own name.
    Raises ConfigError for a bad glob.
    """
    result, by_name = None, False
    for glob in _compiled(globs):
        found = glob.expression.match(path)
        if found and (glob.takes or not by_name or not found["folder"]):
            result, by_name = glob.takes, not found["folder"]
    return result


@lru_cache(maxsize=256)
def _compiled(globs: tuple[str, ...]) -> tuple[_Glob, ...]:
    return tuple(compiled for glob in globs if (compiled := _compile(glob)))


def _compile(text: str) -> _Glob | None:
    """Compile a glob; None for a blank or a comment. Raises ConfigError."""
    if len(text) > LONGEST:
        raise ConfigError(f"a glob of {len(text):,} characters ({text[:20]!r}…); {LONGEST:,} are the most")
    glob = text if text.endswith("\\ ") else text.rstrip(" ")
    if not glob or glob.startswith("#") or glob == "/":
        return None
    body = glob.removeprefix("!")
    try:
        return _Glob(body == glob, re.compile(_expression(body), re.DOTALL))
    except (ValueError, re.error):
        raise ConfigError(
            f"{text!r} is no glob as .gitignore has them; escape a last \\ or a lone [, write !name, or [a-z] for "
            "[z-a]"
        ) from None


def _expression(glob: str) -> str:
    """Translate a glob. Raises ValueError where it is none."""
    segments = glob.split("/")
    only_folders = not segments[-1]
    if only_folders:
        segments.pop()
    if segments and not segments[0]:
        segments.pop(0)
    elif len(segments) == 1:
        segments.insert(0, "**")  # one name is looked for everywhere
    if not any(segments):
        raise ValueError
    anchored = segments[0] != "**"
    runs = [run for run in _runs(segments) if run]
    body = "".join(_found(run, anywhere=at > 0 or not anchored) for at, run in enumerate(runs[:-1]))
    if len(runs) > 1 or not anchored:
        body += "(?:[^/]+/)*?"
    body += "/".join(map(_segment, runs[-1])) if runs else "[^/]+"
    inside = bool(runs) and segments[-1] == "**"  # what lies in the folder, not the folder
    folder = f"(?P<folder>{body}/{'[^/]+/' * inside})"
    return folder if only_folders else f"{body}{'/.+' * inside}\\Z|{folder}"


def _runs(segments: list[str]) -> Iterator[list[str]]:
    """Part the segments at each `**`."""
    run: list[str] = []
    for segment in segments:
        if segment == "**":
            yield run
            run = []
        else:
            run.append(segment)
    yield run


def _found(run: list[str], *, anywhere: bool) -> str:
    """Translate a run of segments that more follows; anywhere, its first place is the best."""
    text = "".join(f"{_segment(segment)}/" for segment in run)
    return f"(?>(?:[^/]+/)*?{text})" if anywhere else f"(?>{text})"


def _segment(glob: str) -> str:
    """Translate a segment: between two stars the first place is the best, after the last one the end counts."""
    pieces = [""]
    for part in _PART.findall(glob):
        if part.strip("*"):
            pieces[-1] += _character(part)
        else:
            pieces.append("")
    first, *others = pieces
    if not others:
        if not first:
            raise ValueError  # an empty segment: a//b
        return first
    *middle, last = others
    found = first + "".join(f"(?>[^/]*?{piece})" for piece in middle)
    return f"{found}(?>[^/]*?{last}(?=/|\\Z))" if last else f"{found}[^/]*+"


def _character(part: str) -> str:
    if part == "?":
        return "[^/]"
    if part in ("\\", "["):
        raise ValueError  # nothing left to escape, or never closed
    if part.startswith("["):
        return _class(part)
    return re.escape(part[-1])


def _class(part: str) -> str:
    """Translate a class in brackets; it never matches a slash."""
    inside = part[1:-1]
    negated = inside[:1] in ("!", "^")
    ranges = "".join(
        re.escape(found["one"]) if found["one"] else f"{re.escape(found['first'])}-{re.escape(found['last'])}"
        for found in _RANGE.finditer(inside[negated:])
    )
    return f"[^/{ranges}]" if negated else f"(?!/)[{ranges}]"
