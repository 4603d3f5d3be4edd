"""What a finding must reach to be said, and who silenced it: decided at the end, of all findings together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hunkwise.reviewer.config.settings import Config, ProjectSettings
from hunkwise.reviewer.findings import ranking
from hunkwise.reviewer.findings.suppressions import Suppressions, part
from hunkwise.reviewer.text.globs import matches
from hunkwise.reviewer.types import Change, Finding, Rejected, Severity


def settled(
    made: Sequence[Finding], change: Change, config: Config, silence: Suppressions
) -> tuple[tuple[Finding, ...], tuple[Rejected, ...]]:
    """Decide which findings are said; what people silenced takes no place of others."""
    heard, silenced = part(made, change, silence)
    said, unsaid = ranking.rank_and_filter(
        heard, bar(config), floors({found.path for found in heard}, config)
    )
    return said, (*unsaid, *silenced)


def bar(config: Config) -> ranking.Bar:
    """Give what a finding must reach under these settings."""
    return ranking.Bar(config.min_severity, config.min_confidence, config.max_comments)


def floors(paths: Iterable[str], config: ProjectSettings) -> tuple[tuple[str, Severity], ...]:
    """Give the paths for which a rule sets its own least severity; the last rule that matches wins."""
    ruling = [(rule.paths, rule.min_severity) for rule in config.rules if rule.min_severity is not None]
    return tuple((path, least) for path in sorted(paths) for globs, least in ruling if matches(path, globs))
