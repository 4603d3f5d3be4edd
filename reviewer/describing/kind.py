"""Which kind of change it is, as far as paths and facts tell."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from hunkwise.reviewer.describing.clues.log import is_log
from hunkwise.reviewer.describing.description import Kind
from hunkwise.reviewer.describing.facts import Facts, FileFacts, PathKind
from hunkwise.reviewer.types import FileStatus


def of_paths(facts: Facts) -> Kind | None:
    """Tell the kind where the paths, and that nothing but comments changed, leave no doubt."""
    kinds = facts.kinds
    if PathKind.CODE in kinds:
        code = facts.of(PathKind.CODE)
        if all(each.only == "comments" for each in code) and not kinds & {
            PathKind.DEPENDENCIES,
            PathKind.BUILD,
        }:
            return Kind.DOCS
        if all(each.only in ("blanks", "imports", "comments") for each in code):
            return Kind.CHORE
        return None
    if kinds <= {PathKind.TESTS, PathKind.SETTINGS} and PathKind.TESTS in kinds:
        return Kind.TESTS
    if kinds <= {PathKind.DOCS, PathKind.SETTINGS} and PathKind.DOCS in kinds:
        return Kind.DOCS
    return Kind.CHORE


_GUESSED = (Kind.FIX, Kind.FEATURE, Kind.REFACTORING)
_BIAS = (0.3, -0.2, -0.1)
_WEIGHTS: dict[
    str, tuple[float, float, float]
] = {  # fitted by commits whose messages tell the kind (docs/describe.md)
    "grows": (0.1, 0.6, -0.6),
    "little": (0.2, -0.4, 0.1),
    "some": (0.2, 0.0, -0.2),
    "shrinks": (-0.2, -0.3, 0.5),
    "nothing gone": (0.0, 0.2, -0.2),
    "new file": (-0.5, 0.3, 0.2),
    "restated": (-0.1, -0.1, 0.2),
    "documents too": (-0.3, 0.7, -0.4),
    "new tests": (0.6, 0.3, -0.9),
    "gone symbol": (-0.3, -0.1, 0.5),
    "large": (-0.5, 0.3, 0.2),
    "one file": (0.4, -0.1, -0.3),
    "shared name": (-0.6, 0.7, -0.2),
}
_LARGE = 150  # changed lines
_SURE = 0.5  # a kind that is less likely is not said


def of_facts(facts: Facts) -> Kind:
    """Guess the kind by which symbols are new, gone and changed; CHANGE where none is likely enough."""
    code = [each for each in facts.of(PathKind.CODE) if not each.only]
    if not any(each.lines or each.moved for each in code):
        return Kind.CHORE
    if all(_restated(each) or not each.added for each in code) or _moved(code):
        return Kind.REFACTORING
    if all(_widened(each) or each.status is FileStatus.ADDED for each in code):
        return Kind.FEATURE
    if all(each.swaps and all(swap and swap.is_version for swap in each.swaps) for each in code):
        return Kind.CHORE
    held = [name for name, holds in _signs(facts, code).items() if holds]
    sums = [exp(bias + sum(_WEIGHTS[name][at] for name in held)) for at, bias in enumerate(_BIAS)]
    best = max(range(len(sums)), key=sums.__getitem__)
    return _GUESSED[best] if sums[best] >= _SURE * sum(sums) else Kind.CHANGE


def _signs(facts: Facts, code: Sequence[FileFacts]) -> dict[str, bool]:
    added, removed = (sum(each.code[side] for each in code) for side in (0, 1))
    return {
        "grows": added >= 3 * removed,
        "little": added + removed <= 6,
        "some": 6 < added + removed <= 30,
        "shrinks": removed > added,
        "nothing gone": removed == 0,
        "new file": any(each.status is FileStatus.ADDED for each in code),
        "restated": all(_restated(each) for each in code),
        "documents too": any(not is_log(each.path) for each in facts.of(PathKind.DOCS)),
        "new tests": any(each.tests for each in facts.files),
        "gone symbol": any(each.gone for each in code),
        "large": sum(each.lines for each in code) > _LARGE,
        "one file": len(code) == 1,
        "shared name": any(one.verb == "Add" for one in facts.themes),
    }


def _widened(one: FileFacts) -> bool:
    """Tell whether all that changed is that a function takes more."""
    swap = one.swap
    return swap is not None and not swap.old and bool(swap.inside) and f"{swap.inside}(" in swap.line


def _restated(one: FileFacts) -> bool:
    return bool(one.renamed) or one.moved


def _moved(code: list[FileFacts]) -> bool:
    new = {one.short for each in code for one in each.new}
    gone = {one.short for each in code for one in each.gone}
    return bool(new) and new == gone
