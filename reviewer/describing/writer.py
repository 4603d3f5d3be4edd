"""Has a model put a change into words: file by file where it is long, and as a whole.

What fits is shown once, and all questions share it. A longer change is shown in parts, and the title is asked of
what was said of the parts and of what is known of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from hunkwise.engine import Bundle, Capability, Engine, Generated, Segment
from hunkwise.reviewer.describing import prompt, wording
from hunkwise.reviewer.describing.facts import Facts, FileFacts, PathKind
from hunkwise.reviewer.describing.prompt import Part
from hunkwise.reviewer.describing.titles.agreeing import agrees
from hunkwise.reviewer.types import Line

WHOLE = 2000  # tokens of a change that is shown at once, and of a part
MOST_FILES = 20  # that a sentence is asked of, those with the most changed lines first
MOST_PARTS = 3  # of a file that are shown
_PER_TOKEN = 3  # characters, roughly; what does not fit is halved
_ANSWER = 400  # tokens for questions and answers

Progress = Callable[[str, int, int, str], object]
_ASKED = (PathKind.CODE, PathKind.TESTS, PathKind.DOCS, PathKind.BUILD)


@dataclass(slots=True)
class Words:
    """What a model said: a sentence by path, and a title."""

    sentences: dict[str, str] = field(default_factory=dict)
    title: str = ""
    unread: list[str] = field(default_factory=list)  # files of which only a part was shown, or nothing


@dataclass(slots=True)
class Writer:
    """A model that is asked for words. `issue` is a line that it is shown with the change."""

    engine: Engine
    progress: Progress = lambda phase, done, total, detail: None
    issue: str = ""

    def words(self, facts: Facts) -> Words:
        """Have the change put into words. What the engine says in another form is left out."""
        told = Words()
        if self.engine.card().lacks(Capability.GENERATE):
            return told
        wanted = [each for each in facts.of(*_ASKED) if each.file.hunks and not each.only]
        asked = wanted[:MOST_FILES]
        parts = [part for each in asked for part in _parts(each, self._limit)]
        notes = _notes(facts, {part.file.path for part in parts}, told)
        if not parts or asked != wanted or not self._fits(self._shown(parts, notes)):
            for done, each in enumerate(asked):
                self.progress("files described:", done, len(asked), each.path)
                self._one(each, told)
            told.unread += [each.path for each in wanted[MOST_FILES:]]
            parts, notes = [], _notes(facts, (), told)
            while notes and not self._fits(self._shown((), notes)):
                notes = notes[: len(notes) * 2 // 3]
        if parts or notes:
            title = self._ask(parts, notes)
            told.title = title if agrees(title, facts) else ""
        return told

    def _one(self, each: FileFacts, told: Words) -> None:
        """Ask for a title of each part of a file; together they say what happened to it."""
        parts = [small for part in _parts(each, self._limit) for small in self._fitting(part)]
        if len(parts) > MOST_PARTS:
            told.unread.append(each.path)
        titles = [self._ask([part], ()) for part in parts[:MOST_PARTS]]
        if said := ". ".join(dict.fromkeys(filter(None, titles))):
            told.sentences[each.path] = f"{said}."

    def _ask(self, parts: Sequence[Part], notes: Sequence[tuple[str, str]]) -> str:
        """Ask for a title of what is shown; "" where none comes that keeps to the form."""
        names = prompt.names_in(parts, _named([part.file.path for part in parts], notes))
        (answer,) = self.engine.ask(Bundle(self._shown(parts, notes), (prompt.asking(names),)))
        title = prompt.trimmed(answer.text.strip()) if isinstance(answer, Generated) else ""
        return title if prompt.keeps_to(title, names) else ""

    def _fitting(self, part: Part) -> Iterator[Part]:
        """Halve a part until it fits; a single line that does not is left out."""
        if self._fits(self._shown([part])):
            yield part
        elif len(part.lines) > 1:
            half = len(part.lines) // 2
            for lines in (part.lines[:half], part.lines[half:]):
                yield from self._fitting(Part(part.file, lines))

    def _shown(self, parts: Sequence[Part], notes: Sequence[tuple[str, str]] = ()) -> tuple[Segment, ...]:
        return prompt.shown(parts, notes, self.issue)

    @property
    def _limit(self) -> int:
        return min(WHOLE, self.engine.card().context - _ANSWER)

    def _fits(self, view: tuple[Segment, ...], most: int = WHOLE) -> bool:
        return self.engine.measure(Bundle(view, (prompt.asking(()),))).shared <= min(self._limit, most)


def _parts(each: FileFacts, tokens: int) -> Iterator[Part]:
    """Cut the change of a file into parts of about so many tokens, between lines."""
    lines: list[Line] = []
    size = 0
    for hunk in each.file.hunks:
        for line in hunk.lines:
            if lines and size + len(line.text) > tokens * _PER_TOKEN:
                yield Part(each.file, tuple(lines))
                lines, size = [], 0
            lines.append(line)
            size += min(len(line.text), prompt.LONGEST_LINE) + 2
    if lines:
        yield Part(each.file, tuple(lines))


def _notes(facts: Facts, but: Collection[str], told: Words) -> list[tuple[str, str]]:
    """Say of each file that is not shown what was said of it, or what is known, the largest first."""
    files = sorted(facts.files, key=lambda each: -each.lines)
    return [
        (each.path, told.sentences.get(each.path) or wording.sentence(each))
        for each in files
        if each.path not in but
    ]


def _named(files: Sequence[str], notes: Sequence[tuple[str, str]]) -> Iterator[str]:
    """List the names of files, and what stands between backticks in notes."""
    yield from map(wording.name_of, (*files, *(path for path, _ in notes)))
    for _, note in notes:
        yield from note.split("`")[1::2]
