"""A description as a text, as Markdown for a forge, as JSON, and as the message of a commit."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from collections.abc import Callable, Iterator

from hunkwise.reviewer.describing.description import Description, FileNote
from hunkwise.reviewer.report.interchange.json import dump
from hunkwise.reviewer.text.markdown import code_span, escape
from hunkwise.reviewer.text.visible import visible, visible_line

FORM = "hunkwise-description"
VERSION = 1
MOST_FILES = 50  # in a text for people; JSON has all
WIDTH = 72  # of a commit message
_NOTHING = "Nothing changed.\n"
_CLOSES = re.compile(
    r"\b((?:close[sd]?|closing|fix(?:e[sd])?|fixing|resolve[sd]?|resolving)\b:?\s+)(?:[\w./-]+)?#(?=\d)",
    re.IGNORECASE,
)


def render_text(made: Description) -> str:
    """Write it for a terminal."""
    if not made.files:
        return _NOTHING
    lines = [f"{made.kind}: {visible_line(made.title)}"]
    lines += [f"For the issue {visible_line(made.issue)}"] if made.issue else []
    lines.append("")
    lines += [f"  {visible_line(row)}" for row in _rows(made, lambda note: f"{note.path} ({_counts(note)})")]
    lines += ["", f"Look first at {visible_line(', '.join(made.look_first)) or 'nothing'}."]
    lines += [f"Risk: {visible_line(made.risk)}"]
    if made.changelog:
        lines += ["Changelog:", *(f"  {visible_line(line)}" for line in made.changelog.splitlines() if line)]
    return "\n".join([*lines, *map(visible_line, made.notes), _made_by(made)]) + "\n"


def render_markdown(made: Description) -> str:
    """Write it for a forge; nothing in it acts there."""
    if not made.files:
        return _NOTHING
    rows = _rows(made, lambda note: f"{note.path} ({_counts(note)})")
    parts = [f"### {escape(made.title)}", f"**{made.kind}** · {escape(made.risk)}"]
    parts += [f"For the issue {escape(made.issue)}"] if made.issue else []
    parts.append("\n".join(f"- {_escaped_row(row)}" for row in rows))
    if made.look_first:
        parts.append(f"Look first at {', '.join(map(escape, made.look_first))}.")
    if made.changelog:
        section, _, entry = made.changelog.partition("\n\n")
        parts.append(f"Changelog, under {escape(section.strip('# '))}: {escape(entry.removeprefix('- '))}")
    return "\n\n".join([*parts, *map(escape, made.notes), f"<sub>{escape(_made_by(made))}</sub>"]) + "\n"


def render_json(made: Description) -> str:
    """Write all of it."""
    return dump({"form": FORM, "version": VERSION, **dataclasses.asdict(made)})


def commit_message(made: Description) -> str:
    """Write the message of a commit: title, what happened to each file, what it closes; nothing of no change."""
    if not made.files:
        return ""
    rows = _rows(made, lambda note: note.path)
    if len(made.files) == 1 and made.title.startswith(made.files[0].says.rstrip(".")):
        rows = iter(())
    body = [
        line
        for row in rows
        for line in textwrap.wrap(
            visible_line(row),
            WIDTH,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
    closes = ["", f"Closes #{made.closes}"] if made.closes else []
    told = "\n".join([visible_line(made.title), *([""] if body else []), *body])
    return "\n".join([_CLOSES.sub(r"\1", told), *closes]) + "\n"


FORMATS: dict[str, Callable[[Description], str]] = {
    "text": render_text,
    "json": render_json,
    "markdown": render_markdown,
}


def _rows(made: Description, head: Callable[[FileNote], str]) -> Iterator[str]:
    for note in made.files[:MOST_FILES]:
        yield f"{head(note)}: {note.says}"
    if (more := len(made.files) - MOST_FILES) > 0:
        added = sum(note.added for note in made.files[MOST_FILES:])
        removed = sum(note.removed for note in made.files[MOST_FILES:])
        yield f"and {more:,} more files (+{added:,} -{removed:,})"


def _escaped_row(row: str) -> str:
    path, _, says = row.partition(": ")
    return f"{code_span(path)}: {escape(says)}" if says else escape(path)


def _counts(note: FileNote) -> str:
    return f"+{note.added:,} -{note.removed:,}"


def _made_by(made: Description) -> str:
    if not made.model:
        return "Told by the change itself, without a model."
    return f"Told by the change itself and by {visible(made.model)}, which can be wrong."
