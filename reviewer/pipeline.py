"""The table of contents of the program: from a change to a review.

    select → recall, or judge each hunk (recall.py, judgement.py) → silence → settle

Each hunk is read alone. What is cheap is asked of every hunk, what is dear only where the cheap evidence
points at something. Whatever is not said is counted with its reason.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from hunkwise.engine import Engine, errors
from hunkwise.reviewer import findings, hygiene
from hunkwise.reviewer.account import coverage, manifest
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.evidence import new_code
from hunkwise.reviewer.fingerprint import distinguish, fingerprint
from hunkwise.reviewer.judgement import Examined, Inquiry, inquiries, judge
from hunkwise.reviewer.precision import aim
from hunkwise.reviewer.recall import Memory, Recall
from hunkwise.reviewer.selection import Picked, excused, is_prose, select
from hunkwise.reviewer.silence import NOTHING, Silence, expired, part
from hunkwise.reviewer.types import Change, Finding, Hunk, Place, Rejected, Review, Severity

_CHECKED = "{}: checked for secrets and the like"
_NEW_CODE = "new code, of which there is no old text to compare with"
_PROSE = "prose, and confidence is measured on code"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a review is: `done` of `total` hunks. `found` is a finding just confirmed that clears every bar.

    Whether it is said is settled at the end: of twins one is, and of many the best.
    `recalled` of those done were not read now, but as they stand in an earlier review.
    """

    done: int
    total: int
    path: str = ""
    found: Finding | None = None
    recalled: int = 0


Observer = Callable[[Progress], None]


def review(
    change: Change,
    config: Config,
    engine: Engine,
    *,
    guidelines: str = "",
    silence: Silence = NOTHING,
    memory: Memory | None = None,
    observer: Observer = lambda progress: None,
    clock: Callable[[], float] = time.monotonic,
) -> Review:
    """Review a change. Deterministic: the same change, settings and engine give an equal `Review`.

    With a memory, a hunk that an earlier review read is not read again (recall.py), and what is read is kept.

    A hunk that is too long, or on which the engine fails, becomes `Skipped(fault=True)`, and the review is
    incomplete. Other errors of the engine are raised, and so is a failure on every hunk. Raises UsageError for a
    precision that the model can't be held to.
    """
    change = excused(change, config.include, config.exclude)
    picked, passed_over = select(change, config.include, config.exclude)
    if picked:
        config = aim(config, engine)
    deadline = clock() + config.max_time if config.max_time else math.inf
    asked = inquiries(picked, Inquiry(change, config, engine, guidelines))

    def settle(made: Sequence[Finding]) -> tuple[tuple[Finding, ...], tuple[Rejected, ...]]:
        heard, silenced = part(made, change, silence)
        said, unsaid = findings.settle(heard, bar(config), floors(change, config))
        return said, (*unsaid, *silenced)

    unasked = _unasked(picked)
    examined = _examine_all(
        asked, Recall(memory, asked), unasked, settle, observer, late=lambda: clock() >= deadline
    )
    failures = [result.failure for result in examined if result.failure]
    read = [pick for pick in picked if pick.place not in unasked]
    if failures and len(failures) == len(read):
        raise failures[0]
    made = distinguish([found for result in examined for found in result.findings])
    said, unsaid = settle(made)
    whole = {pick.place: replace(pick, piece=None) for pick in picked}
    left_out = [whole[place].skipped(_CHECKED.format(why)) for place, why in unasked.items()]
    skipped = (
        *change.skipped,
        *passed_over,
        *left_out,
        *(skip for result in examined for skip in result.skipped),
    )
    return Review(
        findings=said,
        rejected=(*(drop for result in examined for drop in result.rejected), *unsaid),
        skipped=skipped,
        coverage=coverage(read, skipped),
        manifest=manifest(config, engine, expired(made, silence)),
        base=change.base,
        head=change.head,
    )


def _examine_all(
    asked: Sequence[tuple[Picked, Inquiry]],
    recall: Recall,
    unasked: Collection[Place],
    settle: Callable[[Sequence[Finding]], tuple[Sequence[Finding], Sequence[Rejected]]],
    observer: Observer,
    *,
    late: Callable[[], bool],
) -> list[Examined]:
    """Recall or examine each hunk, and tell the observer of what is found as it comes."""
    examined: list[Examined] = []
    recalled = 0
    for number, (pick, inquiry) in enumerate(asked):
        observer(Progress(number, len(asked), pick.file.path, recalled=recalled))
        result = recall.of(number)
        if result is not None:
            recalled += 1
        elif late():
            result = _out_of_time(pick)
        else:
            result = Examined() if pick.place in unasked else examine(pick, inquiry)
            recall.keep(number, result)
        result = replace(result, findings=(*_checks(pick), *result.findings))
        examined.append(result)
        for found in settle(result.findings)[0]:
            observer(Progress(number + 1, len(asked), pick.file.path, found, recalled))
    observer(Progress(len(asked), len(asked), recalled=recalled))
    return examined


def examine(pick: Picked, inquiry: Inquiry) -> Examined:
    """Have the model read one hunk; what it can't read becomes a stated fault."""
    try:
        return judge(pick, inquiry)
    except errors.PromptTooLong as error:
        reason = f"needs {error.tokens} tokens, the context holds {error.limit}"
        return Examined(skipped=(pick.skipped(reason, fault=True),))
    except errors.NativeFailure as error:
        return Examined(skipped=(pick.skipped(str(error), fault=True),), failure=error)


def bar(config: Config) -> findings.Bar:
    """Give what a finding must reach under these settings."""
    return findings.Bar(config.min_severity, config.min_confidence, config.max_comments)


def floors(change: Change, config: Config) -> tuple[tuple[str, Severity], ...]:
    """Give the paths for which a rule sets its own least severity; the last rule that matches wins."""
    return tuple(
        (file.path, rule.min_severity)
        for file in change.files
        for rule in config.rules
        if rule.min_severity is not None and Picked(file, 0, None).matches(rule.paths)
    )


def _out_of_time(pick: Picked) -> Examined:
    return Examined(skipped=(pick.skipped("not reached within --max-time", fault=True),))


def _unasked(picked: Sequence[Picked]) -> dict[Place, str]:
    """Find the hunks that the model is not asked about, with the reason; of a large one, its pieces have one."""
    hunks = {pick.place: pick.whole for pick in picked}
    return {place: why for place, hunk in hunks.items() if (why := _why_unasked(place.path, hunk))}


def _why_unasked(path: str, hunk: Hunk) -> str:
    if is_prose(path):
        return _PROSE
    return _NEW_CODE if new_code(path, hunk) else ""


def _checks(pick: Picked) -> tuple[Finding, ...]:
    """Make the remarks that need no model."""
    return tuple(_checked(pick, remark) for remark in hygiene.remarks(pick.file, pick.hunk))


def _checked(pick: Picked, remark: hygiene.Remark) -> Finding:
    """Turn a remark of a check into a finding; a secret's line is not shown."""
    text = next(line.text for line in pick.hunk.added if line.new_no == remark.line)
    code = (hygiene.redact(text),)
    return Finding(
        path=pick.file.path,
        part=pick.file.part,
        start_line=remark.line,
        end_line=remark.line,
        severity=remark.severity,
        category=remark.category,
        title=remark.title,
        message=remark.message,
        confidence=1.0,
        calibrated=True,
        fingerprint=fingerprint(pick.file.path, code, pick.hunk.section, remark.title),
        code=code,
    )
