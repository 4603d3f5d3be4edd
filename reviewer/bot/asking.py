"""`/ask`: a question about a change, answered from its hunks alone, each sentence with the line it stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from hunkwise.engine import Engine
from hunkwise.reviewer.answering.answer import answer
from hunkwise.reviewer.answering.evidence import shared_words
from hunkwise.reviewer.answering.telling import place
from hunkwise.reviewer.answering.types import Sentence
from hunkwise.reviewer.app.telling.ask import checked
from hunkwise.reviewer.bot.commands.answers import Answered, Told
from hunkwise.reviewer.knowledge.port import Hit, Passage
from hunkwise.reviewer.types import Change, FileDiff, Line

LONGEST = 60  # lines of a passage
MOST = 8  # passages
MOST_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Asking:
    """Answers questions about changes; the engine is opened for each, and only if there is something to read."""

    open_engine: Callable[[], Engine]

    def __call__(self, change: Change, question: str, told: Told) -> Answered:
        """Answer from what the change shows. Raises UsageError, EngineError."""
        words, said = checked(question), list[Sentence]()
        hits = found(change, words)
        if not hits:
            return Answered("There is no text in this change.")

        def heard(sentence: Sentence) -> None:
            said.append(sentence)
            told(" ".join(each.text for each in said))

        with closing(self.open_engine()) as engine:
            made = answer(words, hits, engine, heard=heard)
        if made.verdict != "answered":
            near = [f"{each.passage.path}:{each.passage.start}" for each in made.passages[:3]]
            return Answered("The change doesn't say. Nearest to it:", tuple(near), made.model)
        places = dict.fromkeys(place(sentence.quote) for sentence in made.sentences)
        return Answered(" ".join(each.text for each in made.sentences), tuple(places), made.model)


def found(change: Change, question: str) -> tuple[Hit, ...]:
    """Find the passages of a change that share most words with a question, best first."""
    passages = [passage for file in change.files for passage in _passages(file)][:MOST_LOOKED_AT]
    hits = (Hit(each, shared_words(question, f"{each.path} {each.title}\n{each.text}")) for each in passages)
    return tuple(sorted(hits, key=lambda hit: -hit.score)[:MOST])


def _passages(file: FileDiff) -> Iterator[Passage]:
    """Cut the new side of a file's hunks into passages."""
    for hunk in file.hunks:
        lines = [line for line in hunk.lines if line.new_no is not None]
        for start in range(0, len(lines), LONGEST):
            part = lines[start : start + LONGEST]
            text = "\n".join(line.text for line in part)
            if text.strip():
                yield Passage(file.path, _number(part[0]), _number(part[-1]), text, "code", hunk.section)


def _number(line: Line) -> int:
    assert line.new_no is not None
    return line.new_no
