"""What is known of names at a place in a function: which hold values from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode


@dataclass(frozen=True, slots=True)
class Taint:
    """A value from outside: where it came in, the names it went through, and whether its text stands first."""

    source: SgNode
    start: int
    via: frozenset[str] = frozenset()
    leads: bool = True


Facts = Mapping[str, Taint | None]
"""What is known of names: tainted, or None for clean. A name that is missing is clean, but not its parts."""


def join(one: Facts, other: Facts) -> Facts:
    """Join what holds on two ways: what is tainted on one of them is tainted."""
    if one == other:
        return one
    joined: dict[str, Taint | None] = {}
    for name in one.keys() | other.keys():
        first, second = one.get(name), other.get(name)
        if first is None or second is None:
            taint = first or second
            if taint is not None or (name in one and name in other):
                joined[name] = taint
        else:
            early = min(first, second, key=lambda taint: taint.start)
            joined[name] = replace(early, via=first.via | second.via, leads=first.leads or second.leads)
    return joined


def clear(name: str, facts: dict[str, Taint | None]) -> None:
    """A name was looked at and found right: so is what was made of it."""
    if not name:
        return
    base = name.rpartition(".")[0]
    if base and facts.get(base) is not None:
        clear(base, facts)  # who looks at a part has looked at the whole
    taint = facts.get(name)
    went = taint.via if taint is not None else frozenset()
    for other, known in list(facts.items()):
        if other == name or other.startswith(f"{name}.") or (known and (name in known.via or other in went)):
            facts[other] = None
    facts[name] = None
