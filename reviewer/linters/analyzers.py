"""All that other tools say of a change: what reports of theirs hold, and what those say that are run here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.linters.formats import read_file
from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.remarks import Choice, Claim, claims
from hunkwise.reviewer.linters.reported import Reported
from hunkwise.reviewer.types import FileDiff, Skipped, TextOf


@dataclass(frozen=True, slots=True)
class Analysis:
    """What other tools say. `names` are the tools; `notes` is what the user should know, a sentence each."""

    claims: tuple[Claim, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


UNHEARD = Analysis()


def read_reports(reports: Sequence[tuple[str, Path]], root: Path) -> tuple[list[Reported], list[str]]:
    """Read reports, pairs of format and file; gives also what is odd about them. Raises UsageError."""
    place, said, notes = Root.of(root), [], []
    for form, path in reports:
        found = read_file(form, path, place)
        if found and not any(each.path for each in found):
            notes.append(f"{path}: none of its remarks ({len(found):,}) is on a file in {root}")
        said += found
    return said, notes


def analyze(
    files: Sequence[FileDiff], text: TextOf, reports: Sequence[tuple[str, Path]], root: Path, choice: Choice
) -> Analysis:
    """Gather what is said of the lines that `files` add or alter; `text` gives their new texts.

    Raises UsageError for a report that can't be read.
    """
    said, notes = read_reports(reports, root)
    made = claims(said, files, text, choice)
    return Analysis(made, (), tuple(sorted({each.tool for each in said})), tuple(notes))
