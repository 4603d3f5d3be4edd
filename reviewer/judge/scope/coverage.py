"""What a review covered, and what made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hunkwise.engine import NO_CARD, Engine
from hunkwise.reviewer.config.settings import Config, plain
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.likelihood.calibration import layer_for
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.types import Coverage, Manifest, Skipped
from hunkwise.reviewer.version import VERSION


def coverage(
    picked: Sequence[ReviewUnit], checked: Sequence[ReviewUnit], skipped: Sequence[Skipped]
) -> Coverage:
    """Count what was looked at. A hunk cut into pieces counts once, and is reviewed if every piece was read.

    What could not even be picked for a fault counts as one hunk, with as many lines as are known of it. Of an
    asked hunk, lines that are left out on purpose (comments) do not count.
    """
    asked = {pick.place: replace(pick, piece=None).changed_lines for pick in picked}
    faults = [skip for skip in skipped if skip.fault]
    missed = {skip.place for skip in faults}
    inside = [skip for skip in skipped if skip.place in asked]
    unread = sum(skip.lines for skip in inside if skip.fault)
    due = sum(asked.values()) - sum(skip.lines for skip in inside if not skip.fault)
    others = [skip for skip in faults if skip.place not in asked]
    files = {pick.file.key for pick in picked}
    incomplete = {skip.key for skip in faults}
    counted = asked.keys() | missed
    return Coverage(
        files=len(files | incomplete),
        files_reviewed=len(files - incomplete),
        hunks=len(asked) + len(others),
        hunks_reviewed=len(asked.keys() - missed),
        lines=due + sum(skip.lines for skip in others),
        lines_reviewed=due - unread,
        lines_checked=sum(len(pick.hunk.added) for pick in checked if pick.place not in counted),
    )


def manifest(
    config: Config,
    engine: Engine | None,
    expired: int = 0,
    *,
    analyzers: Sequence[str] = (),
    panel: str = "",
    elsewhere: str = "",
) -> Manifest:
    """Record what makes the review, so that it can be made again. Without an engine it names no model.

    `expired` counts the findings that a baseline silenced until its last day for them; `analyzers` names the other
    tools that were heard, `panel` the witnesses of the model that were asked in words; `elsewhere` says whether
    the rest of the repository was looked at.
    """
    card = engine.card() if engine else NO_CARD
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
            **({"analyzers": ", ".join(analyzers)} if analyzers else {}),
            **({"asked": panel} if panel else {}),
            **({"reach": elsewhere} if elsewhere else {}),
        },
    )
