"""A comment's way: read, permitted, a reaction at once, and an answer that is edited in place as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.bot.commands.answers import Context, answer
from hunkwise.reviewer.bot.commands.parsing import Command, parse
from hunkwise.reviewer.bot.commands.permission import (
    DEFAULT,
    Counts,
    Limits,
    Permission,
    is_heard,
    may_give,
    permitted,
)
from hunkwise.reviewer.bot.port import Commented
from hunkwise.reviewer.errors import ForgeError, ReviewError
from hunkwise.reviewer.publish.port import OwnNote
from hunkwise.reviewer.text.markdown import escape

EVERY = 5.0  # seconds between two edits of one answer
MARK = "<!-- hunkwise:v1 answer"  # by which we pass over our own words, whoever posts them
_GROWS = " grows"  # in the mark of an answer that is not whole yet
LONGEST_BODY = 60_000  # characters; GitHub takes 65,536


class Thread(Protocol):
    """Where a comment is answered. All of it raises ForgeError."""

    def answers(self) -> Iterable[OwnNote]:
        """List our own words that stand here."""
        ...

    def react(self) -> None:
        """Show that the comment was seen."""
        ...

    def answer(self, body: str) -> str:
        """Post an answer, and name it."""
        ...

    def edit(self, note: str, body: str) -> None:
        """Rewrite an answer."""
        ...


@dataclass(slots=True)
class Growing:
    """An answer in a thread that is rewritten as it grows, at most every few seconds.

    `comment` is what is answered. Each body ends with a mark that names it, so that who is killed before the job
    is done can go on in the same `note`.
    """

    thread: Thread
    comment: int = 0
    every: float = EVERY
    clock: Callable[[], float] = time.monotonic
    note: str = ""
    said: str = ""
    at: float = field(default=float("-inf"))

    def tell(self, body: str) -> None:
        """Show the text so far, if it is time again."""
        if body and body != self.said and self.clock() - self.at >= self.every:
            self._show(f"{body} …", _GROWS)

    def finish(self, body: str) -> None:
        """Show the whole text."""
        self._show(body)

    def begun(self) -> bool:
        """Find what was answered before; True if that is whole."""
        for note in self.thread.answers():
            body = note.body.rstrip()
            if body.endswith(self._mark(_GROWS)):
                self.note = note.id
            elif body.endswith(self._mark()):
                return True
        return False

    def _mark(self, grows: str = "") -> str:
        return f"{MARK} to={self.comment}{grows} -->"

    def _show(self, body: str, grows: str = "") -> None:
        text = (
            body if len(body) <= LONGEST_BODY else f"{body[:LONGEST_BODY]}\n\n(cut: it is too long to post)"
        )
        marked = f"{text}\n\n{self._mark(grows)}"
        if self.note:
            self.thread.edit(self.note, marked)
        else:
            self.note = self.thread.answer(marked)
        self.said, self.at = body, self.clock()


def converse(
    said: Commented,
    thread: Thread,
    context: Context,
    counts: Counts,
    limits: Limits = DEFAULT,
    growing: Callable[[Thread, int], Growing] = Growing,
) -> Command | None:
    """Answer a comment if it is a command that is permitted, and give the command. Raises ForgeError.

    What fails while it is carried out is the answer. A comment that was answered is not answered again.
    """
    command = parse(said.comment.body, context.name)
    if command is None or not (is_heard(said, context.name) and may_give(said, command)):
        return None
    show = growing(thread, said.comment.id)
    if show.begun():
        return None
    permission = Permission.GIVEN if show.note else permitted(said, command, context.name, counts, limits)
    if permission is Permission.PASSED_OVER:
        return None
    with suppress(ForgeError):  # an answer says it too
        thread.react()
    if permission is Permission.TOO_MANY:
        show.finish("These were more commands than I take in an hour here; the next ones are passed over.")
        return None
    try:
        show.finish(answer(command, context, show.tell))
    except (ReviewError, EngineError) as error:
        show.finish(f"`/{command.verb}` failed: {escape(str(error), 500)}")
    return command
