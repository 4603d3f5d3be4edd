"""Comments: from one that a webhook told of to its answer, with what the worker has to answer with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from hunkwise.reviewer.app.telling.issue import issue_of
from hunkwise.reviewer.bot.asking import closed_issue
from hunkwise.reviewer.bot.commands.answers import Answered, Context, Told
from hunkwise.reviewer.bot.commands.conversation import converse
from hunkwise.reviewer.bot.commands.parsing import parse
from hunkwise.reviewer.bot.commands.permission import is_heard
from hunkwise.reviewer.bot.notices import why_not
from hunkwise.reviewer.bot.port import ChangeId, Commented, Event, Pushed
from hunkwise.reviewer.bot.queue.port import Queue, key_of
from hunkwise.reviewer.describing.describe import described
from hunkwise.reviewer.describing.description import Description, Issue
from hunkwise.reviewer.describing.gathering import gather
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.attended import Attended, Heard
from hunkwise.reviewer.publish.marker import read_marker
from hunkwise.reviewer.publish.port import OwnComment, OwnNote
from hunkwise.reviewer.report.interchange.json import load
from hunkwise.reviewer.types import Change, Finding

NAME = "hunkwise"
Ask = Callable[[ChangeId, Attended, str, Told], Answered]
"""Answers a question about a change, and tells the answer as it grows. Raises ReviewError."""


def name_of(environ: Mapping[str, str]) -> str:
    """Say what the bot is called by in comments."""
    return environ.get("HUNKWISE_BOT_NAME", "").strip().removeprefix("@") or NAME


def is_for_us(event: Event, name: str) -> bool:
    """Tell whether an event is worth a job: of comments those alone that give a command, and not our own."""
    if not isinstance(event, Commented):
        return True
    return parse(event.comment.body, name) is not None and is_heard(event, name)


@dataclass(frozen=True, slots=True)
class _Thread:
    """Where a comment is answered."""

    desk: Attended
    heard: Heard

    def answers(self) -> Iterable[OwnNote]:
        """List our own words that stand here."""
        return self.desk.answers(self.heard)

    def react(self) -> None:
        """Show that the comment was seen."""
        self.desk.react(self.heard)

    def answer(self, body: str) -> str:
        """Post an answer, and name it."""
        return self.desk.answer(self.heard, body)

    def edit(self, note: str, body: str) -> None:
        """Rewrite an answer."""
        self.desk.edit(self.heard, note, body)


@dataclass(frozen=True, slots=True)
class Talking:
    """Answers comments. `name` is what the bot is called by; `asking` answers questions, `read` reads changes."""

    name: str = NAME
    asking: Ask | None = None
    read: Callable[[ChangeId, Attended], Change] = lambda change, desk: desk.fetch().change

    def __call__(
        self, said: Commented, desk: Attended, queue: Queue, for_resolving: Callable[[], Attended]
    ) -> None:
        """Answer one comment; `for_resolving` opens its change with the right to resolve threads.

        Raises ForgeError, QueueError.
        """
        if not is_for_us(said, self.name):
            return
        comment = said.comment
        if not comment.trusted:
            said = replace(said, comment=replace(comment, trusted=desk.may_write(comment.author)))
        heard = Heard(comment.id, comment.thread, bool(comment.path), comment.reply_to or comment.id)

        def review(full: bool) -> str:
            standing = desk.standing()
            if not (why := why_not(standing, asked=True)):
                asked = Pushed(said.change, standing.head, again=True, full=full)
                queue.accept(f"command:{key_of(said)}", asked)
            return why

        def describe() -> Description:
            return described(gather(self.read(said.change, desk)), issue=_issue(desk))

        def resolve() -> bool:
            own = _own(said, desk)
            if own is None or own.resolved_by is not None:
                return False
            for_resolving().resolve(own)
            return True

        asking = self.asking
        context = Context(
            self.name,
            review=review,
            describe=describe,
            ask=None if asking is None else lambda text, told: asking(said.change, desk, text, told),
            finding=lambda: _finding(said, desk, queue),
            resolve=None if said.change.forge == "gitea" else resolve,  # whose API can't do it
        )
        converse(said, _Thread(desk, heard), context, queue)


def _issue(desk: Attended) -> Issue | None:
    """Read the issue that a change closes; a description does without one that can't be read."""
    with suppress(UsageError):
        if told := closed_issue(desk):
            return issue_of(told.encode())
    return None


def _finding(said: Commented, desk: Attended, queue: Queue) -> Finding | None:
    """Find the remark that a comment replies to, by the mark of our comment that its thread begins with."""
    report = queue.kept(said.change)
    own = _own(said, desk) if report else None
    marker = read_marker(own.body) if own is not None else None
    if marker is None:
        return None
    return next((one for one in load(report).findings if one.fingerprint == marker.fingerprint), None)


def _own(said: Commented, desk: Attended) -> OwnComment | None:
    """Find the comment of ours that a thread begins with."""
    comment = said.comment
    for own in desk.existing().comments:
        if own.id == str(comment.reply_to) or (comment.thread and own.thread == comment.thread):
            return own
    return None
