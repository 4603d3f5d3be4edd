"""Asking: from a question and an index to an answer. What `ask` does, and the server and the bot do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from hunkwise.engine import Engine
from hunkwise.reviewer.answering.answer import answer, listed, refused
from hunkwise.reviewer.answering.types import Answer, Heard, Weighed
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.telling.embedding import ByVectors
from hunkwise.reviewer.app.telling.index import open_index, refresh_index
from hunkwise.reviewer.errors import KnowledgeError, UsageError
from hunkwise.reviewer.knowledge import fused
from hunkwise.reviewer.knowledge.ages import changed_since
from hunkwise.reviewer.knowledge.listing import root_of
from hunkwise.reviewer.knowledge.port import ANY, Filter, Hit, Passage
from hunkwise.reviewer.knowledge.store.index import Index

LONGEST = 1000  # characters of a question
PASSAGES = 8
MOST_PASSAGES = 50


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which index, in the language of the answer."""

    text: str
    index: Path
    wanted: Filter = ANY
    passages: int = PASSAGES
    language: str = "English"


OpenAsked = Callable[[], Engine]
"""Opens the engine. It is called only where something was found. Raises EngineError."""


def ask(
    question: Question,
    environment: Environment,
    open_engine: OpenAsked | None,
    *,
    refresh: bool = True,
    by_vectors: ByVectors | None = None,
    beside: Sequence[Hit] = (),
    found: Callable[[Sequence[Weighed]], object] = lambda passages: None,
    heard: Heard = lambda sentence: None,
) -> Answer:
    """Answer a question from an index; with `open_engine` None, give the passages that were found.

    `beside` was found elsewhere, such as in a change, and takes turns with what the index has. `found` is told of
    the passages at once, `heard` of each sentence as soon as it is checked.

    Raises UsageError for no question, KnowledgeError where nothing is indexed, EngineError.
    """
    text = checked(question.text)
    with closing(_opened(question.index, environment, refresh)) as index:
        wanted = _wanted(question, index, environment)
        near = by_vectors.search(index, text, wanted, environment) if by_vectors else ()
        hits = fused.search(index, text, question.passages, wanted, near)
        missing = fused.unwritten(index, text, (*hits, *beside), wanted) if open_engine else ()
    hits = tuple(_in_turn(beside, hits)[: question.passages])
    plain = listed(text, hits)
    found(plain.passages)
    if open_engine is None:
        return plain
    if refusal := refused(text, hits, missing):
        return refusal
    with closing(open_engine()) as engine:
        return answer(text, hits, engine, unwritten=missing, language=question.language, heard=heard)


def _in_turn(beside: Sequence[Hit], hits: Sequence[Hit]) -> list[Hit]:
    """Take from both by turns, of the second what is not in the first."""
    others = [hit for hit in hits if not any(_overlap(hit.passage, one.passage) for one in beside)]
    return [hit for pair in zip_longest(beside, others) for hit in pair if hit]


def _overlap(one: Passage, other: Passage) -> bool:
    return one.path == other.path and one.start <= other.end and other.start <= one.end


def checked(text: str) -> str:
    """Give a question on one line, without what can't be written. Raises UsageError."""
    words = " ".join(text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").split())
    if not any(map(str.isalnum, words)):
        raise UsageError('ask a question, as in: hunkwise ask "How long are answers kept?"')
    if len(words) > LONGEST:
        raise UsageError(f"the question has {len(words)} characters; {LONGEST} are read at most")
    return words


def _wanted(question: Question, index: Index, environment: Environment) -> Filter:
    """Say which files are wanted, by their history where there is one. Raises UsageError, KnowledgeError."""
    wanted, folder = question.wanted, environment.folder / question.index
    if not wanted.languages and not wanted.since:
        return wanted
    files = index.files()
    there = {language for _, _, _, language in files}
    for language in wanted.languages:
        if language not in there:
            raise UsageError(
                f"nothing that is indexed is written in {language:.40}: {', '.join(sorted(there))}"
            )
    repo = root_of(folder, environment.variables).repo if wanted.since and folder.is_dir() else None
    if repo is None:
        return wanted
    lately = changed_since(repo, ((path, blob, written) for path, blob, written, _ in files), wanted.since)
    return replace(wanted, since=0.0, among=lately)


def _opened(place: Path, environment: Environment, refresh: bool) -> Index:
    """Open the index of a folder, brought up to date, or an index's own file as it is."""
    folder = environment.folder / place
    if folder.is_file():
        return Index(folder, str(place))
    if not folder.is_dir():
        raise UsageError(f"{place}: there is no such folder")
    opened = open_index(folder, environment)
    if not refresh:
        return opened
    try:
        refresh_index(folder, environment)
    except KnowledgeError as error:
        environment.say(f"answers come from the index as it is: {error}")
        return opened
    opened.close()  # it may be another file by now
    return open_index(folder, environment)
