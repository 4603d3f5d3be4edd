"""A pull request on GitHub as a bot attends to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.attended import Heard, Progress, Stage, Standing
from hunkwise.reviewer.forges.github.api import GRAPHQL, PAGE
from hunkwise.reviewer.forges.github.check_run import CheckRun, next_call
from hunkwise.reviewer.forges.github.pull import GitHubPull
from hunkwise.reviewer.forges.pulls import CHECK, MADE_BY, login, standing_of, status_state
from hunkwise.reviewer.publish.comment import GITHUB, cut
from hunkwise.reviewer.publish.deliver import deliver_check
from hunkwise.reviewer.publish.port import Call, NotAllowed, OwnComment, OwnNote, Refused, understood
from hunkwise.reviewer.types import Review

_DESCRIPTION = 140  # characters of a commit status
_RESOLVE = """
mutation($input: ResolveReviewThreadInput!) { resolveReviewThread(input: $input) { thread { isResolved } } }
"""
_ENDS = {Stage.LEFT: "cancelled", Stage.FAILED: "neutral"}


class GitHubAttended(GitHubPull):
    """Satisfies `Attended`. `checks`: the token is an App's, which alone may write check runs."""

    def __init__(self, address: Address, token: str, *, checks: bool, timeout: int = 30) -> None:
        super().__init__(address, token, timeout=timeout)
        self._checks = checks
        self._made_by = f"{MADE_BY}/{address.number}"  # jobs of GitHub Actions make others

    def standing(self) -> Standing:
        """Say how the pull request stands."""
        with understood("GitHub"):
            return standing_of(self._api.get(self._pull))

    def show(self, head: str, progress: Progress, review: Review | None = None) -> None:
        """Write a check run, or with another token than an App's a commit status."""
        if not self._checks:
            state = status_state(progress.stage)
            body = {"state": state, "context": CHECK, "description": progress.title[:_DESCRIPTION]}
            self.send(Call("POST", f"{self._repo}/statuses/{head}", body))
        elif review is not None:
            run = self._unfinished(head) or self._begun(head, "in_progress")
            deliver_check(lambda: self._go_on(run["id"], review, progress.summary))
        else:
            self._move(head, progress)

    def _move(self, head: str, progress: Progress) -> None:
        """Bring the run that goes on to a stage; one that is over stays as it is, and a new one is begun."""
        run = self._unfinished(head)
        if progress.stage in (Stage.QUEUED, Stage.RUNNING):
            status = "queued" if progress.stage is Stage.QUEUED else "in_progress"
            if run is None:
                self._begun(head, status)
            elif run["status"] == "queued":
                self.send(Call("PATCH", f"{self._repo}/check-runs/{run['id']}", {"status": status}))
        elif run is not None:
            output = {
                "title": progress.title,
                "summary": cut(progress.summary or progress.title, GITHUB.limit),
            }
            body = {"status": "completed", "conclusion": _ENDS[progress.stage], "output": output}
            self.send(Call("PATCH", f"{self._repo}/check-runs/{run['id']}", body))

    def _go_on(self, run: int, review: Review, summary: str) -> bool:
        """Send what comes next of the annotations of a run; False if it is complete."""
        with understood("GitHub"):
            found = self._api.get(f"{self._repo}/check-runs/{run}")
            there = CheckRun(run, found["output"]["annotations_count"], found["status"] == "completed")
            call = next_call(self._repo, review, summary, there)
        if call is not None:
            self.send(call)
        return call is not None

    def _unfinished(self, head: str) -> dict[str, Any] | None:
        with understood("GitHub"):
            where = urlencode({"check_name": CHECK, "filter": "all", "per_page": PAGE})
            listed = self._api.get(f"{self._repo}/commits/{head}/check-runs?{where}")["check_runs"]
            ours = (
                run for run in listed if run["external_id"] == self._made_by and run["status"] != "completed"
            )
            return next(ours, None)

    def _begun(self, head: str, status: str) -> dict[str, Any]:
        body = {"name": CHECK, "head_sha": head, "external_id": self._made_by, "status": status}
        return self._api.answer(Call("POST", f"{self._repo}/check-runs", body))

    def may_write(self, user: str) -> bool:
        """Ask what an account may do."""
        with understood("GitHub"):
            path = f"{self._repo}/collaborators/{quote(user, safe='')}/permission"
            try:
                return self._api.get(path)["permission"] in ("admin", "write")
            except NotAllowed:
                return False

    def answer(self, heard: Heard, body: str) -> str:
        """Answer below a comment in the diff, or below the pull request."""
        replies = f"{self._pull}/comments/{heard.root or heard.id}/replies"  # a reply takes none itself
        place = replies if heard.on_code else f"{self._issue}/comments"
        with understood("GitHub"):
            return str(self._api.answer(Call("POST", place, {"body": body}))["id"])

    def answers(self, heard: Heard) -> Iterable[OwnNote]:
        """List our own comments in the diff, or below the pull request."""
        with understood("GitHub"):
            me = self._me()
            for note in self._api.pages(f"{self._pull if heard.on_code else self._issue}/comments"):
                if login(note) == me:
                    yield OwnNote(str(note["id"]), note["body"] or "")

    def resolve(self, own: OwnComment) -> None:
        """Resolve a thread, which takes the right to write code."""
        with understood("GitHub"):
            thread = self._threads().get(int(own.id))
        try:
            if thread is None:
                raise NotAllowed("no thread is shown to this token")
            wish = {"input": {"threadId": thread["id"]}}
            self.send(Call("POST", GRAPHQL, {"query": _RESOLVE, "variables": wish}))
        except (NotAllowed, Refused) as error:
            raise NotAllowed(
                "GitHub resolves threads only for who may write code: "
                "give the App `contents: write`, or press the button below the thread"
            ) from error

    def edit(self, heard: Heard, note: str, body: str) -> None:
        """Rewrite an answer."""
        self.send(Call("PATCH", f"{self._repo}/{_kind(heard)}/comments/{note}", {"body": body}))

    def react(self, heard: Heard) -> None:
        """Show that a comment was seen."""
        path = f"{self._repo}/{_kind(heard)}/comments/{heard.id}/reactions"
        self.send(Call("POST", path, {"content": "eyes"}))


def _kind(heard: Heard) -> str:
    return "pulls" if heard.on_code else "issues"
