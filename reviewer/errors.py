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
