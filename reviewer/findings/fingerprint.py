"""Names findings so that the same remark is known again after a push.

Neither line numbers nor prose go in: lines move, and a model words the same remark differently each time.
Indentation and blank lines don't count either, so a re-indented block keeps its remarks.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hunkwise.reviewer.types import Finding

DIGITS = 32  # of 64; 128 bits are beyond accident, and markers stay short


def _digest(*parts: str) -> str:
    text = json.dumps(parts, ensure_ascii=True)  # quoted, so that no two lists of parts look alike
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:DIGITS]


def fingerprint(path: str, code_lines: Sequence[str], symbol: str, message_class: str) -> str:
    """Name a finding by 32 hex digits.

    `code_lines` are the lines remarked on, as they stand; `symbol` is the enclosing definition ("": unknown);
    `message_class` is the kind of remark out of a fixed set: which check it is of, or that it is the model's,
    never the model's own words, and not the category, for that is the model's choice too.
    """
    code = (" ".join(line.split()) for line in code_lines)
    return _digest(path, symbol, message_class, *(line for line in code if line))


def distinguish(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Give findings in different places with equal fingerprints different ones, counted from the top of the file.

    The first place keeps its name, so a copy added further down does not rename it. The order is kept.
    """
    places = sorted(range(len(findings)), key=lambda i: (*_place(findings[i]), i))
    seen: Counter[str] = Counter()
    last: dict[str, tuple[str, int, int, int]] = {}
    result = list(findings)
    for place in places:
        name = findings[place].fingerprint
        if last.get(name) != _place(findings[place]):
            last[name] = _place(findings[place])
            seen[name] += 1
        if seen[name] > 1:
            result[place] = replace(findings[place], fingerprint=_digest(name, str(seen[name] - 1)))
    return tuple(result)


def _place(found: Finding) -> tuple[str, int, int, int]:
    return found.path, found.part, found.start_line, found.end_line
