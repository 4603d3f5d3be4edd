"""What a reader of a change does with it: where to look first, what can go wrong, what the change log says."""

from __future__ import annotations

from hunkwise.reviewer.describing.clues.clue import quoted
from hunkwise.reviewer.describing.description import Kind
from hunkwise.reviewer.describing.facts import Facts, PathKind
from hunkwise.reviewer.describing.wording import main_files, names
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.source.provenance import not_by_hand

MOST_FIRST = 3  # places to look at first


def look_first(facts: Facts) -> tuple[str, ...]:
    """Name the places that deserve a reader first: code whose old text went, before code that is new."""
    rows = []
    for each in facts.of(PathKind.CODE):
        symbols = [
            *((one, 2) for one in each.changed),
            *((one, 2) for one in each.gone),
            *((one, 1) for one in each.new),
        ]
        if each.only:
            continue
        rows += [
            (weight * one.lines, f"{quoted(one.short)} in {quoted(each.path)}") for one, weight in symbols
        ]
        if not symbols:
            rows.append((each.lines + each.removed, quoted(each.path)))
    rows.sort(key=lambda row: -row[0])
    return tuple(place for _, place in rows[:MOST_FIRST]) or tuple(
        quoted(each.path) for each in main_files(facts)[:1]
    )


def risk(facts: Facts) -> str:
    """Say in a line what can go wrong, by what is certain."""
    code = [each for each in facts.of(PathKind.CODE) if not each.only]
    if unread := sum(bool(each.skipped) for each in facts.files):
        return f"{plural(unread, 'file')} of {len(facts.files):,} not read: what changed there is not known."
    if not code:
        return _without_code(facts)
    if not any(each.lines for each in code):
        return "No line of code changed; names, modes or empty files did."
    gone = [one for each in code for one in each.gone]
    tests = facts.of(PathKind.TESTS)
    lines = sum(each.lines for each in code)
    old = sum(each.removed for each in code)
    parts = [f"{plural(lines, 'line')} of code in {plural(len(code), 'file')}"]
    if gone:
        parts.append(f"{names(gone)} {'is' if len({one.short for one in gone}) == 1 else 'are'} gone")
    elif not old:
        parts.append("nothing that was there is changed")
    parts.append("tests changed too" if tests or any(each.tested for each in code) else "no test changed")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _without_code(facts: Facts) -> str:
    locked = {not_by_hand(each.path) for each in facts.of(PathKind.LOCKED)}
    if facts.kinds & {PathKind.BUILD, PathKind.DEPENDENCIES} or "a lock file" in locked:
        return "What is built or depended on changed; the code did not."
    if PathKind.LOCKED in facts.kinds:
        return "Only what is generated or somebody else's changed."
    if PathKind.SETTINGS in facts.kinds:
        return "Settings or data changed; the code did not."
    return "Low: no code that runs in production changed."


_SECTIONS = {Kind.FIX: "Fixed", Kind.FEATURE: "Added", Kind.REFACTORING: "Changed", Kind.CHANGE: "Changed"}


def changelog(headline: str, kind: Kind) -> str:
    """Write the entry of a change log, under the section of Keep a Changelog; "" for what no user notices."""
    section = _SECTIONS.get(kind)
    return f"### {section}\n\n- {headline.rstrip('.')}." if section else ""
