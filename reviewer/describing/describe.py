"""From facts, and a model's words where there are any, to the description of a change."""

from __future__ import annotations

from hunkwise.reviewer.describing import guidance, kind, wording
from hunkwise.reviewer.describing.description import Description, FileNote, Issue
from hunkwise.reviewer.describing.facts import Facts, FileFacts
from hunkwise.reviewer.describing.titles import candidates
from hunkwise.reviewer.describing.writer import Words
from hunkwise.reviewer.report.summary import unrun
from hunkwise.reviewer.types import LineCoverage

_MOST = 30  # symbols of a file that are listed
NOTHING = Words()


def described(
    facts: Facts,
    words: Words = NOTHING,
    model: str = "",
    *,
    line_coverage: LineCoverage | None = None,
    issue: Issue | None = None,
) -> Description:
    """Describe a change. What a model did not say, the facts say. `line_coverage`: what coverage reports tell."""
    by_paths = kind.of_paths(facts)
    found, told = by_paths or kind.of_facts(facts), "paths" if by_paths else "facts"
    title = words.title or candidates.title(facts)
    notes = [f"{path}: only a part of it was shown to the model" for path in words.unread]
    return Description(
        title,
        found,
        told,
        tuple(_note(each, words) for each in facts.files),
        guidance.look_first(facts),
        " ".join([guidance.risk(facts), *unrun(line_coverage)]),
        guidance.changelog(title, found),
        "model" if words.title else "facts",
        model,
        tuple(notes),
        issue.name if issue else "",
        issue.number if issue else 0,
    )


def _note(each: FileFacts, words: Words) -> FileNote:
    said = words.sentences.get(each.path, "")
    new, gone, changed = (
        tuple(one.name for one in side[:_MOST]) for side in (each.new, each.gone, each.changed)
    )
    status = "unknown" if each.skipped else str(each.status)
    return FileNote(
        each.path,
        status,
        each.added,
        each.removed,
        said or wording.sentence(each),
        new,
        gone,
        changed,
        bool(said),
    )
