"""From what a change breaks elsewhere (knowledge/reach/) to findings: on a line of the change, with the places."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

from hunkwise.reviewer.findings.fingerprint import fingerprint
from hunkwise.reviewer.knowledge.reach.values import Broken, Kind, Place
from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.types import Category, Finding, Severity, Source, Witness

MOST_PLACES = 5  # that are listed; the others are counted

# Of the remarks on real commits that were read: those that were right, and all of them (docs/quality.md).
MEASURED: Mapping[Kind, tuple[int, int]] = {
    "arguments": (34, 34),
    "result": (33, 33),
    "override": (9, 9),
    "removed": (51, 52),
    "module": (17, 18),
    "copy": (9, 10),
}
_WHEN: Mapping[Kind, str] = {
    "result": "Such a call goes wrong when it runs, or does not compile.",
    "override": "A call that fits the base goes wrong where it meets such a method, or that does not compile.",
    "copy": "It matters whenever the two differ.",
}
_ADVICE: Mapping[Kind, str] = {
    "arguments": "Change these calls too, or keep taking what they give.",
    "result": "Change these calls too, or keep giving what they take.",
    "override": "Change these methods too, or keep what callers of the base may rely on.",
    "removed": "Change these places too, or keep the old name beside the new one.",
    "copy": "Put the new name here too, or say in a comment that the old one is meant.",
    "module": "Change these imports too, or keep a file there that hands the names on.",
}


def findings(
    broken: Sequence[Broken],
    severities: Mapping[str, Severity],
    off: Sequence[str],
    wanted: Collection[Category],
) -> list[Finding]:
    """Word what is broken elsewhere; not what a project turned `off` by name (`reach:module`, globs)."""
    if Category.CORRECTNESS not in wanted:
        return []
    return [
        _finding(each, severities.get(f"reach:{each.kind}"))
        for each in broken
        if not any(fnmatchcase(f"reach:{each.kind}", glob) for glob in off)
    ]


def _finding(broken: Broken, severity: Severity | None) -> Finding:
    lines = (line for hunk in broken.file.hunks for line in hunk.lines)
    code = tuple(redact(line.text) for line in lines if line.new_no == broken.line)
    right, read = MEASURED[broken.kind]
    rule = f"reach:{broken.kind}"
    return Finding(
        path=broken.file.path,
        start_line=broken.line,
        end_line=broken.line,
        severity=severity or Severity.HIGH,
        category=Category.CORRECTNESS,
        title=redact(_title(broken)),
        message=redact(_message(broken)),
        confidence=round((right + 1) / (read + 2), 3),  # nearer to a half where few were read
        calibrated=True,
        fingerprint=fingerprint(broken.file.path, code, broken.name, rule),
        code=code,
        source=Source(rule=rule),
        witnesses=(Witness("reach", f"right in {right} of {read} remarks on real commits that were read"),),
        advice=_ADVICE[broken.kind],
    )


def _title(broken: Broken) -> str:
    names = broken.name.split(", ")
    name, count = f"`{names[0]}`", len(broken.places)
    one = count == 1
    end, verb = ("", "s") if one else ("s", "")
    said: Mapping[Kind, str] = {
        "arguments": f"{count} call{end} of {name} still fit{verb} only what it took before",
        "result": f"{count} call{end} of {name} still take{verb} what it gave before",
        "override": f"{count} method{end} that override{verb} {name} still take{verb} what it took before",
        "copy": f"{name} was left in a copy where everything else has `{broken.now}`",
    }
    if broken.kind in said:
        return said[broken.kind]
    what = f"{'import' if broken.kind == 'module' else 'place'}{'' if one else 's'}"
    if len(names) > 1:
        return f"{name} and {len(names) - 1} more are gone, and {count} {what} still name{'s' if one else ''} them"
    return f"{name} is gone, and {count} {what} still name{'s' if one else ''} it"


def _message(broken: Broken) -> str:
    was = f"`{broken.before}` is now `{broken.now}`. " if broken.now else ""
    if broken.kind == "copy":
        was = f"Everywhere else in these lines `{broken.before}` became `{broken.now}`. "
    listed = "; ".join(_said(place) for place in broken.places[:MOST_PLACES])
    more = len(broken.places) - MOST_PLACES
    when = _WHEN.get(broken.kind, "")
    return f"{was}{listed}{f'; and {more} more' if more > 0 else ''}.{' ' if when else ''}{when}"


def _said(place: Place) -> str:
    return f"{place.path}:{place.line} {place.why}"
