"""Comments: from one that a webhook told of to its answer, with what the worker has to answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hunkwise.reviewer.bot.asking import Asking
from hunkwise.reviewer.bot.commands.answers import Context
from hunkwise.reviewer.bot.commands.conversation import converse
from hunkwise.reviewer.bot.commands.parsing import parse
from hunkwise.reviewer.bot.commands.permission import is_heard
from hunkwise.reviewer.bot.port import Commented, Event, Pushed
from hunkwise.reviewer.bot.queue.port import Queue, key_of
from hunkwise.reviewer.describing.describe import described
from hunkwise.reviewer.describing.description import Description
from hunkwise.reviewer.describing.gathering import gather
from hunkwise.reviewer.forges.attended import Attended, Heard
from hunkwise.reviewer.publish.marker import read_marker
from hunkwise.reviewer.publish.port import HideComment, OwnComment
from hunkwise.reviewer.report.interchange.json import load
from hunkwise.reviewer.types import Finding

NAME = "hunkwise"


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
    """Answers comments. `name` is what the bot is called by; `asking` answers questions where a model can."""

    name: str = NAME
    asking: Asking | None = None

    def __call__(self, said: Commented, desk: Attended, queue: Queue) -> None:
        """Answer one comment. Raises ForgeError, QueueError."""
        if not is_for_us(said, self.name):
            return
        comment = said.comment
        if not comment.trusted:
            said = replace(said, comment=replace(comment, trusted=desk.may_write(comment.author)))
        heard = Heard(comment.id, comment.thread, bool(comment.path), comment.reply_to or comment.id)

        def review(full: bool) -> bool:
            asked = Pushed(said.change, desk.standing().head, again=True)
            return queue.accept(f"command:{key_of(said)}", asked)

        def describe() -> Description:
            return described(gather(desk.fetch().change))

        def resolve() -> bool:
            own = _own(said, desk)
            if own is None or own.hidden:
                return False
            for call in desk.calls(HideComment(own), desk.fetch()):
                desk.send(call)
            return True

        asking = self.asking
        context = Context(
            self.name,
            review=review,
            describe=describe,
            ask=None if asking is None else lambda text, told: asking(desk.fetch().change, text, told),
            finding=lambda: _finding(said, desk, queue),
            # GitHub wants the right to write code for it, Gitea's API can't do it
            resolve=resolve if said.change.forge == "gitlab" else None,
        )
        converse(said, _Thread(desk, heard), context, queue)


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
