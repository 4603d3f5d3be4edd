"""What a review covered, and what made it."""

from __future__ import annotations

from collections.abc import Sequence

from hunkwise.engine import Engine
from hunkwise.reviewer import prompt
from hunkwise.reviewer.config import Config, plain
from hunkwise.reviewer.layer import layer_for
from hunkwise.reviewer.selection import Picked, changed_lines
from hunkwise.reviewer.types import Coverage, Manifest, Place, Skipped
from hunkwise.reviewer.version import VERSION


def coverage(picked: Sequence[Picked], skipped: Sequence[Skipped]) -> Coverage:
    """Count what was looked at. A hunk cut into pieces counts once, and is reviewed if every piece was read.

    What could not even be picked for a fault counts as one hunk, with as many lines as are known of it.
    """
    asked = {pick.place: changed_lines(pick.whole) for pick in picked}
    faults = [skip for skip in skipped if skip.fault]
    missed = {_place(skip) for skip in faults}
    unread = sum(skip.lines for skip in skipped if _place(skip) in asked)
    others = [skip for skip in faults if _place(skip) not in asked]
    files = {pick.file.key for pick in picked}
    incomplete = {(skip.path, skip.part) for skip in faults}
    return Coverage(
        files=len(files | incomplete),
        files_reviewed=len(files - incomplete),
        hunks=len(asked) + len(others),
        hunks_reviewed=len(asked.keys() - missed),
        lines=sum(asked.values()) + sum(skip.lines for skip in others),
        lines_reviewed=sum(asked.values()) - unread,
    )


def _place(skip: Skipped) -> Place | None:
    return None if skip.hunk is None else Place(skip.path, skip.part, skip.hunk)


def manifest(config: Config, engine: Engine, expired: int = 0) -> Manifest:
    """Record what makes the review, so that it can be made again.

    `expired` counts the findings that a baseline silenced until its last day for them.
    """
    card = engine.card()
    names = (
        "language",
        "min_severity",
        "min_confidence",
        "precision_target",
        "max_comments",
        "effort",
        "context_tokens",
        "remember",
    )
    return Manifest(
        version=VERSION,
        model=card.model,
        model_digest=card.digest,
        prompt_digest=prompt.prompt_digest(),
        calibration=layer_for(card.digest).digest,
        engine=card.build,
        settings={
            **card.settings,
            **{name: plain(getattr(config, name)) for name in names},
            **({"baseline_expired": expired} if expired else {}),
        },
    )
