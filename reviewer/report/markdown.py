"""The report in Markdown, for a step summary, a chat or a file. No text of the model acts in it."""

from __future__ import annotations

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.remark import facts, page, said
from hunkwise.reviewer.report.summary import (
    found,
    gathered,
    held_back,
    left_out,
    looked_at,
    signature,
    unrun,
)
from hunkwise.reviewer.text.markdown import code_span, escape, fence
from hunkwise.reviewer.types import Finding, Review


def render(review: Review, view: View) -> str:
    """Write a review in Markdown (GitHub's and GitLab's flavours)."""
    parts = [f"**{found(review)}**; {looked_at(review)}."]
    if not review.complete:
        parts.append("> **This review is incomplete:** something that should have been reviewed was not.")
    parts += map(escape, unrun(review.line_coverage))
    parts += map(_finding, review.findings)
    parts += _left_out("Not reviewed", review, fault=True) + _left_out("Left out", review, fault=False)
    if review.rejected:
        parts.append(f"Held back: {'; '.join(map(escape, held_back(review)))}.")
    parts.append(f"{escape(signature(review))}")
    return "\n\n".join(parts) + "\n"


def _finding(finding: Finding) -> str:
    lines = str(finding.start_line)
    if finding.end_line > finding.start_line:
        lines += f"-{finding.end_line}"
    known = f"{finding.severity}, {escape(facts(finding))}"
    parts = [f"### {escape(finding.title)}", f"{code_span(f'{finding.path}:{lines}')} · {known}"]
    if finding.code:
        parts.append(fence("\n".join(finding.code)))
    parts.append(escape(said(finding)))
    if address := page(finding):
        parts.append(f"<{address}>")
    if finding.suggestion is not None:
        state = "" if finding.suggestion.verified else " (not checked)"
        first, last = finding.suggestion.start_line, finding.suggestion.end_line
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        new = finding.suggestion.replacement
        parts += (
            [f"Suggestion for {where}{state}:", fence(new)]
            if new
            else [f"Suggestion: delete {where}{state}."]
        )
    elif finding.example:
        parts += ["Example of right code:", fence(finding.example)]
    return "\n\n".join(parts)


def _left_out(label: str, review: Review, *, fault: bool) -> list[str]:
    rows = gathered(left_out(skip for skip in review.skipped if skip.fault == fault))
    if not rows:
        return []
    return [f"{label}:\n\n" + "\n".join(f"- {code_span(place)}: {escape(reason)}" for place, reason in rows)]
