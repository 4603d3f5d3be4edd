"""Reads a command out of a comment: `/verb …` or `@name verb …` at a line's start, and nowhere else.

What is quoted, fenced or indented as code, in an HTML comment or in HTML that quotes never counts; where Markdown
leaves a doubt it is no command. Settings never come from a comment: a verb takes the words that stand here. The
time is linear in the length of the comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST_COMMENT = 65_536  # characters that are looked at, the most that GitHub takes
LONGEST_QUESTION = 1_000
LONGEST_REASON = 200

_ITEM = r" {0,3}(?:(?:[-*+]|\d{1,9}[.)])[ \t]+){0,9}"  # of lists in lists
_FENCE = re.compile(_ITEM + "(`{3,}|~{3,})")
_TICKS = re.compile(r"`+")
_TAG = re.compile(r"<(/?)(pre|code|blockquote|details|q|script|style|textarea|xmp|title)\b", re.IGNORECASE)
_INDENTED = re.compile(r" {0,3}\t| {4}")
_QUOTE = re.compile(f"{_ITEM}>")


class Verb(StrEnum):
    """What can be asked for."""

    REVIEW = "review"
    ASK = "ask"
    DESCRIBE = "describe"
    EXPLAIN = "explain"
    IGNORE = "ignore"
    RESOLVE = "resolve"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `text` is a question or a reason; `full` of a review; `problem` what was not understood of it."""

    verb: Verb
    text: str = ""
    full: bool = False
    problem: str = ""


def parse(body: str, name: str) -> Command | None:
    """Read the first command of a comment; `name` is the bot's own, with or without `[bot]`."""
    lines = body[:LONGEST_COMMENT].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    mention = f"@{name.removesuffix('[bot]')}"
    for number in _plain(lines):
        if (command := _command(lines, number, mention)) is not None:
            return command
    return None


def _command(lines: list[str], number: int, mention: str) -> Command | None:
    line = lines[number].strip(" ")
    if line.startswith("/"):
        word, rest = _word(line[1:])
    elif len(mention) > 1 and line[: len(mention)].lower() == mention.lower():
        after = line[len(mention) :].removeprefix("[bot]")
        if line[: len(mention)].isascii() != mention.isascii() or after[:1] not in (" ", ",", ":"):
            return None
        word, rest = _word(after[1:].lstrip(" "))
    else:
        return None
    if not word.isascii() or word.lower() not in list(Verb):
        return None
    return _with_words(Verb(word.lower()), rest, lines, number)


def _word(text: str) -> tuple[str, str]:
    word, _, rest = text.partition(" ")
    return word[:20], rest.strip()


def _with_words(verb: Verb, rest: str, lines: list[str], number: int) -> Command:
    """Give a verb the words that it takes."""
    match verb:
        case Verb.ASK:
            more = []
            for line in lines[number + 1 :]:
                if not line.strip() or _FENCE.match(line) or _QUOTE.match(line):
                    break
                more.append(line.strip())
            question = " ".join([rest, *more]).strip()
            if not question:
                return Command(Verb.HELP, problem="`/ask` needs a question")
            if len(question) > LONGEST_QUESTION:
                return Command(Verb.HELP, problem=f"a question has at most {LONGEST_QUESTION:,} characters")
            return Command(verb, question)
        case Verb.IGNORE:
            return Command(verb, rest[:LONGEST_REASON])
        case Verb.REVIEW if rest.lower() in ("", "full"):
            return Command(verb, full=bool(rest))
        case Verb.REVIEW:
            return Command(
                Verb.HELP, problem="`/review` takes the word `full` or none; settings are in files"
            )
        case _:
            return Command(verb)


def _plain(lines: list[str]) -> Iterator[int]:
    """Give the numbers of the lines that are a person's own words, as far as that is certain."""
    fence, comment, quoting, quoted, ticks = "", False, 0, False, 0
    for number, line in enumerate(lines):
        if fence:
            if _closes(line, fence):
                fence = ""
            continue
        if comment:
            comment = "-->" not in line or line.rpartition("-->")[2].count("<!--") > 0
            continue
        if not line.strip():
            quoted, ticks = False, 0
            continue
        if (opened := _FENCE.match(line)) and not (opened[1][0] == "`" and "`" in line[opened.end() :]):
            fence, quoted, ticks = opened[1], False, 0
            continue
        if _QUOTE.match(line):
            quoted = True  # and what follows without a blank line
            continue
        if not (quoted or quoting or ticks or _INDENTED.match(line)):
            yield number
        comment = "<!--" in line and "-->" not in line.rpartition("<!--")[2]
        for tag in _TAG.finditer(line):
            quoting = max(0, quoting + (-1 if tag[1] else 1))
        for run in _TICKS.finditer(line):
            length = len(run[0])
            ticks = length if not ticks else 0 if ticks == length else ticks


def _closes(line: str, fence: str) -> bool:
    stripped = line.strip()
    return (
        not _INDENTED.match(line)
        and len(stripped) >= len(fence)
        and stripped.startswith(fence)
        and not stripped.strip(fence[0])
    )
