"""A rule: one kind of defect, as data. The form is described for people in docs/rules.md.

What it looks for is a rule of ast-grep (`rule`, `constraints`, `utils`), a way that values take (`flow`), or a
function of ours (`check`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hunkwise.reviewer.checks.patterns import quick
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.types import Category, Severity

LANGUAGES = (
    "python", "javascript", "typescript", "tsx", "go", "java", "c", "cpp",
    "rust", "ruby", "php", "csharp", "kotlin", "bash",
)  # fmt: skip
LONGEST = 100_000  # characters of a rule's file

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
_WAYS = ("rule", "flow", "check")
_TEXTS = ("id", "title", "message", "advice", "fix", "file", "not_file", "at", "check")
_KEYS = {
    *_TEXTS, "languages", "dimension", "severity", "cwe", "also", "tests", "whole", "rule", "within",
    "constraints", "utils", "flow", "bad", "good",
}  # fmt: skip
_NEEDED = ("id", "languages", "dimension", "severity", "title", "message", "advice", "bad", "good")
_LONGEST_PATTERN = 500  # characters of a regular expression


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One kind of defect. Texts may hold `$NAME`: the text of that metavariable, as far as it fits on a line."""

    id: str
    languages: tuple[str, ...]
    dimension: Category
    severity: Severity
    title: str
    message: str
    advice: str
    bad: tuple[str, ...]
    good: tuple[str, ...]
    find: Mapping[str, Any] = field(default_factory=dict)  # rule, constraints and utils, as ast-grep has them
    within: Mapping[str, Any] = field(
        default_factory=dict
    )  # a rule of ast-grep: it matches in such nodes alone
    flow: Mapping[str, Any] = field(default_factory=dict)
    check: str = ""
    fix: str | None = None
    at: str = ""
    cwe: int | None = None
    also: tuple[str, ...] = ()
    file: str = ""
    not_file: str = ""
    tests: bool = True
    whole: bool = False  # said only where all of the file is known
    ours: bool = True  # False: a team's own

    @property
    def example(self) -> str:
        """Code that is right."""
        return self.good[0].rstrip("\n")


def read_rule(data: object, where: str, *, ours: bool = True) -> Rule:
    """Read a rule from what its YAML holds. Raises ConfigError naming the place and what is wrong."""
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: a rule is a mapping of keys to values")
    for key in data:
        if key not in _KEYS:
            raise ConfigError(f"{where}: unknown key {key!r:.40}; there are {', '.join(sorted(_KEYS))}")
    for key in _NEEDED:
        if not data.get(key):
            raise ConfigError(f"{where}: {key} is missing")
    for key in _TEXTS:
        if key in data and not isinstance(data[key], str):
            raise ConfigError(f"{where}: {key} must be text")
    for key in ("rule", "within", "constraints", "utils", "flow"):
        if not isinstance(data.get(key, {}), dict):
            raise ConfigError(f"{where}: {key} must be a mapping")
    ways = [way for way in _WAYS if data.get(way)]
    if len(ways) != 1:
        raise ConfigError(f"{where}: a rule has one of rule, flow and check")
    if data.get("within") and ways != ["rule"]:
        raise ConfigError(f"{where}: within is for a rule that has rule")
    if not ours and data.get("check"):
        raise ConfigError(
            f"{where}: check is for the rules that come with hunkwise; a rule of a team is data"
        )
    if not _ID.fullmatch(data["id"]):
        raise ConfigError(f"{where}: id must be words of small letters and digits, joined by '-'")
    cwe = data.get("cwe")
    if cwe is not None and type(cwe) is not int:
        raise ConfigError(f"{where}: cwe must be a number")
    return Rule(
        id=data["id"],
        languages=_words(data, "languages", where, LANGUAGES),
        dimension=Category(_word(data, "dimension", where, list(Category))),
        severity=Severity(_word(data, "severity", where, list(Severity))),
        title=_one_line(data["title"]),
        message=_one_line(data["message"]),
        advice=_one_line(data["advice"]),
        bad=_words(data, "bad", where),
        good=_words(data, "good", where),
        find=quick({key: data[key] for key in ("rule", "constraints", "utils") if key in data})
        if ways == ["rule"]
        else {},
        within=quick(data.get("within") or {}),
        flow=quick(data.get("flow") or {}),
        check=data.get("check", ""),
        fix=data.get("fix"),
        at=data.get("at", ""),
        cwe=cwe,
        also=_words(data, "also", where),
        file=_pattern(data, "file", where),
        not_file=_pattern(data, "not_file", where),
        tests=_flag(data, "tests", where, default=True),
        whole=_flag(data, "whole", where, default=False),
        ours=ours,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _word(data: Mapping[str, Any], key: str, where: str, known: Sequence[str]) -> str:
    if data[key] not in known:
        raise ConfigError(f"{where}: {key} must be one of {', '.join(known)}")
    return str(data[key])


def _words(data: Mapping[str, Any], key: str, where: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ConfigError(f"{where}: {key} must be a list of texts")
    for word in value:
        if known and word not in known:
            raise ConfigError(f"{where}: {word!r:.40} is none of {key}: {', '.join(known)}")
    return tuple(value)


def _pattern(data: Mapping[str, Any], key: str, where: str) -> str:
    text = str(data.get(key, ""))
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigError(f"{where}: {key} is no regular expression: {error}") from None
    if len(text) > _LONGEST_PATTERN:
        raise ConfigError(f"{where}: {key} is longer than {_LONGEST_PATTERN} characters")
    return text


def _flag(data: Mapping[str, Any], key: str, where: str, *, default: bool) -> bool:
    value = data.get(key, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: {key} must be true or false")
    return value


def parse(text: str, where: str) -> Any:
    """Read YAML that may be hostile: plain values only, no aliases. Raises ConfigError."""
    import yaml

    if len(text) > LONGEST:
        raise ConfigError(f"{where}: longer than {LONGEST:,} characters")
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, _loader())):
            raise ConfigError(f"{where}: aliases (*name) are not used in rules")
        return yaml.load(text, _loader())  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{where}: no YAML: {' '.join(str(error).split())[:300]}") from None


def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
