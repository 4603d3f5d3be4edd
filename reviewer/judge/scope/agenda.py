"""What a review has to do with a change, told before any model is opened.

Every door (`review`, the hook, the action) goes by this one answer: what the model is asked about, what only the
checks that need no model look at, and what is left out for which reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hunkwise.reviewer.checks.files import language_of
from hunkwise.reviewer.config.settings import ProjectSettings
from hunkwise.reviewer.judge.likelihood.blocks import blocks
from hunkwise.reviewer.judge.likelihood.sides import comment_lines
from hunkwise.reviewer.judge.scope.askable import NEW_CODE, Told, hidden, told_of, unread
from hunkwise.reviewer.judge.scope.selection import ReviewUnit, excused, is_ours, select
from hunkwise.reviewer.languages.prose import is_prose
from hunkwise.reviewer.types import Change, FileDiff, FileKey, HunkContext, Place, Skipped

RULED = "read by rules"
CHECKED = "checked for secrets and the like"
LATE = "not reached within --max-time"
_UNWANTED = "no model was to be asked"
_COMMENTS = "comments and docstrings, which are not read"
_PROSE = "prose, and confidence is measured on code"


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is to be done. Each changed line is in one hunk of `asked` or counted in one of `skipped`.

    `asked` has large hunks in pieces; `told` is what is known of their files. `checked` are whole hunks, also
    of what is not asked about; `inspected` are the files that rules read, `open_to_others` those of which other
    tools may speak, `readable` the hunks with new text of code, which a model may be asked about in words. Where a
    part of an asked hunk is left out, `skipped` names the hunk too.
    """

    change: Change
    asked: tuple[ReviewUnit, ...]
    checked: tuple[ReviewUnit, ...]
    skipped: tuple[Skipped, ...]
    told: Mapping[FileKey, Told]
    inspected: tuple[FileDiff, ...] = ()
    open_to_others: tuple[FileDiff, ...] = ()
    readable: tuple[ReviewUnit, ...] = ()

    @property
    def empty(self) -> bool:
        """True if there is nothing to ask and nothing to check."""
        return not self.asked and not self.checked


TimeLeft = Callable[[], float]
"""Gives the seconds that are left; at 0 the work ends, and what was not done is named."""


def agenda(
    change: Change,
    config: ProjectSettings,
    time_left: TimeLeft = lambda: math.inf,
    *,
    modelled: bool = True,
) -> Agenda:
    """Go through a change, without a model. Where none is to be asked (not `modelled`), nothing is.

    Raises ConfigError for a bad glob.
    """
    change = excused(change, config.include, config.exclude)
    picked, passed_over = select(change, config.include, config.exclude)
    files = {pick.file.key: pick.file for pick in picked if _why_whole(pick) == ""}
    told = told_of(tuple(files.values()), change.text, lambda: time_left() > 0)
    asked: list[ReviewUnit] = []
    readable: list[ReviewUnit] = []
    left: dict[Place, Counter[str]] = {}
    late: list[Skipped] = []
    for pick in picked:
        if why := _why_whole(pick):
            reasons = Counter({why: pick.changed_lines})
        elif pick.file.key in told and time_left() > 0:
            reasons = _unread(pick, told) if modelled else Counter({_UNWANTED: pick.changed_lines})
        else:
            late.append(pick.skipped(LATE, fault=True))
            continue
        some_read = reasons.total() < pick.changed_lines
        if modelled and pick.hunk.added and why != _PROSE and (some_read or NEW_CODE in reasons):
            readable.append(pick)
        if some_read:
            asked.append(replace(pick, unread=reasons.total()))
        left.setdefault(pick.place, Counter()).update(reasons)
    checked = tuple(_checked(change, lambda path: is_ours(path, config.include, config.exclude)))
    read = {pick.place for pick in asked}
    looked_at = {pick.place for pick in checked}
    inspected = {pick.file.key: pick.file for pick in picked if language_of(pick.file.path)}
    unasked = (
        skip
        for place, reasons in left.items()
        for skip in _left_out(
            place,
            reasons,
            asked=place in read,
            instead=[RULED] * ((place.path, place.part) in inspected) + [CHECKED] * (place in looked_at),
        )
    )
    looked_at_files = {pick.file.key for pick in checked}
    passed = (
        replace(skip, reason=f"{skip.reason}; {CHECKED}") if skip.key in looked_at_files else skip
        for skip in passed_over
    )
    skipped = (*change.skipped, *passed, *unasked, *late)
    others = {pick.file.key: pick.file for pick in picked}
    return Agenda(
        change,
        tuple(asked),
        checked,
        skipped,
        told,
        tuple(inspected.values()),
        tuple(others.values()),
        tuple(readable),
    )


def _why_whole(pick: ReviewUnit) -> str:
    """Say why a whole hunk is not asked about, as far as a look at it tells."""
    if is_prose(pick.file.path):
        return _PROSE
    return "" if any(line.kind == "removed" for line in pick.hunk.lines) else NEW_CODE


def without_model(todo: Agenda, reason: str) -> Agenda:
    """Leave the checks on an agenda; all that a model was to be asked about is a fault with this reason."""
    missed = tuple(pick.skipped(reason, fault=True) for pick in todo.asked)
    return replace(todo, asked=(), readable=(), skipped=(*todo.skipped, *missed))


def without_likelihood(todo: Agenda, reason: str) -> Agenda:
    """Leave what a model is asked in words on an agenda, in place of the likelihood of texts."""
    places = {pick.place for pick in todo.readable}
    missed = tuple(pick.skipped(reason, fault=True) for pick in todo.asked if pick.place not in places)
    return replace(todo, asked=(), skipped=(*todo.skipped, *missed))


def _unread(pick: ReviewUnit, told: Mapping[FileKey, Told]) -> Counter[str]:
    """Count the changed lines of which no remark of the model's can come, by reason."""
    known = told[pick.file.key]
    bare = HunkContext(
        pick.file,
        pick.hunk,
        pick.hunk_index,
        refactorings=known.pairs,
        codes=known.codes,
        repeated=known.repeated,
    )
    context = hidden(bare)  # as the model will read it
    reasons: Counter[str] = Counter()
    for block in blocks(pick.hunk):
        changed = sum(pick.hunk.lines[at].kind != "context" for at in block)
        if reason := unread(context, block):
            reasons[reason] += changed
        elif dropped := comment_lines(context, block):
            reasons[_COMMENTS] += dropped
    return reasons


def _left_out(
    place: Place, reasons: Counter[str], *, asked: bool, instead: Sequence[str]
) -> Iterator[Skipped]:
    """Say what of a hunk is left out; of one that is not asked about at all, with one reason and what is done."""
    if not asked:
        why = NEW_CODE if NEW_CODE in reasons else next(iter(reasons))
        reasons = Counter({": ".join(filter(None, (why, ", ".join(instead)))): reasons.total()})
    for reason, lines in reasons.items():
        yield Skipped(place.path, reason, place.hunk, part=place.part, lines=lines)


def _checked(change: Change, ours: Callable[[str], bool]) -> Iterator[ReviewUnit]:
    """Give the hunks that add text to any file but those that the configuration excludes."""
    for file in change.files:
        if any(hunk.new_length for hunk in file.hunks) and not file.submodule and ours(file.path):
            yield from (ReviewUnit(file, index) for index, hunk in enumerate(file.hunks) if hunk.added)
