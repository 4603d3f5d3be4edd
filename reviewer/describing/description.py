"""What a description says, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LONGEST_TITLE = 72  # characters
LONGEST_SHOWN = 400  # characters of an issue that a model is shown


class Kind(StrEnum):
    """What a change is, by the words that commit messages have for it."""

    FIX = "fix"
    FEATURE = "feature"
    REFACTORING = "refactoring"
    TESTS = "tests"
    DOCS = "docs"
    CHORE = "chore"
    CHANGE = "change"  # of code, and no other word is likely enough


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue. `number` is 0 where the file does not tell it; `text` is one line."""

    title: str
    text: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        """Name it as people do: `#12: Carts lose their rows`."""
        return f"#{self.number}: {self.title}" if self.number else self.title

    @property
    def shown(self) -> str:
        """Give what a model is shown of it, in one line."""
        return f"{self.title}. {self.text}"[:LONGEST_SHOWN].strip()


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
