"""All that other tools say of a change: what reports of theirs hold, and what those say that are run here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.linters.claims import Analysis
from hunkwise.reviewer.linters.formats import read_file
from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.remarks import Choice, claims
from hunkwise.reviewer.linters.reported import Reported
from hunkwise.reviewer.linters.tools.table import chosen
from hunkwise.reviewer.linters.tools.workshop import Workshop
from hunkwise.reviewer.types import FileDiff, TextOf


@dataclass(frozen=True, slots=True)
class Voices:
    """Whom to hear: reports (format, file), whose paths begin at `root`, and tools by name, in a workshop."""

    root: Path
    reports: Sequence[tuple[str, Path]]
    tools: Sequence[str]
    workshop: Workshop


def read_reports(reports: Sequence[tuple[str, Path]], root: Path) -> tuple[list[Reported], list[str]]:
    """Read reports, pairs of format and file; gives also what is odd about them. Raises UsageError."""
    place, said, notes = Root.of(root), [], []
    for form, path in reports:
        found = read_file(form, path, place)
        if found and not any(each.path for each in found):
            notes.append(f"{path}: none of its remarks ({len(found):,}) is on a file in {root}")
        said += found
    return said, notes


def analyze(files: Sequence[FileDiff], text: TextOf, voices: Voices, choice: Choice) -> Analysis:
    """Gather what is said of the lines that `files` add or alter; `text` gives their new texts.

    Raises UsageError for a report that can't be read, and for a tool that is never run.
    """
    said, notes = read_reports(voices.reports, voices.root)
    shop = voices.workshop
    tools, undone = chosen(voices.tools, shop.has, trusted=shop.trusted)
    heard = [shop.hear(tool, files, text) for tool in tools]
    said += [each for one in heard for each in one.reported]
    readers: dict[str, tuple[str, ...]] = {}
    for tool, one in zip(tools, heard, strict=True):
        readers |= {path: (*readers.get(path, ()), tool.name) for path in one.read}
    names = {each.tool for each in said}.union(*readers.values())
    skipped = tuple(skip for one in heard for skip in one.skipped)
    made = claims(said, files, text, choice)
    return Analysis(made, skipped, tuple(sorted(names)), readers, (*notes, *undone))
