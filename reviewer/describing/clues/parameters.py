"""Parameters of functions that come, go, or change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from hunkwise.reviewer.describing.clues.clue import LONGEST_QUOTE, Clue, Tells, joined, quoted

_SELF = frozenset({"self", "cls", "&self", "&mut self", "mut self", "this", "*", "/", "void"})


def parameters(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Clue]:
    """Word what became of the parameters of functions; `old` and `new` have the lines in which each begins."""
    for name in new:
        if name not in old or old[name] == new[name]:
            continue
        before, after = (_of(head, name.rpartition(".")[2]) for head in (old[name], new[name]))
        if before is None or after is None or before == after:
            continue
        come = [one for one in after if one not in before]
        gone = [one for one in before if one not in after]
        if not (come or gone) or max(map(len, [*come, *gone])) > LONGEST_QUOTE:
            continue
        short = ".".join(name.split(".")[-2:])
        if not gone:
            yield _clue("Add", come, "to", short)
        elif not come:
            yield _clue("Remove", gone, "from", short)
        elif len(come) == len(gone) == 1:
            yield Clue(Tells.RUN, f"Change parameter {quoted(gone[0])} to {quoted(come[0])}", 2, "in", short)


def _clue(verb: str, names: Sequence[str], join: str, place: str) -> Clue:
    count = len(names)
    what = joined(list(map(quoted, names))) if count < 3 else ""
    noun = "parameter" if count == 1 else "parameters"
    return Clue(Tells.RUN, f"{verb} {noun} {what}" if what else f"{verb} {count} {noun}", count, join, place)


def _of(head: str, name: str) -> list[str] | None:
    """Give the parameters of a function; None where they are not all in its first lines."""
    start = re.search(
        rf"(?<!\w){re.escape(name)}\s*(?:<[^<>()]{{0,80}}>|\[[^\[\]()]{{0,80}}\])?\s*\(|=\s*(?:async\s*)?\(",
        head,
    )
    if start is None:
        return None
    found, depth, at = [""], 1, start.end()
    for before, char in pairwise(head[at - 1 :]):
        depth += (char in "([{<") - (char in ")]}" or (char == ">" and before not in "-="))
        if depth < 1 and char == ")":
            return [" ".join(one.split()) for one in found if one.strip() and one.strip() not in _SELF]
        if char == "," and depth == 1:
            found.append("")
        else:
            found[-1] += char
    return None
