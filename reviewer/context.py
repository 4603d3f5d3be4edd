"""The lines of a file that a hunk is best read with, inside a token budget.

First the lines that open the blocks around the hunk (class, function, if), then the rest of the function from
the hunk outwards, then the file's imports, then what is nearest. Blocks are told by indentation, which holds
in nearly every language that is formatted; where it does not, the nearest lines are still right.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from heapq import merge
from itertools import groupby, takewhile

from hunkwise.reviewer.selection import Picked
from hunkwise.reviewer.types import Change, FileDiff, Hunk, HunkContext

Count = Callable[[str], int]

_MOST_COUNTS = 6  # calls of the tokenizer for a hunk
_IMPORTS_WITHIN = 400  # first lines of a file
_LONGEST_IMPORT = 40  # lines of one import in brackets
_IMPORT = re.compile(
    r"(?:import|from|package|using|use|extern crate|require|require_once|require_relative|include|load|library)\b"
    r"|#\s*include\b|@import\b|(?:const|let|var)\s.*=\s*require\(|export\s.*\sfrom\s"
)
_DEFINITION = re.compile(
    r"\s*(?:@|[\w<>\[\],.:&*?~ \t]*?\b)"
    r"(?:def|class|func|function|fn|fun|sub|proc|impl|struct|enum|interface|trait|module|method)\b"
    r"|\s*[\w<>\[\],.:&*?~ \t]+\([^;]*$"  # C, Java: a name, a bracket, no semicolon
)
_CONTROL = re.compile(
    r"\s*(?:\}\s*)?(?:if|elif|else|for|foreach|while|switch|match|case|try|catch|except|finally|with|do|when|loop"
    r"|select|return|unless|until|begin|rescue|ensure)\b"
)
_NO_BLOCK = re.compile(
    r"\s*(?:#\s*(?:if|ifdef|ifndef|else|elif|endif|define|undef|pragma)\b|\w+:\s*$|//|\*|/\*)"
)
_ONLY_CLOSING = re.compile(r"\s*(?:[\])}]+[;,)]*|end\b.*)\s*$")
_ONLY_OPENING = re.compile(r"\s*\{\s*$")
_LONGEST_LINE = 400  # characters; a longer line of context is not worth its tokens


def with_context(change: Change, picked: Picked, count: Count, budget: int) -> HunkContext:
    """A hunk with the surroundings that fit into `budget` tokens, which `count` measures in `count(text)`.

    What is measured is `surroundings(...)` of the result; its size is in `tokens`, and never over the budget.
    Lines come from the file's whole text if there is one and the hunk holds in it, else from its other hunks.
    """
    hunk = picked.hunk
    bare = HunkContext(picked.file, hunk, picked.hunk_index)
    lines = known_lines(change, picked.file, hunk)
    first, last = _span(hunk)
    order = _unique(_by_worth(lines, hunk, first, last), first, last)
    return _largest(bare, lines, order, (first, last), count, budget) if budget > 0 else bare


def surroundings(context: HunkContext) -> str:
    """The lines around a hunk as they are measured: imports, before, after, each with its number."""
    rows = (*context.imports, *context.before, *context.after)
    return "".join(f"{number}  {text}\n" for number, text in rows)


def enclosing(lines: Mapping[int, str], hunk: Hunk) -> range | None:
    """Number the lines of the definition around a hunk's first change; None where it stands in none.

    `lines` are those of the whole file. The innermost definition that holds the hunk's start is taken.
    """
    first, last = _span(hunk)
    openers = _openers(lines, hunk, first)
    start = _function(lines, openers)
    at, _ = _anchor(hunk, first)
    if start is None and _is(_DEFINITION, lines.get(at, "")) and _block_end(lines, at, at) > at:
        start = at  # the change is in the line that names the function
    return None if start is None else range(start, _block_end(lines, start, max(start, last)) + 1)


def changes(hunk: Hunk) -> Iterator[Hunk]:
    """Cut a hunk into its runs of changed lines, each a hunk without lines around it."""
    at = hunk.new_start if hunk.new_length else hunk.new_start + 1
    for changed, group in groupby(hunk.lines, key=lambda line: line.kind != "context"):
        run = tuple(group)
        length = sum(line.kind != "removed" for line in run)
        if changed:
            yield Hunk(hunk.old_start, 0, at if length else at - 1, length, hunk.section, run)
        at += length


def known_lines(change: Change, file: FileDiff, hunk: Hunk) -> dict[int, str]:
    """New-side lines by number: of the whole file if the hunk holds in it, else of the file's hunks."""
    text = change.new_texts.get(file.path)
    if text is not None:
        lines = _numbered(text)
        claims = ((line.new_no, line.text) for line in hunk.lines if line.new_no is not None)
        if all(lines.get(number, "\0").rstrip("\r") == claim.rstrip("\r") for number, claim in claims):
            return lines
    every = (line for other in (*file.hunks, hunk) for line in other.lines)
    return {line.new_no: line.text for line in every if line.new_no is not None}


