"""The reviewer: from a diff to findings. What other programs may use is named here.

Imported when first touched (PEP 562), so that `--help` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hunkwise.reviewer.config.settings import Config
    from hunkwise.reviewer.diff.parse import parse_diff
    from hunkwise.reviewer.judge.pipeline import review
    from hunkwise.reviewer.types import Category, Change, Finding, Review, Severity, Suggestion

# public name -> module that defines it; loaded on first use, and known to type checkers by the imports above
_LAZY: dict[str, str] = {
    "Category": "hunkwise.reviewer.types",
    "Change": "hunkwise.reviewer.types",
    "Config": "hunkwise.reviewer.config.settings",
    "Finding": "hunkwise.reviewer.types",
    "Review": "hunkwise.reviewer.types",
    "Severity": "hunkwise.reviewer.types",
    "Suggestion": "hunkwise.reviewer.types",
    "parse_diff": "hunkwise.reviewer.diff.parse",
    "review": "hunkwise.reviewer.judge.pipeline",
}

__all__ = [
    "Category",
    "Change",
    "Config",
    "Finding",
    "Review",
    "Severity",
    "Suggestion",
    "parse_diff",
    "review",
]


if not TYPE_CHECKING:  # else every misspelt name would pass as Any

    def __getattr__(name: str) -> object:
        if name in _LAZY:
            return getattr(import_module(_LAZY[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
