"""The `flow:` part of a rule: what it may hold, and whether it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hunkwise.reviewer.checks.flow.steps.grammar import grammar
from hunkwise.reviewer.checks.needs import Need, every, needs, once, one_of
from hunkwise.reviewer.checks.patterns import asked

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Entries = tuple[Mapping[str, Any], ...]

_SOMETIMES = ("every path", "any path", "some path")
# kind: what it must hold, what it may hold (lists of entries), and other keys
_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "taint": (("sources", "sinks"), ("cleaners", "checks"), ("start",)),
    "obligation": (("open", "close"), ("uses", "escapes"), ("on", "throws")),
    "state": (("begin", "use"), ("end",), ("on",)),
    "unread": (("assign",), (), ("of",)),
}
_RULE = {
    "pattern", "kind", "regex", "nthChild", "range", "inside", "has", "precedes", "follows", "all", "any", "not",
    "matches", "constraints", "utils",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spec:
    """A flow as a rule asks for it. `sets` are the named sources, resolved later by language."""

    kind: str
    entries: Mapping[str, Entries]
    sets: tuple[str, ...] = ()
    on: str = "every path"
    of: str = ""
    throws: bool = False
    start: bool = False

    def __getitem__(self, name: str) -> Entries:
        return self.entries.get(name, ())


@dataclass(frozen=True, slots=True)
class Flow:
    """A place that a remark is about, and the nodes that tell of it, by name."""

    node: SgNode
    names: Mapping[str, SgNode]


@once
def read_spec(data: Mapping[str, Any], language: str) -> Spec:
    """Read the `flow:` of a rule. Raises ValueError that says what is wrong."""
    if not isinstance(data, Mapping):
        raise ValueError("flow must be a mapping of keys to values")
    data = {
        "on" if str(name) == "True" else name: value for name, value in data.items()
    }  # what YAML reads `on` as
    kind = data.get("kind")
    if kind not in _KINDS:
        raise ValueError(f"flow: kind must be one of {', '.join(_KINDS)}")
    needed, optional, others = _KINDS[kind]
    for name in data:
        if name not in ("kind", *needed, *optional, *others):
            raise ValueError(f"flow: {name!r:.40} is no key of kind {kind}")
    for name in needed:
        if not data.get(name):
            raise ValueError(f"flow: {name} is missing")
    known = grammar(language).sources
    sets: list[str] = []
    entries: dict[str, Entries] = {}
    for name in (*needed, *optional):
        entries[name] = tuple(_entries(data.get(name, []), name, sets if name == "sources" else None))
    for name in sets:
        if name != "parameter" and name not in known:
            raise ValueError(
                f"flow: no sources named {name!r:.40} for {language}; there are {', '.join(known)}"
            )
    on, of, throws = data.get("on", "every path"), data.get("of", ""), data.get("throws", False)
    if on not in _SOMETIMES:
        raise ValueError(f"flow: on must be one of: {', '.join(_SOMETIMES)}")
    if not isinstance(of, str) or (kind == "unread" and not of):
        raise ValueError("flow: of must name a metavariable of assign")
    start = data.get("start", False)
    if not isinstance(throws, bool) or not isinstance(start, bool):
        raise ValueError("flow: throws and start are true or false")
    for entry in entries.get("sinks", ()):
        if "$SINK" not in repr(entry) and "$$$SINK" not in repr(entry):
            raise ValueError("flow: every sink names with $SINK the part that must not come from a source")
    return Spec(kind, entries, tuple(sets), on, of, throws, start)


def check_spec(data: Mapping[str, Any], language: str) -> None:
    """Tell whether a flow can be looked for in a language. Raises ValueError that says what is wrong."""
    from hunkwise.reviewer.languages.syntax import Refused, find_all, tree

    spec = read_spec(data, language)
    root = tree(language, "")
    for name, entries in spec.entries.items():
        for entry in entries:
            try:
                find_all(root, asked(entry, language))
            except Refused as error:
                raise ValueError(f"flow: {name}: {error}") from None


def _entries(value: object, name: str, sets: list[str] | None) -> Sequence[Mapping[str, Any]]:
    values = value if isinstance(value, list) else [value]
    entries: list[Mapping[str, Any]] = []
    for each in values:
        if isinstance(each, str) and sets is not None:
            sets.append(each)
        elif isinstance(each, Mapping) and each and set(each) <= _RULE:
            entries.append(each)
        else:
            raise ValueError(f"flow: {name} must be a list of ast-grep rules, not {each!r:.60}")
    return entries


def triggers(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Give the rules of which one must match before a flow is looked for; a wrong one is told later."""
    first = {"taint": "sinks", "obligation": "open", "state": "begin", "unread": "assign"}
    entries = data.get(first.get(str(data.get("kind")), ""), [])
    return entries if isinstance(entries, list) else [entries]


def flow_needs(data: Mapping[str, Any], language: str) -> Need:
    """Give what a text needs for a flow to be found: what it begins with, and a source where it has some."""
    begin = one_of(needs(entry) for entry in triggers(data))
    sources = data.get("sources", [])
    if data.get("kind") != "taint" or not isinstance(sources, list) or "parameter" in sources:
        return begin
    known = grammar(language).sources
    entries = [
        entry for each in sources for entry in (known.get(each, ()) if isinstance(each, str) else (each,))
    ]
    return every([begin, one_of(needs(entry) for entry in entries)])