@lru_cache(maxsize=2)  # hunks of a file come one after the other
def _numbered(text: str) -> dict[int, str]:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()  # after the final newline
    return dict(enumerate(lines, 1))


def _span(hunk: Hunk) -> tuple[int, int]:
    """First and last new-side line; of a pure removal an empty span after the line before it."""
    if hunk.new_length:
        return hunk.new_start, hunk.new_start + hunk.new_length - 1
    return hunk.new_start + 1, hunk.new_start


def _by_worth(lines: dict[int, str], hunk: Hunk, first: int, last: int) -> Iterator[int]:
    """Line numbers, the most useful first; may repeat."""
    openers = _openers(lines, hunk, first)
    start = _function(lines, openers)
    end = _block_end(lines, start, last) if start is not None else last
    yield from openers
    known = sorted(lines)
    if start is not None:
        yield from _outwards(known[bisect_left(known, start) : bisect_right(known, end)], first, last)
    yield from _imports(lines)
    yield from _outwards(known, first, last)


def _openers(lines: Mapping[int, str], hunk: Hunk, first: int) -> list[int]:
    """Lines that open the blocks around the hunk's first change, the innermost first."""
    at, indent = _anchor(hunk, first)
    openers: list[int] = []
    for number in range(at - 1, 0, -1):
        text = lines.get(number)
        if not indent or text is None:  # a gap between hunks: what is beyond may be another block
            break
        if not text.strip() or _indent(text) >= indent or _is(_NO_BLOCK, text) or _is(_ONLY_CLOSING, text):
            continue
        indent = _indent(text)
        openers.append(number)
        if _is(_ONLY_OPENING, text) and number - 1 in lines:
            openers.append(number - 1)  # the function's name stands above its brace
    return openers


def _anchor(hunk: Hunk, first: int) -> tuple[int, int]:
    """New-side number and indentation of the first added line with text, else of the first removed one."""
    at, removed = first, None
    for line in hunk.lines:
        if line.kind == "added" and line.text.strip():
            assert line.new_no is not None
            return line.new_no, _indent(line.text)
        if line.kind == "removed" and line.text.strip() and removed is None:
            removed = at, _indent(line.text)
        at = line.new_no + 1 if line.new_no is not None else at
    return removed or (first, 0)


def _function(lines: Mapping[int, str], openers: list[int]) -> int | None:
    """The innermost opener that defines something, else the outermost."""
    for number in openers:
        text = lines[number]
        if _is(_DEFINITION, text) and not _is(_CONTROL, text):
            return number
    return openers[-1] if openers else None


def _block_end(lines: Mapping[int, str], start: int, last: int) -> int:
    """Last line of the block that line `start` opens, at least `last`."""
    indent = _indent(lines[start])
    number = last
    while (text := lines.get(number + 1)) is not None:
        if text.strip() and _indent(text) <= indent and not _is(_NO_BLOCK, text):
            return number + 1 if _is(_ONLY_CLOSING, text) else number
        number += 1
    return number


