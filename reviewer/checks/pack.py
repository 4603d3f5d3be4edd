"""The rules that come with hunkwise, and those of a team: read, and found by language or by id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from hunkwise.reviewer.checks.rule import LANGUAGES, LONGEST, Rule, read_rule
from hunkwise.reviewer.errors import ConfigError

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
    return Measured(counts["read"], counts["right"], read.get("projects", 0))


@cache
def _measurements(folder: str) -> dict[str, Any]:
    file = _rules_folder() / folder / "measured.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


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


@cache
def _folder(name: str) -> tuple[Rule, ...]:
    """Read the rules of a folder. A rule that can't be read is a fault of ours, and ends the program."""
    folder = _rules_folder() / name
    return tuple(_rules(folder)) if folder.is_dir() else ()


def _rules(folder: Traversable) -> Iterator[Rule]:
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yml"):
            yield read_rule(parse(file.read_text("utf-8"), file.name, ours=True), file.name)


@cache
def other_names(name: str) -> frozenset[str]:
    """Give the names that the check of a rule of ours has in other tools; none for a rule that is not ours."""
    folder = _rules_folder() / name.partition("-")[0]
    file = folder / f"{name}.yml"
    return (
        frozenset(parse(file.read_text("utf-8"), file.name, ours=True).get("also", ()))
        if file.is_file()
        else frozenset()
    )


def own_rules(texts: Iterable[tuple[str, str]]) -> tuple[dict[str, Any], ...]:
    """Check a project's own rules: pairs of a file's name and its text. Gives what their YAML holds.

    Raises ConfigError for a wrong one.
    """
    rules: dict[str, dict[str, Any]] = {}
    for name, text in texts:
        data = parse(text, name)
        rule = read_rule(data, name, ours=False)
        if rule.id in rules or rule.id in _ids():
            raise ConfigError(f"{name}: there is another rule with the id {rule.id}")
        rules[rule.id] = data
    return tuple(rules.values())


@cache
def _ids() -> frozenset[str]:
    """Give the ids of our rules: the names of their files."""
    folders = _rules_folder().iterdir()
    return frozenset(file.name.removesuffix(".yml") for folder in folders for file in folder.iterdir())


def parse(text: str, where: str, *, ours: bool = False) -> Any:
    """Read YAML that may be hostile, if it is not `ours`: plain values only, no aliases. Raises ConfigError."""
    import yaml

    if len(text) > LONGEST:
        raise ConfigError(f"{where}: longer than {LONGEST:,} characters")
    try:
        if not ours and any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, _loader())):
            raise ConfigError(f"{where}: aliases (*name) are not used in rules")
        return yaml.load(text, _loader())  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{where}: no YAML: {' '.join(str(error).split())[:300]}") from None


def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
