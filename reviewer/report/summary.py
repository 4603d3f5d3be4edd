"""The sentences that every report for people shares: what was found, looked at, held back and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hunkwise.reviewer.types import Coverage, FileKey, LineCoverage, Review, Severity, Skipped

MOST_ROWS = 6  # of one reason; where there are more they share a row
MOST_NAMED = 4  # places in such a row


def plural(count: int, noun: str) -> str:
    """Write "1 hunk", "2 hunks"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def found(review: Review) -> str:
    """Count the findings by severity; the headline of every report."""
    if not review.findings:
        return "Nothing to review" if is_idle(review) else "No findings"
    counts = Counter(finding.severity for finding in review.findings)
    parts = (f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    return f"{plural(len(review.findings), 'finding')} ({', '.join(parts)})"


def is_idle(review: Review) -> bool:
    """Tell whether there was nothing to look at: neither for a model nor for the checks that need none."""
    seen = review.coverage
    return review.complete and not review.findings and not seen.hunks and not seen.lines_checked


def looked_at(review: Review) -> str:
    """Say how much of the change was reviewed, and how much was only checked; follows a headline.

    "reviewed 2 hunks and 9 changed lines in 1 file, checked 40 new lines without a model"
    """
    seen = review.coverage
    checked = (
        f"checked {plural(seen.lines_checked, 'new line')} without a model" if seen.lines_checked else ""
    )
    if checked and not seen.hunks:
        return checked
    return f"reviewed {_reviewed(seen)}" + (f", {checked}" if checked else "")


def _reviewed(seen: Coverage) -> str:
    hunks = _of(seen.hunks_reviewed, seen.hunks, "hunk")
    lines = _of(seen.lines_reviewed, seen.lines, "changed line")
    return f"{hunks} and {lines} in {_of(seen.files_reviewed, seen.files, 'file')}"


def _of(part: int, whole: int, noun: str) -> str:
    return plural(whole, noun) if part == whole else f"{part:,} of {plural(whole, noun)}"


def unrun(known: LineCoverage | None) -> list[str]:
    """Say in a sentence which of the new lines no test runs; nothing where no coverage report was given."""
    if known is None:
        return []
    if not known.lines:
        return ["Tests: the coverage reports know none of the new lines."]
    if not known.unrun:
        return [f"Tests: all {plural(known.lines, 'new line')} of code that the reports know are run."]
    places = [
        f"{at.path}:{at.start_line}" + (f"-{at.end_line}" if at.end_line > at.start_line else "")
        for at in known.places
    ]
    many = f"{known.unrun:,} of {plural(known.lines, 'new line')} of code"
    return [f"Tests: {many} {'is' if known.unrun == 1 else 'are'} run by no test: {_first(places)}."]


def held_back(review: Review) -> list[str]:
    """Count the candidates that are not said, by reason, most first, with the first places of each."""
    places: dict[str, list[str]] = {}
    for rejected in review.rejected:
        found = rejected.finding
        places.setdefault(rejected.reason, []).append(f"{found.path}:{found.start_line}")
    return [
        f"{reason} ({len(at):,}: {_first(at)})"
        for reason, at in sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def left_out(skipped: Iterable[Skipped]) -> list[tuple[str, str]]:
    """List what was not reviewed as place and reason; the hunks of a file with one reason share a row."""
    rows: dict[tuple[FileKey, str], list[int]] = {}
    for skip in skipped:
        hunks = rows.setdefault((skip.key, skip.reason), [])
        hunks += [] if skip.hunk is None else [skip.hunk + 1]
    return [
        (path + _within(f"patch {part}" if part else "", _hunks(hunks)), reason)
        for ((path, part), reason), hunks in rows.items()
    ]


def patch(part: int) -> str:
    """Say which of the patches of a file is meant, where there are several: line numbers are those of that one."""
    return _within(f"patch {part}" if part else "")


def _within(*parts: str) -> str:
    inside = ", ".join(filter(None, parts))
    return f" ({inside})" if inside else ""


def gathered(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give rows of place and reason as people read them: where many share a reason, one row names the first.

    The JSON report names every place.
    """
    places: dict[str, list[str]] = {}
    for place, reason in rows:
        places.setdefault(reason, []).append(place)
    return [
        row
        for reason, at in places.items()
        for row in ([(_first(at), reason)] if len(at) > MOST_ROWS else [(place, reason) for place in at])
    ]


def _first(places: list[str]) -> str:
    more = len(places) - MOST_NAMED
    return ", ".join(places[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _hunks(numbers: list[int]) -> str:
    if not numbers:
        return ""
    listed = ", ".join(map(str, numbers[:6])) + (", …" if len(numbers) > 6 else "")
    return f"hunk{'' if len(numbers) == 1 else 's'} {listed}"


def made_by(review: Review) -> str:
    """Name the model, if one was asked, and the program."""
    made = review.manifest
    if not made.model:
        return f"hunkwise {made.version}, no model asked{took(review)}"
    digest = f" ({made.model_digest[:12]})" if made.model_digest else ""
    return f"{made.model}{digest}, hunkwise {made.version}{took(review)}"


def took(review: Review) -> str:
    """Say how long a review took, after what made it: ", in 12.3 s"; "" where nobody knows."""
    if not review.seconds:
        return ""
    minutes, seconds = divmod(round(review.seconds), 60)
    return f", in {minutes:,} min {seconds} s" if minutes else f", in {review.seconds:.1f} s"


def signature(review: Review) -> str:
    """Say who made the review, and if it was a model, that it can be wrong."""
    if not review.manifest.model:
        return f"Made by {made_by(review)}."
    return f"Made by a language model: {made_by(review)}. It can be wrong."
