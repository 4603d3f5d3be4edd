"""Calls elsewhere that use what a function gave before, where what it gives is another kind of thing now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from hunkwise.reviewer.knowledge.reach.calls import calls, counted
from hunkwise.reviewer.knowledge.reach.definitions import Changed, paired
from hunkwise.reviewer.knowledge.reach.modules import SCRIPTS
from hunkwise.reviewer.knowledge.reach.values import Place
from hunkwise.reviewer.knowledge.reach.world import World
from hunkwise.reviewer.languages.symbols.values import Mention, Symbol, Symbols

_EMPTY = frozenset({"none", "nothing"})
_PROMISE = re.compile(r"\.\s*(?:then|catch|finally)\b")

_CHAIN = re.compile(r"(?:[\w$]+(?:\([^()]*\)|\[[^\[\]]*\])?\s?(?:[?!]?\.|::|->)\s?)*\Z")
_OPEN = re.compile(
    r"(?:[-(\[,=+*/%&|<>?!^~\\]|\b(?:return|in|not|and|or|is|if|else|await|yield|from|throw))\Z"
)
_ENDS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_PART = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[()\[\]{}]")
_NAMES = re.compile(r"\s*(?:(?:const|let|var)\s+)?[\[({]?\s*([\w$.*, ]+?)\s*[\])}]?\s*:?=\s*(?:await\s+)?\Z")
_LONGEST_LINE, _LONGEST_CALL = 300, 4000


class Site(NamedTuple):
    """A call: the text of its line before it, and what follows it up to the end of the line."""

    before: str
    after: str

    @property
    def is_awaited(self) -> bool:
        """Whether its result is waited for on the spot."""
        return self.before.rstrip().endswith("await")

    @property
    def is_statement(self) -> bool:
        """Whether it stands alone, so that its result is dropped."""
        return not self.before.strip() and self.after in ("", ";")

    @property
    def targets(self) -> tuple[str, ...]:
        """The names that take its result, where it is all that stands behind `=`; () for none."""
        found = _NAMES.fullmatch(self.before) if self.after in ("", ";") else None
        return tuple(part.strip() for part in found[1].split(",") if part.strip()) if found else ()

    @property
    def is_looked_into(self) -> bool:
        """Whether a part of its result is taken on the spot."""
        return self.after.startswith((".", "[")) and not self.after.startswith("...")

    @property
    def is_tested(self) -> bool:
        """Whether it is a condition, or compared."""
        return re.search(r"(?:\b(?:el)?if|\bwhile|\bnot|!)\s*\(?\s*\Z", self.before) is not None


def site(text: str, at: int, name: str) -> Site | None:
    """Read what is around the call whose name starts at a place; None where that is not told by its line alone."""
    start = text.rfind("\n", 0, at) + 1
    end = _end(text, at + len(name))
    if at - start > _LONGEST_LINE or end is None:
        return None
    before = text[start:at]
    chain = _CHAIN.search(before)
    before = before[: chain.start()] if chain is not None else before
    above = text[max(0, start - _LONGEST_LINE) : start].rstrip().rpartition("\n")[2].partition(" #")[0]
    if not before.strip() and (_OPEN.search(above.rstrip()) or not chain):
        return None
    after = re.split(r"\n|\s#|\s//", text[end : end + _LONGEST_LINE], maxsplit=1)[0].strip()
    if not after and text[end : end + _LONGEST_LINE].lstrip().startswith("."):
        after = "."
    return Site(before, after)


def _end(text: str, at: int) -> int | None:
    """Tell where the brackets end that open right at a place."""
    if text[at : at + 1] != "(":
        return None
    depth = 0
    for part in _PART.finditer(text, at, at + _LONGEST_CALL):
        depth += _ENDS.get(part[0], 0)
        if not depth:
            return part.end()
    return None


# What is wrong with a call in a text, in words that follow its place; "" for nothing.
Judge = Callable[[Site, str], str]


def revalued(path: str, language: str, old: Symbols, new: Symbols) -> Iterator[Changed]:
    """Give the functions whose result is of another kind than it was."""
    for was, now in paired(old, new):
        if judge_of(language, was, now) is not None:
            yield Changed(path, language, was, now)


def stale(world: World, one: Changed, paths: set[str]) -> Iterator[Place]:
    """Find the calls that use the result as it was. Raises OutOfTime."""
    judge = judge_of(one.language, one.old, one.new) if one.new is not None else None
    if judge is None:
        return

    def wrong(use: Mention, rival: Symbol) -> str:
        return "" if judge_of(one.language, one.old, rival) is None else "another result"

    for path, use in calls(world, one, paths, wrong if one.language == "go" else lambda *_: ""):
        text = world.text(path) or ""
        here = site(text, use.at, use.name)
        why = judge(here, text) if here is not None else ""
        if why:
            yield Place(path, use.line, why)


def judge_of(language: str, was: Symbol, now: Symbol) -> Judge | None:
    """Choose how calls are judged, by what became of the result; None where nothing is to be said."""
    if language == "go":
        before, after = _count(was.type), _count(now.type)
        known = before != after and "…" not in was.type + now.type
        return (lambda here, _: _of_go(here, before, after)) if known else None
    if language != "python" and language not in SCRIPTS:
        return None
    turned = ("async" in now.marks) - ("async" in was.marks)
    if turned > 0:
        return _unawaited if language == "python" else _unawaited_promise
    if language != "python":
        return None
    old, new = frozenset(was.results), frozenset(now.results)
    if turned < 0:
        return _awaited if new <= _EMPTY else None
    if "yield" in old | new:
        return None
    if old - _EMPTY and new <= _EMPTY and "@abstractmethod" not in now.marks and now.end > now.line + 1:
        return lambda here, _: _used(here, "uses what it gives, which is always None now")
    sizes = [_size(each - _EMPTY) for each in (old, new)]
    if None not in sizes and sizes[0] != sizes[1]:
        before, after = sizes[0] or 0, sizes[1] or 0
        return lambda here, _: _unpacked(here, before, after)
    return None


def _size(results: frozenset[str]) -> int | None:
    """Tell how many values are given: 0 for one whose kind is not known; None where that differs."""
    if len(results) != 1:
        return None
    only = next(iter(results))
    return int(only.partition(":")[2]) if only.startswith("tuple:") else 0


def _unawaited(here: Site, text: str) -> str:
    if here.is_awaited:
        return ""
    if here.is_statement:
        return "calls it without await, so that it does not run"
    kept = len(here.targets) == 1 and not re.search(rf"\bawait\s+{re.escape(here.targets[0])}\b", text)
    return _used(here, "takes its result without await", kept)


def _unawaited_promise(here: Site, text: str) -> str:
    if here.is_awaited or _PROMISE.match(here.after):
        return ""
    if here.is_looked_into or here.is_tested or re.search(r"[\]}]\s*=\s*\Z", here.before):
        return "takes its result without await"
    return ""


def _awaited(here: Site, _: str) -> str:
    return "awaits it, and it is no coroutine any more" if here.is_awaited else ""


def _used(here: Site, why: str, kept: bool = True) -> str:
    used = here.is_looked_into or here.is_tested or len(here.targets) > 1 or (len(here.targets) == 1 and kept)
    return why if used and not here.is_awaited else ""


def _unpacked(here: Site, before: int, after: int) -> str:
    targets = here.targets
    starred = any("*" in each for each in targets)
    if len(targets) > 1 and before and after and len(targets) == before and not starred:
        return f"takes {before} values, and {after} are given"
    if not before and after and len(targets) != 1 and here.is_looked_into and here.after.startswith("."):
        return f"takes a part of one value, and {after} are given"
    return ""


def _of_go(here: Site, before: int, after: int) -> str:
    targets = here.targets
    if targets and len(targets) == before and before != after:
        verb = "is" if after == 1 else "are"
        return f"takes {counted(before, 'value')}, and {counted(after, 'value')} {verb} given"
    if before == 1 and (here.is_looked_into or here.is_tested):
        return f"uses it as one value, and {after} are given"
    return ""


def _count(results: str) -> int:
    """Count the values that a function of Go gives."""
    text = results.strip()
    if not text.startswith("("):
        return 1 if text else 0
    depth, count = 0, 1
    for one, following in pairwise(text):
        depth += (one in "([{") - (one in ")]}")
        count += one == "," and depth == 1 and following != ")"
    return count if text != "()" else 0
