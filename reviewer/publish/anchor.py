"""Where on a forge's own diff a finding can be shown.

GitHub and GitLab take a remark only on lines that are in their diff, and a range only inside one hunk. The
diff that was reviewed may have had more context, so each finding is placed anew on the forge's diff.
"""

from __future__ import annotations

from dataclasses import dataclass

from hunkwise.reviewer.findings.suggestion import restore
from hunkwise.reviewer.types import FileDiff, Finding, Hunk, Line, Suggestion


@dataclass(frozen=True, slots=True)
class Anchored:
    """A finding can be shown on `lines`: neighbouring new-side lines of one hunk of `file`, at least one.

    `suggestion` is kept only if it replaces exactly these lines, by what the forge's own diff removed there.
    """

    file: FileDiff
    lines: tuple[Line, ...]
    suggestion: Suggestion | None = None

    @property
    def line(self) -> int:
        """The last line, 1-based on the new side."""
        number = self.lines[-1].new_no
        assert number is not None
        return number

    @property
    def start_line(self) -> int | None:
        """The first line of a range, strictly above `line`; None where one line is meant."""
        return self.lines[0].new_no if len(self.lines) > 1 else None


@dataclass(frozen=True, slots=True)
class Unanchored:
    """A finding has no line to be shown on. `file` is given where a remark on the whole file is possible."""

    reason: str
    file: FileDiff | None = None


def _shared_lines(finding: Finding, hunk: Hunk) -> tuple[Line, ...]:
    if finding.end_line < hunk.new_start or finding.start_line >= hunk.new_start + hunk.new_length:
        return ()
    return tuple(
        line
        for line in hunk.lines
        if line.new_no is not None and finding.start_line <= line.new_no <= finding.end_line
    )


def _kept_suggestion(finding: Finding, lines: tuple[Line, ...], hunk: Hunk) -> Suggestion | None:
    """Keep a suggestion that gives back what this diff itself shows as removed.

    A review suggests nothing else, so any other was written into its report by somebody on the way here.
    """
    suggestion = finding.suggestion
    if suggestion is None:
        return None
    wanted = suggestion.start_line, suggestion.end_line, _plain_ends(suggestion.replacement)
    if wanted[:2] != (lines[0].new_no, lines[-1].new_no):
        return None
    old = (restore(hunk, line.new_no) for line in lines if line.new_no is not None)
    return suggestion if wanted in [(*one[:2], _plain_ends(one[2])) for one in old if one] else None


def _plain_ends(text: str) -> str:
    return "\n".join(line.rstrip("\r") for line in text.split("\n"))


def anchor(finding: Finding, file: FileDiff | None) -> Anchored | Unanchored:
    """Place a finding on the forge's diff of its file (None: the diff has no such file).

    A range that reaches over the hunk's edge is cut to the lines the diff shows; of several hunks it touches,
    the first counts.
    """
    if file is None:
        return Unanchored("the file is not in the forge's diff")
    if file.new_path is None:
        return Unanchored("the file was deleted", file)
    for hunk in file.hunks:
        lines = _shared_lines(finding, hunk)
        if lines:
            return Anchored(file, lines, _kept_suggestion(finding, lines, hunk))
    return Unanchored("the lines are not in the forge's diff", file)
