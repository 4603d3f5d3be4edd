"""What the engine knows of a language: which kinds of nodes mean what, and names that it gives to things.

It is data: `<language>.yml` in the folder above, and `every.yml` for what holds in all languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hunkwise.reviewer.checks.pack import packed

# The tables that a language is told by; lists in several of them are joined
LANGUAGES = {
    "python": ("every", "python"),
    "javascript": ("every", "javascript"),
    "typescript": ("every", "javascript"),
    "tsx": ("every", "javascript"),
    "go": ("every", "go"),
    "java": ("every", "java"),
    "c": ("every", "c"),
    "cpp": ("every", "c", "cpp"),
    "rust": ("every", "rust"),
    "ruby": ("every", "ruby"),
    "php": ("every", "php"),
    "csharp": ("every", "csharp"),
    "kotlin": ("every", "kotlin"),
}
_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language. The sets hold kinds of nodes; the patterns are for whole names."""

    language: str
    names: frozenset[str]
    selves: frozenset[str]
    functions: frozenset[str]
    inlined: frozenset[str]
    opaque: frozenset[str]
    members: frozenset[str]
    indexes: frozenset[str]
    calls: frozenset[str]
    holders: frozenset[str]
    keyed: frozenset[str]
    wrappers: frozenset[str]
    comprehensions: frozenset[str]
    conditionals: frozenset[str]
    declares: frozenset[str]
    parameters: frozenset[str]
    loose: frozenset[str]
    top: str
    flags: frozenset[str]
    roles: Mapping[str, Mapping[str, Any]]
    exits: re.Pattern[str]
    spreads: re.Pattern[str]
    clean_calls: re.Pattern[str]
    clean_parts: re.Pattern[str]
    mutators: re.Pattern[str]
    validators: re.Pattern[str]
    no_guards: re.Pattern[str]
    harmless: re.Pattern[str]
    takes: re.Pattern[str]
    copies: Mapping[str, int]
    sources: Mapping[str, tuple[Mapping[str, Any], ...]]
    trusted_types: re.Pattern[str] = field(default=_NEVER)

    def role(self, kind: str) -> str:
        """Give what a kind of node does in the order of statements; nothing for a plain expression."""
        entry = self.roles.get(kind)
        return str(entry["as"]) if entry else ""


@cache
def grammar(language: str) -> Grammar:
    """Give what is known of a language. Raises ValueError if it is not one of LANGUAGES."""
    if language not in LANGUAGES:
        raise ValueError(f"no data flow for {language}; there is one for {', '.join(LANGUAGES)}")
    data: dict[str, Any] = {}
    for table in LANGUAGES[language]:
        data = _joined(data, packed("flow")[table])
    kinds: dict[str, Any] = {
        name: frozenset(data.get(name, ()))
        for name, kind in Grammar.__annotations__.items()
        if kind == "frozenset[str]"
    }
    patterns: dict[str, Any] = {
        name: _pattern(data.get(name, []))
        for name, kind in Grammar.__annotations__.items()
        if kind == "re.Pattern[str]"
    }
    roles = {
        kind: {"as": role} if isinstance(role, str) else role for kind, role in data.get("roles", {}).items()
    }
    sources = {name: tuple(rules) for name, rules in data.get("sources", {}).items()}
    return Grammar(
        language=language,
        top=data.get("top", ""),
        roles=roles,
        copies=data.get("copies", {}),
        sources=sources,
        **kinds,
        **patterns,
    )


def _pattern(names: list[str]) -> re.Pattern[str]:
    """Join patterns; one that starts with `(?i)` is for capitals too."""
    parts = [f"(?i:{name[4:]})" if name.startswith("(?i)") else f"(?:{name})" for name in names]
    return re.compile("|".join(parts)) if parts else _NEVER


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(one)
    for name, value in other.items():
        before = joined.get(name)
        if isinstance(before, list):
            joined[name] = [*before, *value]
        elif isinstance(before, dict):
            joined[name] = _joined(before, value)
        else:
            joined[name] = value
    return joined
