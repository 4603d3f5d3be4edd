"""What a review says: findings, what is not said, what was covered, and what made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hunkwise.reviewer.types.change import Skipped


class Severity(StrEnum):
    """How bad, most severe first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical … 4 for info."""
        return list(Severity).index(self)


class Category(StrEnum):
    """The dimensions of a review."""

    CORRECTNESS = "correctness"
    ERROR_HANDLING = "error-handling"
    CONCURRENCY = "concurrency"  # and resources: locks, leaks, handles left open
    SECURITY = "security"
    PERFORMANCE = "performance"
    MAINTAINABILITY = "maintainability"
    TESTABILITY = "testability"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Replaces the new-side lines `start_line`..`end_line` by `replacement` (no final newline)."""

    start_line: int
    end_line: int
    replacement: str
    verified: bool  # applied in memory, and parsed where the language has a parser here


@dataclass(frozen=True, slots=True)
class Source:
    """Who makes a remark: a tool, and its rule where it has rules ("" for the model's own remarks).

    `url` is the rule's page, "" where it has none; `cwe` the number of the weakness in MITRE's list, or None.
    """

    tool: str = "hunkwise"
    rule: str = ""
    url: str = ""
    cwe: int | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """Something that speaks for a finding: its name ("rule", "likelihood", "ruff"), and what it says in short."""

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on new-side lines `start_line`..`end_line` of `path`.

    On a hunk that only removes lines the remark sits on the nearest line that is still there.
    `confidence` is a probability in 0..1; `calibrated` says whether it was fitted on labelled cases or measured
    on real code. `advice` says how to mend it, and `example` shows code that is right; "" where that is not known.
    `fingerprint` (32 hex digits) is stable under moved lines and reworded prose.
    """

    path: str
    start_line: int
    end_line: int
    severity: Severity
    category: Category
    title: str
    message: str
    confidence: float
    calibrated: bool
    fingerprint: str
    code: tuple[str, ...] = ()  # the lines remarked on, as they stand
    suggestion: Suggestion | None = None
    part: int = 0  # as in FileDiff: which of the patches of `path` the line numbers are those of
    source: Source = Source()
    witnesses: tuple[Witness, ...] = ()
    advice: str = ""
    example: str = ""

    @property
    def unmeasured(self) -> bool:
        """True for a remark of a rule, a tool or a free review, if nobody has counted how often it is right."""
        counted = self.source == Source() and all(witness.name != "asked" for witness in self.witnesses)
        return not self.calibrated and not counted


class SuppressionKind(StrEnum):
    """How people silenced a finding."""

    INLINE = "inline"  # by a comment in the code
    BASELINE = "baseline"  # by a list of known findings


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that is not said, with the reason ("below --min-confidence 0.5")."""

    finding: Finding
    reason: str
    silenced: SuppressionKind | None = None  # None: hunkwise itself chose not to say it


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was looked at. Hunks that nobody has to review (binary, lock files, new code, prose) don't count."""

    files: int
    files_reviewed: int
    hunks: int
    hunks_reviewed: int
    lines: int  # changed lines, added and removed
    lines_reviewed: int
    lines_checked: int = 0  # added ones that were checked without a model, and not asked about

    @property
    def complete(self) -> bool:
        """True if every hunk that should be reviewed was."""
        return self.hunks == self.hunks_reviewed


@dataclass(frozen=True, slots=True)
class LineRange:
    """New-side lines of a file."""

    path: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class LineCoverage:
    """What coverage reports tell of added lines of code: how many they know, and which of them no test runs.

    `unrun` counts those; `places` has them as ranges, the first ones of very many. What lies between two lines of
    a range is no code that the reports know.
    """

    lines: int
    unrun: int
    places: tuple[LineRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made the review: enough to make it again."""

    version: str  # of hunkwise
    model: str
    model_digest: str
    prompt_digest: str
    calibration: str  # digest, or "none"
    engine: str
    settings: Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Review:
    """A finished review. `findings` are best first; everything not said is counted with its reason.

    `seconds` is how long it took, 0 where that is not known; equal reviews may have taken different times.
    `line_coverage` is there where coverage reports were given.
    """

    findings: tuple[Finding, ...]
    rejected: tuple[Rejected, ...]
    skipped: tuple[Skipped, ...]
    coverage: Coverage
    manifest: Manifest
    base: str | None = None
    head: str | None = None
    seconds: float = field(default=0.0, compare=False)
    line_coverage: LineCoverage | None = None

    @property
    def complete(self) -> bool:
        """False if something that should have been reviewed was not."""
        return self.coverage.complete and not any(skip.fault for skip in self.skipped)
