"""What holds for some paths alone: the `[[rule]]` tables of a configuration file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hunkwise.reviewer.config.kinds import Glob, Kind, ListOf, OneOf, Prose
from hunkwise.reviewer.types import Category, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for the files that match one of `paths` (globs)."""

    paths: tuple[str, ...]
    instructions: str = ""
    categories: tuple[Category, ...] | None = None  # None: as elsewhere
    min_severity: Severity | None = None  # None: as elsewhere


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A `[[rule]]` table."""

    def check(self, value: object) -> Rule:
        """Read one table."""
        if not isinstance(value, dict) or "paths" not in value:
            raise ValueError("a table with paths = [...]")
        checked: dict[str, Any] = {}
        for key, part in value.items():
            if key not in _RULE_KEYS:
                raise ValueError(f"a table with the keys {', '.join(_RULE_KEYS)} (not {key!r})")
            try:
                checked[key] = _RULE_KEYS[key].check(part)
            except ValueError as error:
                raise ValueError(f"a table whose {key} is {error}") from None
        return Rule(**checked)

    def parse(self, text: str) -> Rule:
        """Rules stand in files alone."""
        raise ValueError("set in a configuration file")

    def schema(self) -> dict[str, Any]:
        """Describe the table."""
        keys = {key: kind.schema() for key, kind in _RULE_KEYS.items()}
        return {"type": "object", "properties": keys, "required": ["paths"], "additionalProperties": False}


SEVERITY = OneOf.enum(Severity)
CATEGORIES = ListOf(OneOf.enum(Category))
GLOBS = ListOf(Glob())
_RULE_KEYS: dict[str, Kind] = {
    "paths": GLOBS,
    "instructions": Prose(),
    "categories": CATEGORIES,
    "min_severity": SEVERITY,
}
