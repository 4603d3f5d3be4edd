"""The rules that come with hunkwise, and those of a team: read, and found by language or by id.

Ours are read from packs/, which scripts/packs.py writes: mistakes in there are ours, and not looked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from hunkwise.reviewer.checks.rule import LANGUAGES, Rule, parse, read_rule
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.types import Category, Severity

_PACK, _PRIOR = 0.95, 10  # precision of the pack, and how many hits it counts for

# Where the rules of a language stand; C's hold for C++ too
_FOLDERS = {
    "python": ("python",),
    "javascript": ("javascript",),
    "typescript": ("javascript",),
    "tsx": ("javascript",),
    "c": ("c",),
    "cpp": ("c", "cpp"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a rule's precision: of `read` hits in real code, `right` were right and worth saying."""

    read: int = 0
    right: int = 0
    projects: int = 0

    @property
    def confidence(self) -> float:
        """The share that is right (0..1), drawn toward that of the whole pack where few were read."""
        return round((self.right + _PRIOR * _PACK) / (self.read + _PRIOR), 3)

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.read:
            return f"{self.right} of {self.read} hits in {self.projects} projects were right"
        return f"not measured: no hit in {self.projects} projects" if self.projects else "not measured"


def measured(name: str) -> Measured:
    """Give what was measured of a rule of ours."""
    read = _measurements(name.partition("-")[0])
    counts = read.get("rules", {}).get(name, {"read": 0, "right": 0})
    return Measured(counts["read"], counts["right"], counts.get("projects", read.get("projects", 0)))


@cache
def _measurements(folder: str) -> dict[str, Any]:
    file = _rules_folder() / folder / "measured.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


@cache
def rules_for(language: str) -> tuple[Rule, ...]:
    """Give our rules for a language (a name of LANGUAGES), in the order of their ids."""
    folders = _FOLDERS.get(language, (language,))
    rules = (rule for folder in folders for rule in _folder(folder) if language in rule.languages)
    return tuple(sorted(rules, key=lambda rule: rule.id))


def all_rules() -> tuple[Rule, ...]:
    """Give all our rules, in the order of their ids."""
    rules = {rule.id: rule for language in LANGUAGES for rule in rules_for(language)}
    return tuple(rules[name] for name in sorted(rules))


def is_ours(path: Path) -> bool:
    """Tell whether a file lies where our rules do, and not among those of a project."""
    with resources.as_file(_rules_folder()) as folder:
        return path.resolve().is_relative_to(folder.resolve())


def _rules_folder() -> Traversable:
    return resources.files("hunkwise.reviewer.checks") / "rules"


def read_pack(text: str) -> tuple[Rule, ...]:
    """Read the rules of a file of packs/, such as one of an earlier version."""
    return tuple(_rule(data) for data in json.loads(text))


@cache
def packed(name: str) -> Any:
    """Read a file of packs/; [] where there is none."""
    file = resources.files("hunkwise.reviewer.checks") / "packs" / f"{name}.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else []


@cache
def _folder(name: str) -> tuple[Rule, ...]:
    return tuple(_rule(data) for data in packed(name))


def _rule(data: Mapping[str, Any]) -> Rule:
    lists = {name: tuple(data.get(name, ())) for name in ("languages", "bad", "good", "also")}
    kinds = {"dimension": Category(data["dimension"]), "severity": Severity(data["severity"])}
    return Rule(**{**data, **lists, **kinds})


def other_names(name: str) -> frozenset[str]:
    """Give the names that the check of a rule of ours has in other tools; none for a rule that is not ours."""
    return frozenset(
        also for rule in _folder(name.partition("-")[0]) if rule.id == name for also in rule.also
    )


def own_rules(texts: Iterable[tuple[str, str]]) -> tuple[dict[str, Any], ...]:
    """Check a project's own rules: pairs of a file's name and its text. Gives what their YAML holds.

    Raises ConfigError for a wrong one.
    """
    rules: dict[str, dict[str, Any]] = {}
    for name, text in texts:
        data = parse(text, name)
        rule = read_rule(data, name, ours=False)
        if rule.id in rules or rule.id in ids():
            raise ConfigError(f"{name}: there is another rule with the id {rule.id}")
        rules[rule.id] = data
    return tuple(rules.values())


@cache
def ids() -> frozenset[str]:
    """Give the ids of our rules."""
    return frozenset(rule.id for rule in all_rules())


def known_ids(own: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Give the ids of our rules and of a project's `own`, which are what their YAML holds."""
    return ids() | {rule["id"] for rule in own}


def check_names(names: Mapping[str, Iterable[str]], own: Iterable[Mapping[str, Any]]) -> None:
    """Check the rules that settings name, by the name of the setting. Raises ConfigError for one that is none.

    Rules of other tools (`ruff:S608`) are not known here.
    """
    for setting, named in names.items():
        for name in named:
            if ":" not in name and not any(fnmatchcase(rule, name) for rule in known_ids(own)):
                near = get_close_matches(name, known_ids(own), n=1)
                said = f"; did you mean {near[0]}?" if near else "; `hunkwise rules list` lists them"
                raise ConfigError(f"{setting}: there is no rule {name!r:.80}{said}")
