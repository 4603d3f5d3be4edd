"""A Gitea that remembers, and refuses what Gitea refuses. Bodies may have the keys of its description alone."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from fakes.server import Answer, Fault, Request, numbered

# https://docs.gitea.com/api/: the keys of each body that is sent
REVIEW = {"event", "body", "commit_id", "comments"}
REVIEW_COMMENT = {"path", "body", "old_position", "new_position"}
STATUS = {"state", "target_url", "description", "context"}
EVENTS = {"APPROVED", "REQUEST_CHANGES", "COMMENT", "PENDING"}
STATES = {"pending", "success", "error", "failure", "warning"}


@dataclass
class FakeGitea:
    """One repository with one pull request, number 7."""

    patch: str
    base: str = "b" * 40
    head: str = "a" * 40
    title: str = "A change"
    name: str = "octo/repo"
    accounts: dict[str, str] = field(default_factory=lambda: {"secret-token": "hunk-bot"})
    state: str = "open"
    draft: bool = False
    archived: bool = False
    labels: list[str] = field(default_factory=list)
    description: str | None = None
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    writers: set[str] = field(default_factory=set)
    administers: bool = True  # whether we may ask what others may do
    largest_page: int = 50
    fault: Fault | None = None
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    review_comments: list[dict[str, Any]] = field(default_factory=list)
    issue_comments: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[tuple[str, str, str]] = field(default_factory=list)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    def handle(self, request: Request) -> Answer:
        if self.fault is not None and (answer := self.fault(request, len(self.requests))) is not None:
            return answer
        return self.answer(request)

    def answer(self, request: Request) -> Answer:
        me = self.accounts.get(request.headers.get("authorization", "").removeprefix("token "))
        if me is None:
            return Answer(401, {"message": "invalid username, password or token"})
        path = request.path.removeprefix("/api/v1")
        if path == "/user":
            return Answer(200, self._user(me))
        repo, pull, issue = re.escape(f"/repos/{self.name}"), "/pulls/7", "/issues/7"
        routes: list[tuple[str, str, Any]] = [
            ("GET", pull, self._pull),
            ("GET", rf"{pull}\.diff", lambda *_: Answer(200, self.patch)),
            ("GET", f"{pull}/reviews", lambda *_: self._page(self.reviews, request)),
            ("GET", rf"{pull}/reviews/(\d+)/comments", self._comments),
            ("POST", f"{pull}/reviews", self._review),
            ("GET", r"/issues/(\d+)", self._issue),
            ("GET", f"{issue}/comments", lambda *_: self._page(self.issue_comments, request)),
            ("POST", f"{issue}/comments", self._say),
            ("PATCH", r"/issues/comments/(\d+)", self._edit),
            ("DELETE", r"/issues/comments/(\d+)", self._drop),
            ("POST", r"/issues/comments/(\d+)/reactions", self._react),
            ("POST", r"/statuses/([0-9a-f]{40})", self._status),
            ("GET", r"/collaborators/([^/]+)/permission", self._permission),
        ]
        for method, pattern, action in routes:
            found = re.fullmatch(repo + pattern, path)
            if found and method == request.method:
                answer: Answer = action(request, me, *found.groups())
                return answer
        return Answer(404, {"message": "The target couldn't be found.", "url": f"{self.url}/api/swagger"})

    def _user(self, login: str) -> dict[str, Any]:
        return {"id": len(login), "login": login}

    def _page(self, items: list[dict[str, Any]], request: Request) -> Answer:
        size = min(int(request.query["limit"]), self.largest_page)
        number = int(request.query["page"])
        return Answer(200, items[(number - 1) * size : number * size])

    def _pull(self, request: Request, me: str) -> Answer:
        repo = {"full_name": self.name, "archived": self.archived, "clone_url": f"{self.url}/{self.name}.git"}
        return Answer(
            200,
            {
                "number": 7,
                "title": self.title,
                "body": self.description or "",
                "state": self.state,
                "draft": self.draft,
                "user": self._user("author"),
                "labels": [{"id": 1, "name": name} for name in self.labels],
                "merge_base": self.base,
                "base": {"ref": "main", "sha": self.base, "repo": repo},
                "head": {"ref": "--upload-pack=touch x", "sha": self.head, "repo": repo},
            },
        )

    def _issue(self, request: Request, me: str, number: str) -> Answer:
        found = self.issues.get(int(number))
        if found is None:
            return Answer(404, {"message": "The target couldn't be found."})
        return Answer(200, {"number": int(number), "pull_request": None, **found})

    def _review(self, request: Request, me: str) -> Answer:
        given = request.body
        assert set(given) <= REVIEW
        assert given["event"] in EVENTS
        lines = numbered(self.patch)
        for comment in given["comments"]:
            assert set(comment) <= REVIEW_COMMENT
            shown = {line.new for line in lines.get(comment["path"], ()) if line.mark != "-"}
            if comment["new_position"] not in shown:
                return Answer(422, {"message": "line is not in the diff"})
        review = {
            "id": next(self.numbers),
            "user": self._user(me),
            "state": "COMMENT",
            "body": given["body"],
            "commit_id": given["commit_id"],
            "comments_count": len(given["comments"]),
        }
        self.reviews.append(review)
        for comment in given["comments"]:
            body = {"body": comment["body"], "path": comment["path"], "position": comment["new_position"]}
            made = {"id": next(self.numbers), "user": self._user(me), "resolver": None, **body}
            self.review_comments.append({**made, "pull_request_review_id": review["id"]})
        return Answer(200, review)

    def _comments(self, request: Request, me: str, review: str) -> Answer:
        found = [one for one in self.review_comments if one["pull_request_review_id"] == int(review)]
        return self._page(found, request)

    def _say(self, request: Request, me: str) -> Answer:
        assert set(request.body) == {"body"}
        made = {"id": next(self.numbers), "user": self._user(me), "body": request.body["body"]}
        self.issue_comments.append(made)
        return Answer(201, made)

    def _edit(self, request: Request, me: str, number: str) -> Answer:
        for comment in (*self.issue_comments, *self.review_comments):
            if comment["id"] == int(number) and comment["user"]["login"] == me:
                comment["body"] = request.body["body"]
                return Answer(200, comment)
        return Answer(403)

    def _drop(self, request: Request, me: str, number: str) -> Answer:
        self.issue_comments = [one for one in self.issue_comments if one["id"] != int(number)]
        return Answer(204)

    def _react(self, request: Request, me: str, number: str) -> Answer:
        self.reactions.append((number, request.body["content"]))
        return Answer(201, {"content": request.body["content"]})

    def _status(self, request: Request, me: str, commit: str) -> Answer:
        given = request.body
        assert set(given) <= STATUS
        assert given["state"] in STATES
        self.statuses.append((commit, given["state"], given["description"]))
        return Answer(201, {"id": next(self.numbers), "status": given["state"]})

    def _permission(self, request: Request, me: str, user: str) -> Answer:
        if not self.administers:
            return Answer(403, {"message": "repo admins can query all repo permissions"})
        return Answer(200, {"permission": "write" if user in self.writers else "read"})
