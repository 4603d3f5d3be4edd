"""What came of hearing other tools, and how it is put together with what our own rules say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hunkwise.reviewer.types import Finding, Skipped


@dataclass(frozen=True, slots=True)
class Claim:
    """What tools say of some lines. `names` are those of their rules, as rules of ours name them."""

    finding: Finding
    kind: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What other tools say. `names` are the tools, `readers` those that were run over each file, by its path.

    `notes` is what the user should know, a sentence each. `elsewhere` says whether the rest of the repository was
    looked at, "" where that is not wanted.
    """

    claims: tuple[Claim, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    names: tuple[str, ...] = ()
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    elsewhere: str = ""


UNHEARD = Analysis()


def joined(
    ours: Sequence[Finding], theirs: Sequence[Claim], also: Mapping[str, frozenset[str]]
) -> tuple[Finding, ...]:
    """Put both together: what a rule of ours says too is its remark, with both as witnesses.

    `also` gives for a rule of ours the names of the same check in other tools.
    """
    found = list(ours)
    at: dict[tuple[str, int, str], int] = {}
    for index, finding in enumerate(found):
        for name in also.get(finding.source.rule, ()) if not finding.part else ():
            for number in range(finding.start_line, finding.end_line + 1):
                at.setdefault((finding.path, number, name), index)
    for claim in theirs:
        lines = range(claim.finding.start_line, claim.finding.end_line + 1)
        keys = ((claim.finding.path, number, name) for number in lines for name in sorted(claim.names))
        twin = next((at[key] for key in keys if key in at), None)
        if twin is None:
            found.append(claim.finding)
        else:
            witnesses = dict.fromkeys((*found[twin].witnesses, *claim.finding.witnesses))
            found[twin] = replace(found[twin], witnesses=tuple(witnesses))
    return tuple(found)
