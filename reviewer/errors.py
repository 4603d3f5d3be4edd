"""What can go wrong in the reviewer; each message says what, where, and what to do next.

ReviewError
├── UsageError        the command line asks for something impossible
├── ConfigError       a configuration value or key is wrong; the message names the file
├── DiffError         the input is no diff we can read; carries the 1-based line of the patch
├── GitError          git refused or is missing
├── ForgeError        GitHub or GitLab refused
└── KnowledgeError    the index can't be read or written
"""

from __future__ import annotations

from collections.abc import Iterable


class ReviewError(Exception):
    """Root of all errors of the reviewer. `str(error)` is one or two sentences for the user."""


class UsageError(ReviewError):
    """The command line asks for something impossible."""


class ConfigError(ReviewError):
    """A configuration value or key is wrong."""


class DiffError(ReviewError):
    """The input is no diff we can read. `line` is 1-based in the patch, 0 where it concerns all of it."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line} of the diff: {message}" if line else message)
        self.line = line


class GitError(ReviewError):
    """Git refused, is missing, or the folder is no repository."""


class ForgeError(ReviewError):
    """A forge (GitHub, GitLab) refused or did not answer."""


class KnowledgeError(ReviewError):
    """The index can't be read or written, or is not there."""


def nearest(word: str, choices: Iterable[str], prefix: str = "") -> str:
    """Phrase the nearest legal word as the end of a message, or nothing; a `prefix` of all is not compared."""
    from difflib import get_close_matches

    bare = [choice.removeprefix(prefix) for choice in choices]
    found = get_close_matches(word.removeprefix(prefix), bare, n=1, cutoff=0.6)
    return f"; did you mean {prefix}{found[0]}?" if found else ""
