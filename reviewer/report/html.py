"""The report as one HTML file: the diff with the remarks in place. It needs nothing else and asks for nothing.

All text from a diff or a model is escaped by the template's autoescape, after `visible`. The policy in the page
admits the one script and the one style sheet by their hashes, and no request at all (CSP Level 3, 2.3.1).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import jinja2
from markupsafe import Markup

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report import summary as sentences
from hunkwise.reviewer.report.remark import facts, replaced, said
from hunkwise.reviewer.report.remark import page as page_of
from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.text.visible import visible, visible_line
from hunkwise.reviewer.types import Category, FileDiff, FileKey, Finding, Hunk, Line, Review, Severity


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the diff, whether a remark is on it, and the remarks that end with it."""

    line: Line
    marked: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A file: its hunks as rows, and the remarks that are on none of their lines."""

    path: str
    patch: str  # which of its patches, where there are several
    status: str
    hunks: tuple[tuple[Hunk, tuple[Row, ...]], ...]
    loose: tuple[Finding, ...]
    count: int  # remarks


def render(review: Review, view: View) -> str:
    """Write the page. Without a change in the view, the remarks show the lines they carry themselves."""
    style, script = _asset("page.css"), _asset("page.js")
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'"
    files = view.change.files if view.change is not None else ()
    page = environment().get_template("page.html.j2")
    return page.render(
        review=review,
        sections=sections(files, review.findings),
        policy=f"{policy}; form-action 'none'",
        style=Markup(style),  # noqa: S704 - a file of ours
        script=Markup(script),  # noqa: S704 - a file of ours
        severities=[(s, sum(f.severity == s for f in review.findings)) for s in Severity],
        categories=[c for c in Category if any(f.category == c for f in review.findings)],
        found=sentences.found(review),
        looked_at=sentences.looked_at(review).capitalize(),
        unrun=sentences.unrun(review.line_coverage),
        held_back=sentences.held_back(review),
        missed=sentences.gathered(sentences.left_out(skip for skip in review.skipped if skip.fault)),
        left_out=sentences.gathered(sentences.left_out(skip for skip in review.skipped if not skip.fault)),
        signature=sentences.signature(review),
        facts=facts,
        said=said,
        address=page_of,
        replaced=lambda finding: replaced(finding, view.change),
    )


def sections(files: Sequence[FileDiff], findings: Sequence[Finding]) -> list[Section]:
    """Lay the remarks out by file: files of the change in its order, then any others."""
    by_key = {file.key: file for file in files}
    remarks: dict[FileKey, list[Finding]] = {key: [] for key in by_key}
    for finding in findings:
        remarks.setdefault((finding.path, finding.part), []).append(finding)
    return [_section(key, by_key.get(key), own) for key, own in remarks.items()]


def _section(key: FileKey, file: FileDiff | None, findings: Sequence[Finding]) -> Section:
    ends: dict[int, list[Finding]] = {}
    for finding in findings:
        ends.setdefault(finding.end_line, []).append(finding)
    marked = {number for finding in findings for number in range(finding.start_line, finding.end_line + 1)}

    def row(line: Line) -> Row:
        number = line.new_no or 0
        return Row(line, number in marked, tuple(ends.get(number, ())))

    hunks = tuple((hunk, tuple(map(row, hunk.lines))) for hunk in (file.hunks if file else ()))
    placed = {finding.fingerprint for _, rows in hunks for row in rows for finding in row.findings}
    loose = tuple(finding for finding in findings if finding.fingerprint not in placed)
    path, part = key
    return Section(path, sentences.patch(part), str(file.status) if file else "", hunks, loose, len(findings))


def _asset(name: str) -> str:
    return (resources.files("hunkwise.reviewer.report") / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def environment() -> jinja2.Environment:
    """Make what renders HTML: everything is escaped, and a name without a value is an error."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["visible"] = visible
    made.filters["line"] = visible_line
    made.filters["redact"] = redact
    return made
