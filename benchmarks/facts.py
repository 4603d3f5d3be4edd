"""Facts about a block of changed lines that need no model, told by words and indentation, as 0 or 1.

They are not shipped: ablation.py shows what they would add (`--kinds facts`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from hunkwise.reviewer.languages.comments import Codes, code_of
from hunkwise.reviewer.types import Line

_NAME = re.compile(r"[^\W\d]\w*")
_DEFINED = (
    r"(?:\b(?:def|class|function|func|fn|struct|enum|interface|type)\s+{0}\b"
    r"|\b{0}\s*(?::?=(?!=)|:\s*[\w\[\]., ]+=))"
)
_LEAVES = re.compile(r"\s*(?:return|raise|throw|break|continue)\b")
_GOES_ON = re.compile(r"\s*(?:[\])}#.?:&|+]|//|/\*|\*|(?:case|default|else|elif|except|finally|catch)\b)")
LEAST_SIBLING = 8  # characters


def facts(block: Sequence[Line], text: str, codes: Codes) -> dict[str, float]:
    """Tell what can be seen of a block in its file's new text.

    `unknown`: a new name that stands nowhere else. `undefined`: a name that lost its definition and is still used.
    `sibling`: a line that was changed here still stands elsewhere. `reordered`: the same words in another order.
    `unreachable`: code right behind a statement that leaves the block.
    """
    removed, added = (
        [code_of(line, codes) for line in block if line.kind == kind] for kind in ("removed", "added")
    )
    own = {line.new_no for line in block if line.kind == "added"}
    lines = text.split("\n")
    elsewhere = [line for number, line in enumerate(lines, 1) if number not in own]
    known = _names([*removed, *elsewhere])
    lost = {name for name in _names(removed) if _defines(name, "\n".join(removed)) and name in _names(lines)}
    kept = {line.strip() for line in elsewhere}
    moved = {line.strip() for line in added}
    told = {
        "unknown": bool(_names(added) - known),
        "undefined": any(not _defines(name, text) for name in lost),
        "sibling": any(
            len(line.strip()) >= LEAST_SIBLING and line.strip() in kept - moved for line in removed
        ),
        "reordered": any(_same_words(old, new) for old in removed for new in added),
        "unreachable": any(
            number in own or number + 1 in own
            for number, (line, after) in enumerate(pairwise(lines), 1)
            if _ends_here(line)
            and _indent(line) == _indent(after)
            and after.strip()
            and not _GOES_ON.match(after)
        ),
    }
    return {name: float(holds) for name, holds in told.items()}


def _names(lines: Sequence[str]) -> set[str]:
    return {name for line in lines for name in _NAME.findall(line)}


def _defines(name: str, text: str) -> bool:
    return re.search(_DEFINED.format(re.escape(name)), text) is not None


def _same_words(old: str, new: str) -> bool:
    before, after = _NAME.findall(old), _NAME.findall(new)
    return before != after and sorted(before) == sorted(after)


def _ends_here(line: str) -> bool:
    return _LEAVES.match(line) is not None and not line.rstrip().endswith(("(", "[", "{", ",", "\\"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
