"""`/ask`: has a child without tokens answer a question about a change and its repository (`asked.py`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.app.jobs.child import supervise
from hunkwise.reviewer.bot.asked import EVENTS, Asked
from hunkwise.reviewer.bot.commands.answers import Answered, Told
from hunkwise.reviewer.bot.fetching import CLONE, Ended, Fetching
from hunkwise.reviewer.bot.port import ChangeId
from hunkwise.reviewer.bot.reviewing import NotReviewed, without_secrets
from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.forges.attended import Attended
from hunkwise.reviewer.knowledge.listing import stays_out
from hunkwise.reviewer.source.clone import Every
from hunkwise.reviewer.text.checked_json import Form, FormError, read_as

_ANSWER = ("-P", "-c", "from hunkwise.reviewer.cli import main; main()", "bot", "answer")
_TIME = 600.0  # seconds that one answer may take
_LARGEST = 4 << 20  # bytes of events
_SHOWN = 5  # passages, where no model was asked
_LINES = 12  # of each of them
_NEAR = 3  # passages that are named, where there is no answer


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    path: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class _Answer:
    verdict: str
    passages: tuple[_Sentence, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class _Event:
    sentence: _Sentence | None = None
    answer: _Answer | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Answers questions about changes. `options` are flags of `bot answer`: where the model is."""

    fetching: Fetching
    options: Sequence[str] = ()

    def __call__(self, change: ChangeId, desk: Attended, question: str, told: Told) -> Answered:
        """Fetch a change with its repository, and answer from them. Raises ReviewError, and Ended if told to."""
        every = Every(lambda path: not stays_out(path))
        with self.fetching.fetched(change, desk, every) as (folder, commits):
            Asked(question, commits.base, commits.head, closed_issue(desk)).write(folder)
            return self._answered(folder, told)

    def _answered(self, folder: Path, told: Told) -> Answered:
        said, stopping = list[_Sentence](), self.fetching.stopping

        def wanted() -> bool:
            now = [event.sentence for event in _events(folder) if event.sentence is not None]
            if len(now) > len(said):
                said[:] = now
                told(" ".join(each.text for each in said))
            return not stopping.is_set()

        ending = supervise(
            [sys.executable, *_ANSWER, *self.options, str(folder)],
            _TIME,
            environ=without_secrets(self.fetching.environ, folder / CLONE),
            folder=folder,
            wanted=wanted,
        )
        if stopping.is_set():
            raise Ended
        events = _events(folder)
        made = events[-1].answer if events else None
        if ending.code != 0 or made is None:
            raise NotReviewed(f"the question was not answered: {ending}")
        return _told(made, [event.sentence for event in events if event.sentence is not None])


def _told(made: _Answer, said: Sequence[_Sentence]) -> Answered:
    if made.verdict == "answered":
        places = dict.fromkeys(each.place for each in said)
        return Answered(" ".join(each.text for each in said), tuple(places), made.model)
    if made.verdict == "passages only":
        shown = tuple((each.place, _beginning(each.text)) for each in made.passages[:_SHOWN])
        return Answered("No model was asked. These passages are nearest to it:", passages=shown)
    near = tuple(each.place for each in made.passages[:_NEAR])
    return Answered(f"The repository doesn't say.{' Nearest to it:' if near else ''}", near, made.model)


def _beginning(text: str) -> str:
    lines = text.strip("\n").split("\n")
    return "\n".join(lines[:_LINES] + (["…"] if len(lines) > _LINES else []))


def _events(folder: Path) -> list[_Event]:
    """Read what the child told so far, whole lines alone."""
    try:
        with (folder / EVENTS).open("rb") as file:
            lines = file.read(_LARGEST).split(b"\n")[:-1]
        return [
            read_as(Form(lenient=True, longest_text=_LARGEST), _Event, json.loads(line)) for line in lines
        ]
    except (OSError, ValueError, FormError):
        return []


def closed_issue(desk: Attended) -> str:
    """Read the issue that a change closes, as the forge's JSON; an answer does without one that can't be read."""
    try:
        return desk.issue().decode()
    except ForgeError:
        return ""
