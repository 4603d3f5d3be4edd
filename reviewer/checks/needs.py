"""What must stand in a text for a rule to match there: asked before the rule, which costs far more to look for.

What a rule needs is told once, as `needs` of texts joined by "all of" and "any of". A text answers each question
once, whichever rules ask it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache, cached_property
from typing import Any, TypeVar

from hunkwise.reviewer.checks.literals import needed

META = re.compile(r"\$\$\$([A-Z_][A-Z0-9_]*)?|\$([A-Z_][A-Z0-9_]*)")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_MOST_KEPT = 20_000  # answers about rules
_WHOLE_WORDS = re.compile(r"\\b(?:([A-Za-z_]\w*)|\((?:\?:)?([A-Za-z_]\w*(?:\|[A-Za-z_]\w*)*)\))\\b", re.ASCII)
_PLAIN = re.compile(r"\w+", re.ASCII)

# What stands in the text of a node of some kinds, in every language, in small letters
_KEYWORDS = {
    "assert_statement": "assert", "await": "await", "await_expression": "await", "catch_clause": "catch",
    "class_definition": "class", "defer_statement": "defer", "do_statement": "do",
    "enhanced_for_statement": "for", "except_clause": "except", "finally_clause": "finally",
    "for_in_statement": "for", "for_statement": "for", "go_statement": "go", "goto_statement": "goto",
    "instanceof_expression": "instanceof",
    "new_expression": "new", "raise_statement": "raise", "select_statement": "select",
    "switch_statement": "switch", "synchronized_statement": "synchronized", "throw_statement": "throw",
    "try_statement": "try", "while_statement": "while", "with_statement": "with",
}  # fmt: skip

Need = str | tuple[Callable[[Iterable[bool]], bool], tuple["Need", ...]]
"""A text that must be there, or (all, needs), or (any, needs). A text is one of these forms:

`=Word` a whole word, `~word` one in small or capital letters, `*text` anything in small or capital letters.
"""
_NOTHING: Need = (all, ())

Kept = TypeVar("Kept")


def once(function: Callable[..., Kept]) -> Callable[..., Kept]:
    """Keep what a function makes of a rule, or a part of one, as long as the very same is given."""
    kept: dict[tuple[Hashable, ...], tuple[object, Kept]] = {}

    def asked(rule: object, *more: Hashable) -> Kept:
        key = (id(rule), *more)
        found = kept.get(key)
        if found is None:
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            found = kept[key] = (
                rule,
                function(rule, *more),
            )  # which keeps the rule, so that its id stays its own
        return found[1]

    return asked


class Text:
    """A text as it is asked whether a rule can match in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._holds: dict[str, bool] = {}
        self._found: dict[str, bool] = {}

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(WORD.findall(self.text))

    @cached_property
    def _small_words(self) -> frozenset[str]:
        return frozenset(self._joined.split())

    @cached_property
    def _joined(self) -> str:
        """Each word once, which is far shorter than the text."""
        return " ".join({*self._words, *re.findall(r"\d\w*", self.text)}).lower()

    @cached_property
    def _small(self) -> str:
        return self.text.lower()

    def meets(self, need: Need) -> bool:
        """Tell whether what is needed stands here."""
        if isinstance(need, str):
            held = self._holds.get(need)
            if held is None:
                held = self._holds[need] = self._holding(need)
            return held
        joined, needs = need
        return joined(map(self.meets, needs))

    def lacks(self, words: frozenset[str]) -> bool:
        """Tell whether none of these words stands here."""
        return self._words.isdisjoint(words)

    def _holding(self, need: str) -> bool:
        if need[0] == "=":
            return need[1:] in self._words
        if need[0] == "~":
            return need[1:] in self._small_words
        return need[1:] in (self._joined if _is_plain(need) else self._small)

    def matches(self, regex: str) -> bool:
        """Tell whether a regular expression of Python's matches somewhere."""
        found = self._found.get(regex)
        if found is None:
            found = self._found[regex] = self.meets(of_regex(regex)) and (
                bool(whole_words(regex)) or _compiled(regex).search(self.text) is not None
            )
        return found


@cache
def _is_plain(need: str) -> bool:
    return _PLAIN.fullmatch(need, 1) is not None


def words_of(need: Need) -> frozenset[str] | None:
    """Give words of which one must stand where a need is met; None where it is not told by whole words."""
    if isinstance(need, str):
        return frozenset({need[1:]}) if need[0] == "=" else None
    joined, parts = need
    told = [words_of(part) for part in parts]
    known = [words for words in told if words is not None]
    if joined is all:
        return min(known, key=len, default=None)
    return frozenset().union(*known) if len(known) == len(told) else None


@cache
def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex)


@cache
def whole_words(regex: str) -> tuple[str, ...]:
    """Give the words of a regular expression that is for whole words alone; () for any other."""
    found = _WHOLE_WORDS.fullmatch(regex)
    return tuple((found[1] or found[2]).split("|")) if found else ()


@cache
def of_regex(regex: str) -> Need:
    """Give what a regular expression needs; of one of whole words that is all there is to it."""
    if words := whole_words(regex):
        return one_of(f"={word}" for word in words)
    texts = needed(regex)
    return one_of(f"*{text}" for text in texts) if texts else _NOTHING


@once
def needs(rule: Any, around: bool = True) -> Need:
    """Give what a rule of ast-grep needs.

    Without `around` the text is that of a node, and what a rule says of the node's surroundings is not asked.
    """
    return every(_needs(rule, around)) if isinstance(rule, Mapping) else _NOTHING


def _needs(rule: Mapping[str, Any], around: bool) -> Iterable[Need]:
    pattern = rule.get("pattern")
    if isinstance(pattern, Mapping):
        pattern = None if "selector" in pattern else pattern.get("context")
    if isinstance(pattern, str):
        yield from (f"={word}" for word in sorted(set(WORD.findall(META.sub(" ", pattern)))))
    if isinstance(kind := rule.get("kind"), str) and kind in _KEYWORDS:
        yield f"~{_KEYWORDS[kind]}"
    if isinstance(regex := rule.get("regex"), str):
        yield of_regex(regex)
    for part in rule.get("all") or ():
        yield needs(part, around)
    if choices := rule.get("any"):
        yield one_of(needs(part, around) for part in choices)
    yield needs(rule.get("has"), around)
    if around:
        yield needs(rule.get("inside"), True)


def every(parts: Iterable[Need]) -> Need:
    """Join needs of which all must be met."""
    left: dict[Need, None] = {}
    for part in parts:
        if not isinstance(part, str) and part[0] is all:
            left.update(dict.fromkeys(part[1]))
        else:
            left[part] = None
    return next(iter(left)) if len(left) == 1 else (all, tuple(sorted(left, key=_cost)))


def _cost(need: Need) -> int:
    """Tell about how dear a question is: the cheap ones first, for most are answered with no."""
    return 1 if isinstance(need, str) else sum(map(_cost, need[1]))


def one_of(parts: Iterable[Need]) -> Need:
    """Join needs of which one must be met."""
    left = dict.fromkeys(parts)
    return _NOTHING if _NOTHING in left else next(iter(left)) if len(left) == 1 else (any, tuple(left))
