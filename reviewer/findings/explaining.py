"""Why a remark was made: what was seen, who says so, how sure that is, and how to have it said no more."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from hunkwise.reviewer.findings.suppressions import read_comment
from hunkwise.reviewer.report.remark import said, sure
from hunkwise.reviewer.types import Finding, Rejected, Review

LONGEST_REASON = 120  # characters of a reason in a comment

_COMMENTS: tuple[tuple[str, str, str], ...] = (
    ("# ", "", "py pyi rb sh bash zsh yml yaml toml ini cfg conf pl r tf ex exs nix mk dockerfile makefile"),
    (
        "// ",
        "",
        "js mjs cjs jsx ts mts cts tsx go java c h cc cpp cxx hpp hh rs cs kt kts php swift scala dart zig sol",
    ),
    ("-- ", "", "sql lua hs elm"),
    ("/* ", " */", "css scss less"),
    ("<!-- ", " -->", "html htm xml md vue svelte svg"),
)
_WITNESSES = {
    "rule": "a rule, which knows this kind of defect and matched the code; no model was asked",
    "reach": "the rest of the repository, compared with what the change took away; no model was asked",
    "likelihood": "the model's likelihood: it read the code before and after the change, and finds the text that "
    "was there likelier here than the one that came in",
    "asked": "a model that was asked for defects in words; its claim was checked before it was said",
}


@dataclass(frozen=True, slots=True)
class Way:
    """A way to have a remark said no more: what to do, and the text to copy."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of a remark. `held_back` is why it was not said, "" where it was."""

    finding: Finding
    seen: str
    witnesses: tuple[str, ...]
    sure: str
    silence: tuple[Way, ...]
    held_back: str = ""


def explain(finding: Finding, report: str = "report.json", held_back: str = "") -> Explanation:
    """Explain a remark; `report` is the file that it stands in."""
    return Explanation(
        finding,
        said(finding),
        tuple(_witnesses(finding)),
        meaning(finding),
        tuple(_ways(finding, report)),
        held_back,
    )


def chosen(review: Review, wanted: str) -> list[tuple[Finding, str]]:
    """Find the remarks that a fingerprint, or its beginning, or `path:line` names, said or held back."""
    every = [(found, "") for found in review.findings] + [_held(rejected) for rejected in review.rejected]
    path, colon, number = wanted.rpartition(":")
    if colon and number.isascii() and number.isdigit():
        line = int(number[:9])
        return [row for row in every if row[0].path == path and row[0].start_line <= line <= row[0].end_line]
    short = wanted.lower()
    return [row for row in every if len(short) >= 4 and row[0].fingerprint.startswith(short)]


def _held(rejected: Rejected) -> tuple[Finding, str]:
    return rejected.finding, rejected.reason


def _witnesses(finding: Finding) -> Iterator[str]:
    for witness in finding.witnesses:
        kind = "the model, asked which of two opposite statements is true" if " " in witness.name else ""
        who = _WITNESSES.get(witness.name) or kind or f"the tool {witness.name}, whose report was read"
        yield f"{witness.name}: {who}. It says: {witness.says}"
    if not finding.witnesses:
        yield f"{finding.source.tool}: the report names no witness"


def meaning(finding: Finding) -> str:
    """Say what the number beside a remark means."""
    number = sure(finding)
    if not finding.calibrated:
        return (
            f"{number}: nobody has counted how often such remarks are right. It says nothing of this one; read it "
            "as a question."
        )
    if finding.source.rule:
        return (
            f"{number}: people read hits of this rule in real projects, and counted how many of them were right. "
            "It is a share of all its hits, not a probability of this one."
        )
    return (
        f"{number}: a probability that was fitted on labelled changes: of remarks with this number, so many were "
        "on the defect. More changes were wrong there than in most repositories, so expect fewer to be right in "
        "yours; `hunkwise mine` and `hunkwise calibrate` fit it to your history."
    )


def _ways(finding: Finding, report: str) -> Iterator[Way]:
    if comment := silencing(finding):
        where = "at the end of the line, or on a line of its own above it"
        yield Way(f"In the code: this comment {where} ({finding.path}:{finding.start_line})", comment)
    only = f"--only {finding.fingerprint} --reason {shlex.quote('why it stays')}"
    yield Way(
        "In the baseline, which leaves the code as it is; commit the file that this writes",
        f"hunkwise baseline {shlex.quote(report)} {only}",
    )
    if finding.source.rule and finding.source.tool == "hunkwise":
        yield Way(
            "In .hunkwise.toml, for the whole project: the rule is not used any more",
            f'disabled_rules = ["{finding.source.rule}"]',
        )
    yield Way(
        "In .hunkwise.toml, for this file: it is not reviewed any more",
        f'exclude = ["{_glob(finding.path)}"]',
    )


def silencing(finding: Finding, reason: str = "") -> str:
    """Write the comment that silences a remark, "" where the language has none that we know."""
    marks = _marks(finding.path)
    if marks is None:
        return ""
    source = finding.source
    rule = source.rule if source.tool == "hunkwise" else f"{source.tool}:{source.rule}"
    why = plain_reason(reason) or "why it stays"
    for name in filter(None, (rule if source.rule else "", str(finding.category))):
        comment = f"{marks[0]}hunkwise: ignore[{name.casefold()}] -- {why}{marks[1]}"
        read = read_comment(comment)
        if read is not None and read.holds(finding, dt.date.min):
            return comment
    return ""


def plain_reason(text: str) -> str:
    """Take from a reason what could end a comment or act in one: letters, digits and plain signs stay."""
    kept = "".join(char if char.isalnum() or char in " .,;:'()_+=?" else " " for char in text[:1000])
    return " ".join(kept.split())[:LONGEST_REASON].strip()


def _marks(path: str) -> tuple[str, str] | None:
    name = PurePosixPath(path).name.lower()
    suffix = name.rpartition(".")[2]
    return next(((start, end) for start, end, names in _COMMENTS if suffix in names.split()), None)


def _glob(path: str) -> str:
    """Write a path as a glob of .gitignore, in a string of TOML."""
    escaped = "".join(f"\\{char}" if char in "*?[]\\!#" else char for char in path)
    return "/" + escaped.replace("\\", "\\\\").replace('"', '\\"')
