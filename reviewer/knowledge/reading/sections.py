"""Documents in sections: Markdown, reStructuredText, AsciiDoc and Org by their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Form = Literal["markdown", "rst", "asciidoc", "org", "text"]
FORMS: dict[str, Form] = {
    "md": "markdown", "mdx": "markdown", "markdown": "markdown", "rst": "rst", "adoc": "asciidoc",
    "asciidoc": "asciidoc", "org": "org", "txt": "text", "text": "text",
}  # fmt: skip
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_UNDERLINE = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*")
_LONGEST = 200  # characters of a heading


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a heading, from `start` to before `end`, from 0; `headings` are those above and its own."""

    start: int
    end: int
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    text: str
    start: int  # its first line
    end: int  # the first line behind it


def sections(lines: Sequence[str], form: Form) -> Iterator[Section]:
    """Cut a document at its headings. A heading with nothing below it but further ones is no section."""
    find = {"markdown": _markdown, "rst": _rst, "asciidoc": _asciidoc, "org": _org}.get(form)
    headings = list(find(lines)) if find else []
    first = headings[0].start if headings else len(lines)
    if any(line.strip() for line in lines[:first]):
        yield Section(0, first, ())
    above: list[_Heading] = []
    ends = [*(heading.start for heading in headings[1:]), len(lines)]
    for heading, end in zip(headings, ends, strict=False):
        above = [*(one for one in above if one.level < heading.level), heading]
        if any(line.strip() for line in lines[heading.end : end]):
            yield Section(heading.start, end, tuple(one.text for one in above))


def _markdown(lines: Sequence[str]) -> Iterator[_Heading]:
    fence = ""
    matter = bool(lines) and lines[0].rstrip() == "---" and "---" in map(str.rstrip, lines[1:])
    for number, line in enumerate(lines):
        if matter:  # the front matter, to its closing line
            matter = number == 0 or line.rstrip() != "---"
            continue
        opened = _FENCE.match(line)
        if fence:
            if opened and opened[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            continue
        if opened:
            fence = opened[1]
            continue
        text = line.strip()
        level = len(text) - len(text.lstrip("#"))
        indented = line[:1] == "\t" or line[:4] == "    "
        if 1 <= level <= 6 and text[level : level + 1] in ("", " ", "\t") and not indented:
            yield _Heading(level, _title(text[level:].strip().rstrip("#")), number, number + 1)
        elif (
            text.strip(text[:1] or "x") == ""
            and text[:1] in ("=", "-")
            and _paragraph(lines, number, indented)
        ):
            yield _Heading(1 if text[0] == "=" else 2, _title(lines[number - 1]), number - 1, number + 1)


def _paragraph(lines: Sequence[str], number: int, indented: bool) -> bool:
    """Tell whether the line above one of dashes is a heading's text: one line alone, no list, quote or table."""
    before = lines[number - 1].strip() if number else ""
    alone = number < 2 or not lines[number - 2].strip()
    return bool(before) and alone and not indented and before[0] not in "#>-*+|`~"


def _rst(lines: Sequence[str]) -> Iterator[_Heading]:
    levels: list[tuple[str, bool]] = []
    number = 1
    while number < len(lines):
        text, line = lines[number - 1], lines[number]
        under = _UNDERLINE.fullmatch(line)
        plain = text.strip() and text[:1].strip() and not _UNDERLINE.fullmatch(text)
        if not under or not plain or len(line.rstrip()) < len(text.rstrip()):
            number += 1
            continue
        over = number > 1 and lines[number - 2].rstrip() == line.rstrip()
        style = (line[0], over)
        if style not in levels:
            levels.append(style)
        yield _Heading(levels.index(style), _title(text), number - 1 - over, number + 1)
        number += 2


def _asciidoc(lines: Sequence[str]) -> Iterator[_Heading]:
    fence = ""
    for number, line in enumerate(lines):
        text = line.rstrip()
        if len(text) >= 4 and text[0] in "-.=+/" and not text.strip(text[0]):  # a delimited block
            fence = "" if fence == text else fence or text
        elif not fence and (heading := _marked(line, "=", number)):
            yield heading


def _org(lines: Sequence[str]) -> Iterator[_Heading]:
    block = False
    for number, line in enumerate(lines):
        word = line[:9].lower()
        block = (block or word.startswith("#+begin")) and not word.startswith("#+end")
        if not block and (heading := _marked(line, "*", number)):
            yield heading


def _marked(line: str, mark: str, number: int) -> _Heading | None:
    level = len(line) - len(line.lstrip(mark))
    if 1 <= level <= 6 and line[level : level + 1] == " " and line[level:].strip():
        return _Heading(level, _title(line[level:]), number, number + 1)
    return None


def _title(text: str) -> str:
    return " ".join(text[:_LONGEST].replace("`", "").split())
