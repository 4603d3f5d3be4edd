"""The report for a terminal, in the manner of good compilers: place, severity, code with marks, message."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.remark import facts, page, replaced, said
from hunkwise.reviewer.report.summary import found, gathered, held_back, left_out, looked_at, made_by, unrun
from hunkwise.reviewer.text.columns import clip, columns
from hunkwise.reviewer.text.visible import visible, visible_line
from hunkwise.reviewer.types import Change, Finding, Review, Severity

_COLORS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "cyan": 36, "bold": 1, "dim": 2}
_OF_SEVERITY = {
    Severity.CRITICAL: "red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "blue",
}
_HEAD, _TAIL = 6, 2  # lines shown of a long range
_TAB = 4
_LONGEST = 10_000  # columns of a line of code where there is no terminal; nobody reads a longer one
_MOST_CARETS = 200
_PROSE_WIDTH = 80  # columns where the report goes to a file
_MOST_WIDTH = 110  # columns; longer lines of prose are hard to read
_NO_START = "，。、；：！？）》」』”’"  # such characters begin no line; they hang over the edge

Paint = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class _Page:
    """What a report is written on: its colours, its columns (None: no end), and the change it is about."""

    paint: Paint
    columns: int | None
    change: Change | None

    @property
    def prose(self) -> int:
        """The width of prose, in columns."""
        return _PROSE_WIDTH if self.columns is None else min(max(self.columns, 40), _MOST_WIDTH)

    def code(self, text: str, margin: int) -> str:
        """Make a line of code printable, and cut it to the columns that a margin leaves."""
        shown = visible(text.removesuffix("\r").replace("\n", " ").expandtabs(_TAB))
        return clip(shown, _LONGEST if self.columns is None else max(self.columns, 40) - margin)


def render(review: Review, view: View) -> str:
    """Write a review for a terminal of `view.width` columns; no escape sequence unless `view.color`.

    Code is cut to the terminal's width. Where there is no terminal, only a line that nobody reads is cut.
    """
    on = _Page(_painter(view.color), view.width, view.change)
    blocks = [_finding(finding, on) for finding in review.findings]
    return "\n\n".join([*blocks, _footer(review, on)]) + "\n"


def headline(finding: Finding, *, color: bool) -> str:
    """Write place, severity, title and facts of a finding in one line: how its block in the report begins."""
    return _headline(finding, _painter(color))


def _painter(color: bool) -> Paint:
    if not color:
        return lambda text, name: text
    return lambda text, name: f"\x1b[{_COLORS[name]}m{text}\x1b[0m" if text else text


def _headline(finding: Finding, paint: Paint) -> str:
    place = f"{visible_line(finding.path)}:{finding.start_line}"
    if finding.end_line > finding.start_line:
        place += f"-{finding.end_line}"
    elif finding.code:
        place += f":{_indent(finding.code[0]) + 1}"
    severity = paint(f"{finding.severity}:", _OF_SEVERITY[finding.severity])
    known = paint(f"[{facts(finding)}]", "dim")
    return f"{paint(place, 'bold')}: {severity} {paint(visible_line(finding.title), 'bold')} {known}"


def _finding(finding: Finding, on: _Page) -> str:
    last = finding.suggestion.end_line if finding.suggestion else 0
    gutter = len(str(max(finding.end_line, last)))
    lines = [_headline(finding, on.paint), *_code(finding, on, gutter)]
    lines += _prose(said(finding), f"{' ' * gutter} = ", on.prose)
    lines += [f"{' ' * gutter} = {address}"] if (address := page(finding)) else []
    return "\n".join([*lines, *(_suggestion(finding, on, gutter) or _example(finding, on, gutter))])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _code(finding: Finding, page: _Page, gutter: int) -> list[str]:
    """Show the lines remarked on: carets under a single line, a bar beside several."""
    rows = list(enumerate(finding.code, finding.start_line))
    if not rows:
        return []
    paint, margin = page.paint, gutter + 4
    bar = paint(f"{' ' * gutter} |", "dim")
    color = _OF_SEVERITY[finding.severity]
    mark = paint(">", color) if len(rows) > 1 else " "
    shown = [
        f"{paint(f'{number:>{gutter}} |', 'dim')}{mark} {page.code(text, margin)}".rstrip()
        for number, text in rows
    ]
    if len(shown) > _HEAD + _TAIL + 1:
        shown[_HEAD:-_TAIL] = [paint(f"{'.' * gutter} |", "dim")]
    if len(rows) == 1:
        text = page.code(finding.code[0], margin)
        blank = columns(text[: _indent(text)])
        carets = paint("^" * min(max(1, columns(text.strip())), _MOST_CARETS), color)
        shown.append(f"{bar}  {' ' * blank}{carets}")
    return [bar, *shown]


def _prose(text: str, lead: str, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in visible(text).splitlines():
        lines += _wrap(paragraph, lead if not lines else " " * len(lead), width)
    return lines


def _wrap(paragraph: str, lead: str, width: int) -> list[str]:
    """Wrap at spaces; a text without spaces (Chinese) is wrapped at columns."""
    hang = " " * len(lead)
    if columns(paragraph) == len(paragraph):
        return textwrap.wrap(paragraph, width, initial_indent=lead, subsequent_indent=hang)
    lines, line, used = [], lead, len(lead)
    for char in paragraph:
        used += columns(char)
        if used > width and char not in _NO_START:
            lines.append(line.rstrip())
            line, used = hang, len(hang) + columns(char)
        line += char
    return [*lines, line]


def _suggestion(finding: Finding, page: _Page, gutter: int) -> list[str]:
    """Show the lines that a suggestion replaces, with their numbers, and the lines that come in for them."""
    suggestion = finding.suggestion
    if suggestion is None:
        return []
    margin = gutter + 3
    old = replaced(finding, page.change)
    new = suggestion.replacement.split("\n") if suggestion.replacement else []
    first, last = suggestion.start_line, suggestion.end_line
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    state = "" if suggestion.verified else " (not checked)"
    act = "suggestion for" if new else "suggestion: delete"
    return [
        f"{' ' * gutter} = {page.paint(act, 'bold')} {where}{state}{':' if old or new else '.'}",
        *(
            page.paint(f"{number:>{gutter}} - {page.code(line, margin)}".rstrip(), "red")
            for number, line in enumerate(old, first)
        ),
        *(page.paint(f"{' ' * gutter} + {page.code(line, margin)}".rstrip(), "green") for line in new),
    ]


def _example(finding: Finding, page: _Page, gutter: int) -> list[str]:
    """Show code that is right, where no suggestion shows it in place."""
    lines = visible(finding.example).split("\n") if finding.example else []
    if not lines:
        return []
    head = f"{' ' * gutter} = {page.paint('example of right code', 'bold')}:"
    return [head, *(f"{' ' * gutter}   {page.code(line, gutter + 3)}".rstrip() for line in lines)]


def _footer(review: Review, page: _Page) -> str:
    """Say what was found, looked at, held back and left out; a review that is incomplete says so."""
    paint, width = page.paint, page.prose
    lines = [paint(found(review), "bold") + f"; {looked_at(review)}."]
    if not review.complete:
        lines.append(
            paint("This review is incomplete: something that should have been reviewed was not.", "red")
        )
    lines += [visible_line(sentence) for sentence in unrun(review.line_coverage)]
    for label, skips in (
        ("Not reviewed", [skip for skip in review.skipped if skip.fault]),
        ("Left out", [skip for skip in review.skipped if not skip.fault]),
    ):
        rows = gathered(left_out(skips))
        lines += [f"{label}:"] if rows else []
        for place, reason in rows:
            lines += textwrap.wrap(
                visible_line(f"{place}: {reason}"), width, initial_indent="  ", subsequent_indent="    "
            )
    if review.rejected:
        lines.append(visible_line(f"Held back: {'; '.join(held_back(review))}."))
    return "\n".join([*lines, paint(visible_line(made_by(review)), "dim")])
