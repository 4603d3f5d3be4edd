"""From what tools say to findings: on changed lines alone, each claim once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from hunkwise.reviewer.findings.fingerprint import fingerprint
from hunkwise.reviewer.findings.suggestion import offer
from hunkwise.reviewer.linters.claims import Claim
from hunkwise.reviewer.linters.edits import applied
from hunkwise.reviewer.linters.maps import Kind, kind_of, names_of, page_of
from hunkwise.reviewer.linters.reported import Reported
from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.types import (
    Category,
    FileDiff,
    Finding,
    Hunk,
    Severity,
    Source,
    Suggestion,
    TextOf,
    Witness,
)

MOST_LINES = 8  # of a remark; of a longer one (a whole function) the first line has it
UNMEASURED = 0.5  # nobody has counted how often the tool is right
_LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True)
class Choice:
    """What a project wants to hear: no rules of `off` (globs, `ruff:S1*`), `severities` of its own by rule."""

    off: tuple[str, ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    categories: tuple[Category, ...] = tuple(Category)

    def kind_of(self, said: Reported) -> Kind | None:
        """Say what a remark is about; None if it is not to be heard."""
        kind, names = kind_of(said), names_of(said)
        if kind is None or kind.category not in self.categories:
            return None
        if any(fnmatchcase(name, glob) for name in names for glob in self.off):
            return None
        own = next((self.severities[name] for name in sorted(names) if name in self.severities), None)
        return replace(kind, severity=own) if own else kind


def claims(
    reported: Iterable[Reported], files: Sequence[FileDiff], text: TextOf, choice: Choice = Choice()
) -> tuple[Claim, ...]:
    """Make claims of all that is said of lines which the files add or alter; `text` gives their new texts.

    Of a file that comes more than once in a change it is not known which of its texts a tool has read.
    """
    by_path = {file.path: file for file in files if not file.part}
    lines = {path: _standing(file) for path, file in by_path.items()}
    made = []
    for said in reported:
        if said.path in by_path and said.start_line and (kind := choice.kind_of(said)) is not None:
            file = by_path[said.path]
            if place := _place(said, lines[said.path]):
                made.append(_claim(said, kind, place, file, text(file)))
    return tuple(_merged(made))


@dataclass(frozen=True, slots=True)
class _Place:
    """The lines of a hunk that a remark sits on."""

    hunk: Hunk
    start: int
    end: int


_Standing = Mapping[int, tuple[Hunk, bool]]
"""The new-side lines that a diff shows: each one's hunk, and whether the change adds it."""


def _standing(file: FileDiff) -> _Standing:
    return {
        line.new_no: (hunk, line.kind == "added")
        for hunk in file.hunks
        for line in hunk.lines
        if line.new_no is not None
    }


def _place(said: Reported, standing: _Standing) -> _Place | None:
    """Find where a remark sits: it begins on an added line, or is short and holds one."""
    last = said.end_line if said.end_line - said.start_line < MOST_LINES else said.start_line
    added = (number for number in range(said.start_line, last + 1) if standing.get(number, (None, False))[1])
    first = next(added, None)
    if first is None:
        return None
    hunk = standing[first][0]
    end = first
    while end < last and standing.get(end + 1, (None, False))[0] is hunk:
        end += 1
    return _Place(hunk, first, end)


def _claim(said: Reported, kind: Kind, place: _Place, file: FileDiff, text: str | None) -> Claim:
    shown = {line.new_no: line.text for line in place.hunk.lines if line.new_no is not None}
    code = tuple(redact(shown[number]) for number in range(place.start, place.end + 1))
    title = _title(said)
    finding = Finding(
        path=file.path,
        start_line=place.start,
        end_line=place.end,
        severity=kind.severity,
        category=kind.category,
        title=title,
        message=_message(said, kind, title),
        confidence=UNMEASURED,
        calibrated=False,
        fingerprint=fingerprint(file.path, code, place.hunk.section, f"{said.tool}:{said.rule}"),
        code=code,
        suggestion=_suggestion(said, place, shown, file, text),
        source=Source(said.tool, said.rule, page_of(said), said.cwe),
        witnesses=(Witness(said.tool, said.rule or title),),
    )
    return Claim(finding, kind.name, names_of(said))


def _title(said: Reported) -> str:
    """Give the first sentence of what a tool says, if that is short enough to be a title."""
    text = " ".join(said.message.split())
    for end in (". ", "; ", ", "):
        if len(text) > _LONGEST_TITLE:
            text = text.partition(end)[0]
    if len(text) > _LONGEST_TITLE:
        text = f"{text[: _LONGEST_TITLE - 1].rpartition(' ')[0]}…"
    return text.rstrip(". ") or f"{said.tool}: {said.rule or 'a remark without words'}"


def _message(said: Reported, kind: Kind, title: str) -> str:
    """Say what goes wrong, and all of what the tool says where the title has not room for it."""
    words = said.message.strip()
    whole = [words] if " ".join(words.split()).rstrip(". ") != title and words else []
    return " ".join(filter(None, [*whole, kind.about])) or f"{said.tool} says so."


def _suggestion(
    said: Reported, place: _Place, shown: Mapping[int, str], file: FileDiff, text: str | None
) -> Suggestion | None:
    mended = applied(said.edits, shown)
    return offer(file, place.hunk, text, *mended) if mended else None


def _merged(made: Sequence[Claim]) -> Iterator[Claim]:
    """Make one claim of those that say the same of a line: the same rule, or rules that are one kind."""
    kept: dict[int, Claim] = {}
    at: dict[tuple[str, int, str], int] = {}
    for claim in sorted(made, key=_order):
        keys = [
            (claim.finding.path, number, name)
            for number in range(claim.finding.start_line, claim.finding.end_line + 1)
            for name in ({claim.kind} if claim.kind else claim.names)
        ]
        index = next((at[key] for key in keys if key in at), len(kept))
        kept[index] = _both(kept[index], claim) if index in kept else claim
        for key in keys:
            at.setdefault(key, index)
    return iter(kept.values())


def _order(claim: Claim) -> tuple[str, int, int, int, str]:
    found = claim.finding
    return found.path, found.start_line, found.severity.rank, found.end_line, f"{found.source}"


def _both(first: Claim, second: Claim) -> Claim:
    one, other = first.finding, second.finding
    finding = replace(
        one,
        witnesses=tuple(dict.fromkeys((*one.witnesses, *other.witnesses))),
        suggestion=one.suggestion or other.suggestion,
    )
    return Claim(finding, first.kind, first.names | second.names)