def _outwards(known: list[int], first: int, last: int) -> Iterator[int]:
    """The known numbers around first..last, by distance; above before below.

    Only what is known is walked over: a patch may name any line, and the numbers between are no work.
    """
    above, below = reversed(known[: bisect_left(known, first)]), known[bisect_right(known, last) :]
    return merge(above, below, key=lambda number: first - number if number < first else number - last)


def _imports(lines: dict[int, str]) -> Iterator[int]:
    """Numbers of import lines at the left margin, with all lines of those in brackets."""
    number = 1
    while number <= _IMPORTS_WITHIN:
        text = lines.get(number, "")
        if _is(_IMPORT, text):
            yield number
            stop = number + _LONGEST_IMPORT
            depth = _depth(text)
            while depth > 0 and number < stop and number + 1 in lines:
                number += 1
                depth += _depth(lines[number])
                yield number
        number += 1


def _depth(text: str) -> int:
    return sum(text.count(bracket) for bracket in "({") - sum(text.count(bracket) for bracket in ")}")


def _unique(numbers: Iterator[int], first: int, last: int) -> Iterator[int]:
    seen = set(range(first, last + 1))
    for number in numbers:
        if number not in seen:
            seen.add(number)
            yield number


def _largest(
    bare: HunkContext,
    lines: dict[int, str],
    order: Iterator[int],
    span: tuple[int, int],
    count: Count,
    budget: int,
) -> HunkContext:
    """The context with as many lines, in their order of worth, as fit into the budget.

    A line costs a token at least, and text hardly less than one for eight characters, which bounds what is
    looked at. The number of lines is found by interpolation on measured sizes.
    """
    chosen = _affordable(lines, order, budget)
    wanted = set(_imports(lines))
    best, fits, too_many, size_at_most = bare, 0, len(chosen) + 1, 0
    guess = len(chosen)
    for _ in range(_MOST_COUNTS):
        if not fits < guess < too_many:
            break
        tried = _laid_out(bare, lines, set(chosen[:guess]), span, wanted)
        size = count(surroundings(tried))
        if size <= budget:
            best, fits = _sized(tried, size), guess
        else:
            too_many, size_at_most = guess, size
        if too_many <= len(chosen):
            share = (budget - best.tokens) / max(1, size_at_most - best.tokens)
            guess = min(too_many - 1, max(fits + 1, fits + int((too_many - fits) * share)))
    return best


def _affordable(lines: dict[int, str], order: Iterator[int], budget: int) -> list[int]:
    chosen: list[int] = []
    characters = 0
    for number in order:
        text = lines.get(number)
        if text is None or len(text) > _LONGEST_LINE:
            continue
        characters += len(text)
        if len(chosen) >= budget or characters > 8 * budget:
            break
        chosen.append(number)
    return chosen


def _laid_out(
    bare: HunkContext, lines: dict[int, str], numbers: set[int], span: tuple[int, int], wanted: set[int]
) -> HunkContext:
    first, last = span
    rows = [(number, lines[number]) for number in sorted(numbers)]
    # Imports that join the lines before the hunk without a gap are simply such lines
    touching = first - 1
    while touching in numbers:
        touching -= 1
    imports = tuple(takewhile(lambda row: row[0] in wanted and row[0] < touching, rows))
    taken = {number for number, _ in imports}
    return HunkContext(
        bare.file,
        bare.hunk,
        bare.hunk_index,
        before=tuple(row for row in rows if row[0] < first and row[0] not in taken),
        after=tuple(row for row in rows if row[0] > last),
        imports=imports,
    )


def _sized(context: HunkContext, tokens: int) -> HunkContext:
    return HunkContext(
        context.file, context.hunk, context.hunk_index, context.before, context.after, context.imports, tokens
    )


def _is(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.match(text[:_LONGEST_LINE]) is not None


def _indent(text: str) -> int:
    """Columns before the text, a tab being four."""
    return len((text[: len(text) - len(text.lstrip())]).expandtabs(4))
