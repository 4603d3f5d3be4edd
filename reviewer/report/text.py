"""The report for a terminal, in the manner of good compilers: place, severity, code with marks, message."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.summary import found, held_back, left_out, looked_at, made_by
from hunkwise.reviewer.types import Finding, Review, Severity
from hunkwise.reviewer.visible import visible, visible_line

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
_MOST_WIDTH = 110  # columns; longer lines of prose are hard to read
_NO_START = "，。、；：！？）》」』”’"  # such characters begin no line; they hang over the edge

Paint = Callable[[str, str], str]


def render(review: Review, view: View) -> str:
    """Write a review for a terminal of `view.width` columns; no escape sequence unless `view.color`."""
    paint = _painter(view.color)
    width = min(max(view.width, 40), _MOST_WIDTH)
    blocks = [_finding(finding, paint, width) for finding in review.findings]
    return "\n\n".join([*blocks, _footer(review, paint, width)]) + "\n"


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
    facts = paint(f"[{finding.category}, {_sure(finding)}]", "dim")
    return f"{paint(place, 'bold')}: {severity} {paint(visible_line(finding.title), 'bold')} {facts}"


def _finding(finding: Finding, paint: Paint, width: int) -> str:
    gutter = len(str(finding.end_line))
    lines = [_headline(finding, paint), *_code(finding, paint, gutter, width)]
    lines += _prose(finding.message, f"{' ' * gutter} = ", width)
    return "\n".join([*lines, *_suggestion(finding, paint, gutter, width)])


def _sure(finding: Finding) -> str:
    """Write the confidence; one that was not calibrated on labelled cases is marked as rough."""
    return f"{'' if finding.calibrated else '~'}{finding.confidence:.0%}"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _code(finding: Finding, paint: Paint, gutter: int, width: int) -> list[str]:
    """Show the lines remarked on: carets under a single line, a bar beside several."""
    rows = list(enumerate(finding.code, finding.start_line))
    if not rows:
        return []
    bar = paint(f"{' ' * gutter} |", "dim")
    color = _OF_SEVERITY[finding.severity]
    mark = paint(">", color) if len(rows) > 1 else " "
    shown = [_code_line(no, text, mark, paint, gutter, width) for no, text in rows]
    if len(shown) > _HEAD + _TAIL + 1:
        shown[_HEAD:-_TAIL] = [paint(f"{'.' * gutter} |", "dim")]
    if len(rows) == 1:
        text = _clip(finding.code[0], width - gutter - 4)
        blank = _columns(text[: _indent(text)])
        carets = paint("^" * max(1, _columns(text.strip())), color)
        shown.append(f"{bar}  {' ' * blank}{carets}")
    return [bar, *shown]


def _code_line(number: int, text: str, mark: str, paint: Paint, gutter: int, width: int) -> str:
    return f"{paint(f'{number:>{gutter}} |', 'dim')}{mark} {_clip(text, width - gutter - 4)}".rstrip()


def _clip(text: str, width: int) -> str:
    """Make a line of code printable and cut it to `width` columns."""
    text = visible(text.removesuffix("\r").replace("\n", " ").expandtabs(_TAB))
    if _columns(text) <= width:
        return text
    while _columns(text) > width - 1:
        text = text[: width - 1] if len(text) > width else text[:-1]
    return text + "…"


def _columns(text: str) -> int:
    """Count terminal columns: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _prose(text: str, lead: str, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in visible(text).splitlines():
        lines += _wrap(paragraph, lead if not lines else " " * len(lead), width)
    return lines


def _wrap(paragraph: str, lead: str, width: int) -> list[str]:
    """Wrap at spaces; a text without spaces (Chinese) is wrapped at columns."""
    hang = " " * len(lead)
    if _columns(paragraph) == len(paragraph):
        return textwrap.wrap(paragraph, width, initial_indent=lead, subsequent_indent=hang)
    lines, line = [], lead
    for char in paragraph:
        if _columns(line + char) > width and char not in _NO_START:
            lines.append(line.rstrip())
            line = hang
        line += char
    return [*lines, line]


def _suggestion(finding: Finding, paint: Paint, gutter: int, width: int) -> list[str]:
    suggestion = finding.suggestion
    if suggestion is None:
        return []
    margin, room = " " * (gutter + 3), width - gutter - 5
    where = slice(suggestion.start_line - finding.start_line, suggestion.end_line - finding.start_line + 1)
    old = finding.code[where] if where.start >= 0 else ()
    new = suggestion.replacement.split("\n") if suggestion.replacement else []
    state = "" if suggestion.verified else " (not checked)"
    return [
        f"{' ' * gutter} = {paint('suggestion', 'bold')}{state}:",
        *(margin + paint(f"- {_clip(line, room)}".rstrip(), "red") for line in old),
        *(margin + paint(f"+ {_clip(line, room)}".rstrip(), "green") for line in new),
    ]


def _footer(review: Review, paint: Paint, width: int) -> str:
    """Say what was found, looked at, held back and left out; a review that is incomplete says so."""
    lines = [paint(found(review), "bold") + f"; reviewed {looked_at(review)}."]
    if not review.complete:
        lines.append(
            paint("This review is incomplete: something that should have been reviewed was not.", "red")
        )
    for label, skips in (
        ("Not reviewed", [skip for skip in review.skipped if skip.fault]),
        ("Left out", [skip for skip in review.skipped if not skip.fault]),
    ):
        rows = left_out(skips)
        lines += [f"{label}:"] if rows else []
        for place, reason in rows:
            lines += textwrap.wrap(
                visible_line(f"{place}: {reason}"), width, initial_indent="  ", subsequent_indent="    "
            )
    if review.rejected:
        lines.append(visible_line(f"Held back: {'; '.join(held_back(review))}."))
    return "\n".join([*lines, paint(visible_line(made_by(review)), "dim")])
