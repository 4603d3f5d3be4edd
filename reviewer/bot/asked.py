"""The child that answers a question about a change: without tokens, in a folder that is thrown away.

It reads the files of the head that were fetched into an index of their own, by words alone, and asks as
`hunkwise ask` does; hunks of the change and the issue that it closes take turns with what the index has.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from hunkwise.engine import Engine
from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.answering.evidence import shared_words
from hunkwise.reviewer.answering.telling import told, told_sentence
from hunkwise.reviewer.answering.types import Answer, Sentence
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.telling.ask import Question, ask, checked
from hunkwise.reviewer.app.telling.index import index
from hunkwise.reviewer.app.telling.issue import issue_of
from hunkwise.reviewer.bot.fetching import CLONE
from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.knowledge.listing import stays_out
from hunkwise.reviewer.knowledge.port import Hit, Passage
from hunkwise.reviewer.source.git import blobs, repository, run
from hunkwise.reviewer.source.local import between
from hunkwise.reviewer.text.checked_json import FormError, read
from hunkwise.reviewer.types import Change, FileDiff, Line

QUESTION, EVENTS = "question.json", "answer.ndjson"  # in the folder, beside the repository
LONGEST = 60  # lines of a passage
MOST = 8  # passages
MOST_LOOKED_AT = 2_000
_LARGEST_FILE, _LARGEST = 1 << 20, 64 << 20  # bytes that are written out
_AT_ONCE = 500  # files
_ANY = 2  # hunks that are shown where none shares a word with the question


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about the commits of a change. `issue` is a forge's JSON of the issue that it closes."""

    question: str
    base: str
    head: str
    issue: str = ""

    def write(self, folder: Path) -> None:
        """Leave it where the child looks for it."""
        (folder / QUESTION).write_text(json.dumps(asdict(self)))


def answer_in(
    folder: Path, environment: Environment, open_engine: Callable[[], Engine] | None, language: str
) -> None:
    """Answer what was left in a folder, into a file of events. Raises ReviewError."""
    try:
        asked = read(Asked, json.loads((folder / QUESTION).read_text()), "question")
    except (OSError, ValueError, FormError) as error:
        raise UsageError(f"{folder} holds no question: {error}") from None
    tree = folder / "files"
    tree.mkdir()
    place = {"HUNKWISE_CACHE": str(folder / "cache")}
    own = replace(environment, folder=tree, variables={**environment.variables, **place})
    written_out(folder / CLONE, asked.head, tree, environment)
    index((), own)
    change = between(folder / CLONE, [asked.base], asked.head, Limits(), environment.variables)
    hunks = found(change, checked(asked.question))
    beside = [*_of_issue(asked), *([hit for hit in hunks if hit.score > 0] or hunks[:_ANY])]
    question = Question(asked.question, tree, language=language)
    with (folder / EVENTS).open("w") as events:

        def heard(sentence: Sentence) -> None:
            print(json.dumps({"sentence": told_sentence(sentence)}), file=events, flush=True)

        def answered(open_engine: Callable[[], Engine] | None) -> Answer:
            return ask(question, own, open_engine, refresh=False, beside=beside, heard=heard)

        try:
            made = answered(open_engine)
        except EngineError as error:
            environment.say(f"answered without a model: {error}")
            made = answered(None)
        print(json.dumps({"answer": told(made)}), file=events, flush=True)


def written_out(folder: Path, head: str, tree: Path, environment: Environment) -> None:
    """Write the files of a commit that are there, and may be read, into a folder; no links."""
    repo, left = repository(folder, environment.variables), _LARGEST
    names: dict[str, str] = {}
    for entry in run(repo, "ls-tree", "-r", "-z", head).split(b"\0")[:-1]:
        about, _, name = entry.partition(b"\t")
        mode, _, blob = about.decode().split(" ")
        path = os.fsdecode(name)
        if mode in ("100644", "100755") and is_inside(path) and not stays_out(path):
            names[path] = blob
    waiting = list(names)
    for start in range(0, len(waiting), _AT_ONCE):
        batch = waiting[start : start + _AT_ONCE]
        texts = blobs(repo, [names[path] for path in batch], _LARGEST_FILE, left)
        for path in batch:
            if (data := texts.get(names[path])) is not None:
                left -= len(data)
                with suppress(OSError):  # a name that this machine can't have
                    (tree / path).parent.mkdir(parents=True, exist_ok=True)
                    (tree / path).write_bytes(data)


def is_inside(path: str) -> bool:
    """Tell whether a path of a tree stays in the folder that it is written to."""
    parts = PurePosixPath(path).parts
    return not path.startswith("/") and "\0" not in path and not {"..", ".git"} & set(parts)


def found(change: Change, question: str) -> tuple[Hit, ...]:
    """Find the passages of a change that share most words with a question, best first."""
    passages = [passage for file in change.files for passage in _passages(file)][:MOST_LOOKED_AT]
    hits = (_hit(question, each) for each in passages)
    return tuple(sorted(hits, key=lambda hit: -hit.score)[:MOST])


def _of_issue(asked: Asked) -> Iterator[Hit]:
    """Make a passage of the issue, if it shares a word with the question."""
    if asked.issue:
        issue = issue_of(asked.issue.encode())
        text = f"{issue.title}. {issue.text}"[:_LARGEST_FILE]
        passage = Passage(f"issue #{issue.number}", 1, 1, text, "document", issue.title)
        if (hit := _hit(asked.question, passage)).score > 0:
            yield hit


def _hit(question: str, passage: Passage) -> Hit:
    return Hit(passage, shared_words(question, f"{passage.path} {passage.title}\n{passage.text}"))


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
