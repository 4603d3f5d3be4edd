"""Rules over a change: the whole file is read, and what is said is on lines that the change adds or alters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hunkwise.reviewer.checks.files import language_of
from hunkwise.reviewer.findings.fingerprint import fingerprint
from hunkwise.reviewer.findings.suggestion import offer
from hunkwise.reviewer.languages.parser import parser
from hunkwise.reviewer.source.provenance import is_test
from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.types import (
    Category,
    Change,
    FileDiff,
    Finding,
    Severity,
    Skipped,
    Source,
    Suggestion,
    Witness,
)

LONGEST_TEXT = 1_000_000  # characters; a longer one is not read
PATIENCE = 10.0  # seconds of CPU time for the texts of one file; 10,000 lines take about one
UNREAD = "the rules could not read it within their time"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Which rules read: ours but for those `off` (ids, globs of ids), and `own` ones (what their YAML holds)."""

    off: tuple[str, ...] = ()
    own: tuple[Mapping[str, Any], ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)  # by id, in place of the rule's
    categories: tuple[Category, ...] = tuple(Category)


@dataclass(frozen=True)
class _Text:
    """A text that rules read, and the number of its first line in the file. `whole`: it is all of the file."""

    text: str
    first: int
    whole: bool

    @cached_property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.split("\n")


def inspect(file: FileDiff, change: Change, rules: RuleSet) -> tuple[tuple[Finding, ...], Skipped | None]:
    """Read a file of a change by rules. Gives also what is to be said where it could not be read."""
    text = change.text(file)
    language = language_of(file.path, text or "")
    if not language:
        return (), None
    texts = [_Text(text, 1, True)] if text is not None else list(_fragments(file))
    before = change.old_texts.get(file.old_path or "") if text is not None else None
    asked = [each.text for each in texts] + ([] if before is None else [before])
    if any(len(each) > LONGEST_TEXT for each in asked):
        return (), _skipped(file, f"the rules read texts of at most {LONGEST_TEXT:,} characters")
    if not asked:
        return (), None
    question = {
        "language": language,
        "texts": asked,
        "whole": text is not None,
        "tests": is_test(file.path),
        "own": [dict(rule) for rule in rules.own],
        "off": list(rules.off),
    }
    answer = parser().ask("hunkwise.reviewer.checks.serve:answer", question, PATIENCE)
    if answer is None:
        return (), _skipped(file, UNREAD)
    if "error" in answer:
        return (), _skipped(file, answer["error"])
    found = answer["texts"]
    known = None if before is None else _codes(found[-1], before.split("\n"))
    return tuple(
        _finding(file, hit, each, rules)
        for each, said in zip(texts, found, strict=False)
        for hit in _new(file, said, each, known)
        if hit["dimension"] in rules.categories
    ), None


def _fragments(file: FileDiff) -> Iterator[_Text]:
    """Give the new side of each hunk, where no more is known of the file."""
    for hunk in file.hunks:
        lines = [line.text for line in hunk.lines if line.new_no is not None]
        if hunk.added:
            yield _Text("\n".join(lines) + "\n", hunk.new_start, False)


def _skipped(file: FileDiff, reason: str) -> Skipped:
    return Skipped(file.path, reason, fault=True, part=file.part)


def _new(
    file: FileDiff, said: Sequence[dict[str, Any]], each: _Text, known: Counter[tuple[str, str]] | None
) -> Iterator[dict[str, Any]]:
    """Give the hits that the change is to blame for: on its lines, or not there before."""
    added = {line.new_no for hunk in file.hunks for line in hunk.added}
    left = Counter(known or ())
    for hit in said:
        start, end = hit["start"] + each.first - 1, hit["end"] + each.first - 1
        name = _code_name(hit, each.lines)
        before = left[name] > 0
        left[name] -= 1
        if any(number in added for number in range(start, end + 1)) or (known is not None and not before):
            yield hit


def _codes(said: Sequence[dict[str, Any]], lines: Sequence[str]) -> Counter[tuple[str, str]]:
    return Counter(_code_name(hit, lines) for hit in said)


def _code_name(hit: Mapping[str, Any], lines: Sequence[str]) -> tuple[str, str]:
    """Name a hit by its rule and its line, so that it is known again where it moved."""
    return hit["rule"], " ".join(lines[hit["start"] - 1].split())


def _finding(file: FileDiff, hit: Mapping[str, Any], each: _Text, rules: RuleSet) -> Finding:
    code = tuple(redact(line.rstrip("\r")) for line in each.lines[hit["start"] - 1 : hit["end"]])
    start, end = hit["start"] + each.first - 1, hit["end"] + each.first - 1
    return Finding(
        path=file.path,
        part=file.part,
        start_line=start,
        end_line=end,
        severity=rules.severities.get(hit["rule"], Severity(hit["severity"])),
        category=Category(hit["dimension"]),
        title=redact(hit["title"]),
        message=redact(hit["message"]),
        confidence=hit["confidence"],
        calibrated=hit["measured"],
        fingerprint=fingerprint(file.path, code, "", hit["rule"]),
        code=code,
        suggestion=_suggestion(file, hit, each),
        source=Source(rule=hit["rule"], cwe=hit["cwe"]),
        witnesses=(Witness("rule", hit["says"]),),
        advice=redact(hit["advice"]),
        example=hit["example"],
    )


def _suggestion(file: FileDiff, hit: Mapping[str, Any], each: _Text) -> Suggestion | None:
    """Make whole lines of a fix, where one hunk holds them."""
    if hit["fix"] is None:
        return None
    start, end, put = hit["fix"]
    text = each.text
    head, tail = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    tail = len(text) if tail < 0 else tail
    replacement = text[head:start] + put + text[end:tail]
    first = text.count("\n", 0, start) + each.first
    last = text.count("\n", 0, end) + each.first
    if redact(replacement) != replacement:
        return None
    for hunk in file.hunks:
        if hunk.new_start <= first and last < hunk.new_start + hunk.new_length:
            return offer(file, hunk, text if each.whole else None, first, last, replacement)
    return None
