"""The reviewer's vocabulary, from the parsed diff to the finished review. Frozen values, no behaviour.

Line numbers are 1-based; ranges include both ends. Paths are relative, with forward slashes; bytes of a path
that are no UTF-8 are kept by surrogateescape.
"""

from hunkwise.reviewer.types.change import (
    Change,
    FileDiff,
    FileKey,
    FileStatus,
    Hunk,
    HunkContext,
    Line,
    LineCode,
    LineKind,
    Numbers,
    Place,
    Replacement,
    Skipped,
    TextOf,
)
from hunkwise.reviewer.types.review import (
    Category,
    Coverage,
    Finding,
    LineCoverage,
    LineRange,
    Manifest,
    Rejected,
    Review,
    Severity,
    Source,
    Suggestion,
    SuppressionKind,
    Witness,
)

__all__ = [
    "Category",
    "Change",
    "Coverage",
    "FileDiff",
    "FileKey",
    "FileStatus",
    "Finding",
    "Hunk",
    "HunkContext",
    "Line",
    "LineCode",
    "LineCoverage",
    "LineKind",
    "LineRange",
    "Manifest",
    "Numbers",
    "Place",
    "Rejected",
    "Replacement",
    "Review",
    "Severity",
    "Skipped",
    "Source",
    "Suggestion",
    "SuppressionKind",
    "TextOf",
    "Witness",
]
