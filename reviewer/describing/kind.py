"""Which kind of change it is, as far as paths and facts tell."""

from __future__ import annotations

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


def of_facts(facts: Facts) -> Kind:
    """Guess the kind by which symbols are new, gone and changed, where no model can be asked."""
    code = [each for each in facts.of(PathKind.CODE) if not each.only]
    if all(_restated(each) for each in code) or _moved(code):
        return Kind.REFACTORING
    new = sum(
        one.lines for each in code for one in each.new if not one.name.rpartition(".")[2].startswith("_")
    )
    new += sum(each.lines for each in code if each.status is FileStatus.ADDED and not each.new)
    old = sum(each.removed for each in code)
    added = sum(each.added for each in code)
    if not added:
        return Kind.REFACTORING
    if code and all(_widened(each) for each in code):
        return Kind.FEATURE
    return Kind.FEATURE if new >= added / 2 and added >= 2 * old else Kind.FIX


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
