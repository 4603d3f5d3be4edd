"""Changed lines that stand in a docstring of Python: prose, as a comment is, and no evidence of anything.

Told by Python's own parser, so that no code can be dressed up as a docstring. A file that is not known as a
whole, or does not parse, has none.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence

from hunkwise.reviewer.types import FileDiff, FileKey, Line, Numbers, TextOf

SUFFIXES = (".py", ".pyi")
LONGEST_FILE = 2_000_000  # characters; parsing takes a hundred times that in memory

_HOLDERS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def prose_of(files: Iterable[FileDiff], text_of: TextOf) -> dict[FileKey, frozenset[Numbers]]:
    """Find the changed lines of each file that stand in docstrings; `text_of` gives a file after the change."""
    return {file.key: prose(file, text_of(file)) for file in files}


def prose(file: FileDiff, text: str | None) -> frozenset[Numbers]:
    """Find the changed lines of a file that stand in docstrings; `text` is the file after the change."""
    if text is None or len(text) > LONGEST_FILE or not file.path.endswith(SUFFIXES):
        return frozenset()
    lines = _both_sides(file, text)
    return frozenset(
        line.numbers
        for other in ("added", "removed")
        for line in _in_docstrings([line for line in lines if line.kind != other])
        if line.kind != "context"
    )


def parsed(text: str) -> ast.Module | None:
    """Parse a Python file; None if it is none."""
    try:
        with warnings.catch_warnings():  # an invalid escape in the reviewed file is not our warning
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _both_sides(file: FileDiff, text: str) -> list[Line]:
    """Give the file's lines with the removed ones among them; those outside the hunks have no numbers."""
    after, at, lines = text.split("\n"), 1, []
    for hunk in file.hunks:
        start = hunk.new_start if hunk.new_length else hunk.new_start + 1
        lines += [Line("context", line, None, None) for line in after[at - 1 : start - 1]]
        lines += hunk.lines
        at = start + hunk.new_length
    return lines + [Line("context", line, None, None) for line in after[at - 1 :]]


def _in_docstrings(lines: Sequence[Line]) -> Iterator[Line]:
    """Pick the lines of one side that hold nothing but a docstring."""
    tree = parsed("\n".join(line.text for line in lines))
    for node in ast.walk(tree) if tree else ():
        text = _docstring(node)
        if text is not None:
            own = lines[text.lineno - 1 : text.end_lineno]
            before = own[0].text.encode()[: text.col_offset]
            after = own[-1].text.encode()[text.end_col_offset :]
            if not before.strip() and not after.split(b"#")[0].strip():
                yield from own


def _docstring(node: ast.AST) -> ast.Expr | None:
    """Give the statement that is a node's docstring."""
    first = node.body[0] if isinstance(node, _HOLDERS) and node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first if isinstance(first.value.value, str) else None
    return None
