"""What a description says, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a change is, by the words that commit messages have for it."""

    FIX = "fix"
    FEATURE = "feature"
    REFACTORING = "refactoring"
    TESTS = "tests"
    DOCS = "docs"
    CHORE = "chore"


@dataclass(frozen=True, slots=True)
class FileNote:
    """What a description says of a file: a sentence, counts of lines, and names of symbols."""

    path: str
    status: str
    added: int
    removed: int
    says: str
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    model: bool = False  # whose words the sentence is in


@dataclass(frozen=True, slots=True)
class Description:
    """A change in words. `told` says what tells the kind: "paths" or "facts".

    `title_by` is "facts" or "model"; `model` names what was asked, "" if nothing was. `notes`: what was not read.
    `issue` names the issue that the change is for, `closes` is its number; "" and 0 where that is not known.
    """

    title: str
    kind: Kind
    told: str
    files: tuple[FileNote, ...]
    look_first: tuple[str, ...]
    risk: str
    changelog: str
    title_by: str = "facts"
    model: str = ""
    notes: tuple[str, ...] = ()
    issue: str = ""
    closes: int = 0
