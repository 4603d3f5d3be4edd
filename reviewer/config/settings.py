"""The configuration: one frozen value, built once from flags, environment and files; each part has an origin.

Precedence: flags > environment (`HUNKWISE_…`) > the repository's file > the user's file > what CI changes >
defaults.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hunkwise.reviewer.config.about import About, about
from hunkwise.reviewer.config.kinds import (
    Language,
    ListOf,
    Number,
    OneOf,
    Registered,
    RuleSeverity,
    Switch,
    Text,
)
from hunkwise.reviewer.config.path_rules import CATEGORIES, GLOBS, SEVERITY, Rule, RuleKind
from hunkwise.reviewer.report import FORMATS
from hunkwise.reviewer.types import Category, Severity

# Other tools that can be named; reviewer/linters/tools/table.py says how each is run, or why it is not.
ANALYZERS = (
    *("ruff", "oxlint", "shellcheck", "hadolint", "actionlint", "zizmor", "clang-tidy", "cppcheck"),
    *("staticcheck", "golangci-lint", "semgrep"),
)

NO_MODEL = "none"  # the setting `model` where none is to be asked
Effort = Literal["quick", "normal", "deep"]
Asked = Literal["auto", "on", "off"]
Color = Literal["auto", "always", "never"]


def _any(new: object, old: object) -> bool:
    return True


def _fails_more(new: Severity | None, old: Severity | None) -> bool:
    """True if `new` as a threshold fails at least where `old` does; None fails nowhere."""
    return new is not None and (old is None or new.rank >= old.rank)


@dataclass(frozen=True)
class RunSettings:
    """What reviews, and what of the machine it uses."""

    model: str = field(
        default="qwen2.5-coder:1.5b",
        metadata=about(
            Text(),
            "model that reviews, by name or path; none: rules, checks and other tools alone",
            common=True,
        ),
    )
    engine: tuple[str, ...] = field(
        default=(),
        metadata=about(
            ListOf(Text(1000)),
            "addresses of servers that have the model, as http://HOST:11435 or vllm+http://HOST:8000; "
            "several share the work",
            own=True,
        ),
    )
    writer: tuple[str, ...] = field(
        default=(),
        metadata=about(
            ListOf(Text(1000)),
            "addresses of servers that write the remarks, where the model of this machine only judges",
            own=True,
        ),
    )
    offline: bool = field(default=False, metadata=about(Switch(), "never use the network"))
    analyzers: tuple[str, ...] = field(
        default=("none",),
        metadata=about(
            ListOf(OneOf.words("none", "auto", *ANALYZERS)),
            'other tools that read the change too, by name; "auto": those that are installed',
        ),
    )
    reach: bool = field(
        default=True,
        metadata=about(Switch(), "look in the rest of the repository for what a change breaks there"),
    )
    asked: Asked = field(
        default="auto",
        metadata=about(
            OneOf.words("auto", "on", "off"),
            "ask the model in words for defects too: auto asks models of 7B and more, or measured as fit for it",
        ),
    )
    competence_file: str = field(
        default="none",
        metadata=about(Text(1000), "what `hunkwise calibrate --of` measured of models, beside what ships"),
    )
    remember: bool = field(
        default=True, metadata=about(Switch(), "keep answers on this machine, and use those that are kept")
    )
    isolate: bool = field(
        default=False,
        metadata=about(Switch(), "run the model in a process of its own; in CI that is the default"),
    )


@dataclass(frozen=True)
class JudgeSettings:
    """All that decides how a hunk is judged, beside the model, the guidelines and the rules for its file."""

    language: str = field(
        default="English", metadata=about(Language(), "language of the remarks, by name or tag", _any)
    )
    categories: tuple[Category, ...] = field(
        default=tuple(Category), metadata=about(CATEGORIES, "kinds of problems to look for")
    )
    effort: Effort = field(
        default="normal", metadata=about(OneOf.words("quick", "normal", "deep"), "how much to ask")
    )
    context_tokens: int = field(
        default=400,
        metadata=about(Number(0, 100_000), "most tokens of surrounding code to show with a hunk"),
    )
    # where half of the remarks on bugs that people made are at the bug, and few are made (docs/quality.md)
    min_confidence: float = field(
        default=0.75,
        metadata=about(Number(0, 1, True), "least confidence that is reported, 0 to 1"),
    )


@dataclass(frozen=True)
class ReportSettings:
    """What is said of what was found, and how. `precision_target` sets `min_confidence` beforehand."""

    precision_target: float = field(
        default=0.0,
        metadata=about(
            Number(0, 1, True),
            "share of true remarks to aim at, instead of min_confidence; needs a calibrated model; 0: not used",
        ),
    )
    min_severity: Severity = field(
        default=Severity.LOW,
        metadata=about(SEVERITY, "least severity that is reported", common=True),
    )
    max_comments: int = field(
        default=20,
        metadata=about(
            Number(1, 1000), "most remarks that are reported, of the model, the checks and other tools each"
        ),
    )
    fail_on: Severity | None = field(
        default=None,
        metadata=about(
            OneOf.enum(Severity, none=True),
            "exit 1 at remarks this severe or worse",
            _fails_more,
            common=True,
        ),
    )
    disabled_rules: tuple[str, ...] = field(
        default=(),
        metadata=about(
            ListOf(Text(100)), "ids of rules that are off; python-* turns off all of a language", flag=False
        ),
    )
    rule_severities: tuple[str, ...] = field(
        default=(),
        metadata=about(ListOf(RuleSeverity()), "severities in place of the rules' own: id=low", flag=False),
    )
    baseline_file: str = field(
        default="none",
        metadata=about(Text(1000), "findings noted by `hunkwise baseline`, or a JSON report; not said again"),
    )
    format: str = field(
        default="text", metadata=about(Registered(FORMATS), "format of the report", common=True)
    )
    color: Color = field(
        default="auto", metadata=about(OneOf.words("auto", "always", "never"), "colours in text", _any)
    )


@dataclass(frozen=True)
class ProjectSettings:
    """What a project says of itself: what is reviewed, and what holds there."""

    guidelines: str = field(
        default="auto",
        metadata=about(
            Text(1000),
            'the project\'s guidelines; "auto" takes .hunkwise/guidelines.md if it is there, "none" nothing',
        ),
    )
    include: tuple[str, ...] = field(
        default=(), metadata=about(GLOBS, "globs of files to review; empty: all")
    )
    exclude: tuple[str, ...] = field(default=(), metadata=about(GLOBS, "globs of files to leave out"))
    rules: tuple[Rule, ...] = field(
        default=(),
        metadata=about(ListOf(RuleKind()), "what holds for some paths alone", flag=False, key="rule"),
    )


@dataclass(frozen=True)
class Limits:
    """How much is read, and for how long."""

    max_time: int = field(
        default=0,
        metadata=about(Number(0, 86_400), "seconds after which the rest is left unreviewed; 0: no limit"),
    )
    max_bytes: int = field(
        default=32 * 1024 * 1024, metadata=about(Number(1, 10**9), "largest diff in bytes")
    )
    max_files: int = field(default=3000, metadata=about(Number(1, 10**6), "most files of a diff"))
    max_hunks: int = field(default=20_000, metadata=about(Number(1, 10**6), "most hunks of a diff"))
    max_lines: int = field(default=500_000, metadata=about(Number(1, 10**7), "most lines of a diff"))
    max_line_length: int = field(
        default=10_000, metadata=about(Number(80, 10**6), "longest line that is reviewed, in characters")
    )


# The documentation has the fields of the last base first.
@dataclass(frozen=True)
class Config(Limits, ProjectSettings, ReportSettings, JudgeSettings, RunSettings):
    """All settings of a review. `origins` names where each value came from; a default has no entry.

    `ignored` says of what was not taken from a stranger's file its path, and which value it is and why.
    """

    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    ignored: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def origin(self, name: str) -> str:
        """Name where a value came from."""
        return self.origins.get(name, "default")

    @property
    def judging(self) -> JudgeSettings:
        """What judges, as a value of its own: the same one judges a hunk alike."""
        return JudgeSettings(
            **{each.name: getattr(self, each.name) for each in dataclasses.fields(JudgeSettings)}
        )


def settings() -> dict[str, About]:
    """Describe every setting, by its name in Python, in the order of the documentation."""
    described = (entry for entry in dataclasses.fields(Config) if "about" in entry.metadata)
    return {entry.name: entry.metadata["about"] for entry in described}


def keys() -> dict[str, str]:
    """Map each key of a configuration file to the name in Python."""
    return {entry.key or name: name for name, entry in settings().items()}


def schema() -> dict[str, Any]:
    """Describe `.hunkwise.toml` in JSON Schema, for editors."""
    known, defaults = settings(), Config()
    properties = {}
    for key, name in keys().items():
        part = {"description": known[name].help, **known[name].kind.schema()}
        properties[key] = {**part, "default": plain(getattr(defaults, name))}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "hunkwise configuration",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def plain(value: Any) -> Any:
    """Turn a value of `Config` into what a TOML or JSON file would hold."""
    if value is None:
        return "none"
    if isinstance(value, Rule):
        parts = {entry.name: getattr(value, entry.name) for entry in dataclasses.fields(value)}
        return {key: plain(part) for key, part in parts.items() if part not in (None, "")}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
