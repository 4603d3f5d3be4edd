"""A merge request on GitLab as a bot attends to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.forges.attended import Heard, Progress, Stage, Standing
from hunkwise.reviewer.forges.gitlab.merge import GitLabMerge, diff_refs
from hunkwise.reviewer.forges.pulls import CHECK
from hunkwise.reviewer.publish.port import Call, NotAllowed, OwnComment, OwnNote, understood
from hunkwise.reviewer.types import Review

_DEVELOPER = 30  # the least access level that may write
_DESCRIPTION = 255  # characters of a commit status
_STATES = {
    Stage.QUEUED: "pending",
    Stage.RUNNING: "running",
    Stage.DONE: "success",
    Stage.LEFT: "canceled",
    Stage.FAILED: "failed",
}


class GitLabAttended(GitLabMerge):
    """Satisfies `Attended`."""

    def standing(self) -> Standing:
        """Say how the merge request stands. Raises Unavailable while GitLab still makes its diff."""
        with understood("GitLab"):
            merge, project = self._read(self._merge), self._read(self._project)
            refs = diff_refs(merge)
            return Standing(
                project=str(project["path_with_namespace"]),
                head=str(refs["head_sha"]),
                target=str(refs["start_sha"]),
                open=merge["state"] == "opened",
                draft=bool(merge.get("draft")),
                archived=bool(project.get("archived")),
                labels=frozenset(str(label) for label in merge.get("labels") or ()),
            )

    def show(self, head: str, progress: Progress, review: Review | None = None) -> None:
        """Set the commit's status."""
        body = {
            "state": _STATES[progress.stage],
            "name": CHECK,
            "description": progress.title[:_DESCRIPTION],
        }
        self.send(Call("POST", f"{self._project}/statuses/{head}", body))

    def may_write(self, user: str) -> bool:
        """Ask what an account may do, by membership in the project or a group above it."""
        with understood("GitLab"):
            try:
                members = self._list(f"{self._project}/members/all?query={quote(user, safe='')}")
            except NotAllowed:
                return False
            return any(one["username"] == user and one["access_level"] >= _DEVELOPER for one in members)

    def answer(self, heard: Heard, body: str) -> str:
        """Answer in the comment's thread."""
        with understood("GitLab"):
            return str(self._answer(f"{self._thread(heard)}/notes", {"body": body})["id"])

    def answers(self, heard: Heard) -> Iterable[OwnNote]:
        """List our own notes in the comment's thread."""
        with understood("GitLab"):
            me = self._me()
            for note in self._read(self._thread(heard))["notes"]:
                if note["author"]["id"] == me:
                    yield OwnNote(str(note["id"]), note["body"])

    def resolve(self, own: OwnComment) -> None:
        """Resolve a thread."""
        self.send(Call("PUT", f"{self._merge}/discussions/{own.thread}", {"resolved": True}))

    def edit(self, heard: Heard, note: str, body: str) -> None:
        """Rewrite an answer."""
        self.send(Call("PUT", f"{self._thread(heard)}/notes/{note}", {"body": body}))

    def react(self, heard: Heard) -> None:
        """Show that a comment was seen."""
        self.send(Call("POST", f"{self._merge}/notes/{heard.id}/award_emoji", {"name": "eyes"}))

    def _thread(self, heard: Heard) -> str:
        return f"{self._merge}/discussions/{quote(heard.thread, safe='')}"

    def _answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with self._translated(f"POST {path}"):
            answer = self._client.http_post(path, post_data=body, obey_rate_limit=False)
        if not isinstance(answer, dict):
            raise ForgeError(f"GitLab answered something else than JSON to POST {path}")
        return answer
