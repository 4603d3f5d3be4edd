"""What a review covered, and what made it."""

from __future__ import annotations

from collections.abc import Sequence

from hunkwise.engine import Engine
from hunkwise.reviewer import prompt
from hunkwise.reviewer.config import Config, plain
from hunkwise.reviewer.layer import layer_for
from hunkwise.reviewer.selection import Picked
from hunkwise.reviewer.types import Coverage, Manifest, Skipped
from hunkwise.reviewer.version import VERSION


def coverage(picked: Sequence[Picked], skipped: Sequence[Skipped]) -> Coverage:
    """Count what was looked at. A hunk cut into pieces counts once, and only if every piece was read."""
    missed = {(skip.path, skip.hunk) for skip in skipped if skip.fault}
    lost_files = {path for path, hunk in missed if hunk is None}
    asked = {(pick.file.path, pick.hunk_index): pick for pick in picked}
    changed = {key: sum(line.kind != "context" for line in pick.whole.lines) for key, pick in asked.items()}
    read = [key for key in asked if key not in missed and key[0] not in lost_files]
    paths = {path for path, _ in asked}
    unread = {path for path, _ in asked.keys() - set(read)}
    over = len(lost_files - paths)
    return Coverage(
        files=len(paths) + over,
        files_reviewed=len(paths - unread),
        hunks=len(asked) + over,
        hunks_reviewed=len(read),
        lines=sum(changed.values()),
        lines_reviewed=sum(changed[key] for key in read),
    )


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
