"""A GitHub that remembers, and refuses what GitHub refuses."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from fakes import github_bodies as bodies
from fakes.server import Answer, Fault, Request, numbered, page

DIFF = "application/vnd.github.v3.diff"
LIMIT = 65_536
DOCS = "https://docs.github.com/rest"
NOT_PART = "Pull request review thread line must be part of the diff"
TOO_LONG = "body is too long (maximum is 65536 characters)"


@dataclass
class Account:
    login: str
    writes: bool = True
    writes_code: bool = False  # contents: write, which resolving a thread takes
    app: bool = False  # an installation's token, as a job's GITHUB_TOKEN is: it may not ask GET /user


@dataclass
class FakeGitHub:
    """One repository with one pull request, number 7."""

    patch: str
    base: str = "b" * 40
    head: str = "a" * 40
    title: str = "A change"
    name: str = "octo/repo"
    accounts: dict[str, Account] = field(default_factory=lambda: {"secret-token": Account("hunk-bot")})
    writers: set[str] = field(default_factory=set)
    refused_paths: set[str] = field(default_factory=set)  # lines GitHub refuses though the diff has them
    graphql: bool = True
    diff_too_big: bool = False
    page_size: int = 100
    fault: Fault | None = None
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    review_comments: list[dict[str, Any]] = field(default_factory=list)
    issue_comments: list[dict[str, Any]] = field(default_factory=list)
    resolved: dict[int, str] = field(default_factory=dict)  # comment -> who
    minimized: set[str] = field(default_factory=set)  # node ids
    state: str = "open"
    draft: bool = False
    archived: bool = False
    labels: list[str] = field(default_factory=list)
    description: str | None = None
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[tuple[str, str, str]] = field(default_factory=list)  # commit, state, description
    reactions: list[tuple[str, str]] = field(default_factory=list)  # comment, content
    check_runs: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    @property
    def repo(self) -> str:
        return f"/repos/{self.name}"

    @property
    def pull_path(self) -> str:
        return f"{self.repo}/pulls/7"

    # what people do

    def reply(self, comment: int, login: str, body: str, association: str = "MEMBER") -> None:
        root = self._comment(comment)
        given = {"path": root["path"], "commit_id": self.head, "body": body, "in_reply_to_id": comment}
        self._add_comment(login, given, association)

    def say(self, login: str, body: str, **given: Any) -> int:
        """Write a review comment as somebody else."""
        return self._add_comment(
            login, {"path": "a.py", "commit_id": self.head, "body": body, **given}, "NONE"
        )

    # requests

    def handle(self, request: Request) -> Answer:
        if self.fault is not None and (answer := self.fault(request, len(self.requests))) is not None:
            return answer
        return self.answer(request)

    def answer(self, request: Request) -> Answer:
        account = self._account(request)
        if account is None:
            return Answer(401, {"message": "Bad credentials", "documentation_url": DOCS, "status": "401"})
        if request.path == "/graphql":
            return self._graphql(request, account)
        if request.method != "GET" and not account.writes:
            return self._forbidden()
        if request.path == "/user":
            return self._forbidden() if account.app else Answer(200, bodies.own_user(self.url, account.login))
        for method, pattern, action in self._routes():
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                answer: Answer = action(self, request, account, *found.groups())
                return answer
        return Answer(404, {"message": "Not Found", "documentation_url": DOCS, "status": "404"})

    def _routes(self) -> list[tuple[str, str, Any]]:
        repo, pull = re.escape(self.repo), re.escape(self.pull_path)
        issue = f"{repo}/issues/7"
        return [
            ("GET", f"{repo}/pulls", FakeGitHub._list_pulls),
            ("GET", pull, FakeGitHub._get_pull),
            ("GET", f"{pull}/files", FakeGitHub._files),
            ("GET", f"{pull}/comments", FakeGitHub._list_comments),
            ("POST", f"{pull}/comments", FakeGitHub._post_comment),
            ("POST", f"{pull}/reviews", FakeGitHub._post_review),
            ("PATCH", rf"{repo}/pulls/comments/(\d+)", FakeGitHub._edit_comment),
            ("GET", rf"{repo}/issues/(\d+)", FakeGitHub._get_issue),
            ("GET", f"{issue}/comments", FakeGitHub._list_issue_comments),
            ("POST", f"{issue}/comments", FakeGitHub._post_issue_comment),
            ("PATCH", rf"{repo}/issues/comments/(\d+)", FakeGitHub._edit_issue_comment),
            ("DELETE", rf"{repo}/issues/comments/(\d+)", FakeGitHub._drop_issue_comment),
            ("GET", rf"{repo}/commits/([0-9a-f]+)/check-runs", FakeGitHub._list_check_runs),
            ("POST", f"{repo}/check-runs", FakeGitHub._start_check_run),
            ("GET", rf"{repo}/check-runs/(\d+)", FakeGitHub._get_check_run),
            ("PATCH", rf"{repo}/check-runs/(\d+)", FakeGitHub._go_on_check_run),
            ("POST", rf"{repo}/statuses/([0-9a-f]+)", FakeGitHub._post_status),
            ("GET", rf"{repo}/collaborators/([^/]+)/permission", FakeGitHub._permission),
            ("POST", rf"{pull}/comments/(\d+)/replies", FakeGitHub._reply_to),
            ("POST", rf"{repo}/(?:issues|pulls)/comments/(\d+)/reactions", FakeGitHub._react),
        ]

    def _account(self, request: Request) -> Account | None:
        return self.accounts.get(request.headers.get("authorization", "").partition(" ")[2])

    def _forbidden(self) -> Answer:
        said = "Resource not accessible by integration"
        return Answer(403, {"message": said, "documentation_url": DOCS, "status": "403"})

    def _refuse(self, *why: str) -> Answer:
        said = f"Unprocessable Entity: {', '.join(why)}"
        return Answer(422, {"message": said, "documentation_url": DOCS, "errors": list(why)})

    def _invalid(self, why: str) -> Answer:
        return Answer(
            422,
            {
                "message": "Validation Failed",
                "documentation_url": DOCS,
                "errors": [{"resource": "IssueComment", "code": "unprocessable", "message": why}],
            },
        )

    def _pull_body(self) -> dict[str, Any]:
        files = len(numbered(self.patch))
        body = bodies.pull(
            self.url, self.name, 7, base=self.base, head=self.head, title=self.title, files=files
        )
        body["base"]["repo"]["archived"] = self.archived
        labels = [bodies.label(self.url, self.repo, name) for name in self.labels]
        said = {"body": self.description}
        return {**body, **said, "state": self.state, "draft": self.draft, "labels": labels}

    def _get_issue(self, request: Request, account: Account, number: str) -> Answer:
        found = self.issues.get(int(number))
        if found is None:
            return Answer(404, {"message": "Not Found", "documentation_url": DOCS, "status": "404"})
        return Answer(200, {"number": int(number), **found})

    def _list_pulls(self, request: Request, account: Account) -> Answer:
        wanted = request.query.get("head")
        found = wanted in (None, f"{self.name.partition('/')[0]}:topic")
        return Answer(200, [self._pull_body()] if found else [])

    def _get_pull(self, request: Request, account: Account) -> Answer:
        if request.headers.get("accept") != DIFF:
            return Answer(200, self._pull_body())
        if self.diff_too_big:
            said = "Sorry, the diff exceeded the maximum number of lines (20000)"
            return Answer(406, {"message": said, "documentation_url": DOCS})
        return Answer(200, self.patch, {"Content-Type": f"{DIFF}; charset=utf-8"})

    def _files(self, request: Request, account: Account) -> Answer:
        parts = re.split(r"^(?=diff --git )", self.patch, flags=re.MULTILINE)
        items = [self._file(part) for part in parts if part]
        shown, headers = page(items, request, self.url, self.page_size)
        return Answer(200, shown, headers)

    def _file(self, part: str) -> dict[str, Any]:
        path = part.splitlines()[0].rpartition(" b/")[2]
        start = part.find("\n@@ ")
        status = "added" if "\nnew file" in part else "removed" if "\ndeleted file" in part else "modified"
        links = {key: f"{self.url}/{key}" for key in ("blob_url", "contents_url", "raw_url")}
        counts = {"additions": 1, "deletions": 1, "changes": 2}
        body = {"filename": path, "status": status, "sha": "c" * 40, **links, **counts}
        return body if start < 0 else {**body, "patch": part[start + 1 :].rstrip("\n")}

    def _list_comments(self, request: Request, account: Account) -> Answer:
        shown, headers = page(self.review_comments, request, self.url, self.page_size)
        return Answer(200, shown, headers)

    def _list_issue_comments(self, request: Request, account: Account) -> Answer:
        shown, headers = page(self.issue_comments, request, self.url, self.page_size)
        return Answer(200, shown, headers)

    def _post_review(self, request: Request, account: Account) -> Answer:
        given = request.body
        if given["event"] == "COMMENT" and not given.get("body"):
            return self._refuse("Body can't be blank")
        if len(given.get("body", "")) > LIMIT:
            return self._invalid(TOO_LONG)
        for comment in given["comments"]:
            if (why := self._wrong(comment, given["commit_id"])) is not None:
                return self._refuse(why)  # all or nothing, and not said which
        number = next(self.numbers)
        for comment in given["comments"]:
            whole = {**comment, "commit_id": given["commit_id"], "subject_type": "line"}
            self._add_comment(account.login, whole, "NONE")
        made = bodies.review(
            self.url, self.pull_path, number, account.login, given["body"], given["commit_id"]
        )
        self.reviews.append(made)
        return Answer(200, made)

    def _post_comment(self, request: Request, account: Account) -> Answer:
        given = request.body
        if given.get("subject_type") == "file":
            if given["path"] not in numbered(self.patch):
                return self._invalid("pull_request_review_thread.path diff too large or not part of it")
            why = TOO_LONG if len(given["body"]) > LIMIT else None
        else:
            why = self._wrong(given, given["commit_id"])
        if why is not None:
            return self._invalid(why)
        number = self._add_comment(account.login, given, "NONE")
        return Answer(201, self._comment(number))

    def _wrong(self, comment: dict[str, Any], commit: str) -> str | None:
        if commit != self.head:
            return "Commit is not part of the pull request"
        if len(comment["body"]) > LIMIT:
            return TOO_LONG
        lines = numbered(self.patch).get(comment["path"])
        if lines is None:
            return "Path could not be resolved"
        hunks = {line.new: line.hunk for line in lines if line.mark in " +"}
        end, start = comment.get("line"), comment.get("start_line")
        if comment.get("side") != "RIGHT" or end not in hunks or comment["path"] in self.refused_paths:
            return f"{NOT_PART}, Line could not be resolved"
        if start is None:
            return None
        if start >= end:
            return "start line must precede the end line"
        return None if hunks.get(start) == hunks[end] else "Start position could not be resolved"

    def _add_comment(self, login: str, given: dict[str, Any], association: str) -> int:
        number = next(self.numbers)
        made = bodies.review_comment(self.url, self.pull_path, number, login, given, association)
        self.review_comments.append(made)
        return number

    def _comment(self, number: int) -> dict[str, Any]:
        return next(comment for comment in self.review_comments if comment["id"] == number)

    def _edit_comment(self, request: Request, account: Account, number: str) -> Answer:
        comment = self._comment(int(number))
        if comment["user"]["login"] != account.login:
            return self._forbidden()
        comment["body"] = request.body["body"]
        return Answer(200, comment)

    def _post_issue_comment(self, request: Request, account: Account) -> Answer:
        if len(request.body["body"]) > LIMIT:
            return self._invalid(TOO_LONG)
        path = f"{self.repo}/issues/7"
        number = next(self.numbers)
        made = bodies.issue_comment(self.url, path, number, account.login, request.body["body"])
        self.issue_comments.append(made)
        return Answer(201, made)

    def _edit_issue_comment(self, request: Request, account: Account, number: str) -> Answer:
        if len(request.body["body"]) > LIMIT:
            return self._invalid(TOO_LONG)
        comment = next(one for one in self.issue_comments if one["id"] == int(number))
        comment["body"] = request.body["body"]
        return Answer(200, comment)

    def _drop_issue_comment(self, request: Request, account: Account, number: str) -> Answer:
        self.issue_comments = [one for one in self.issue_comments if one["id"] != int(number)]
        return Answer(204)

    def _list_check_runs(self, request: Request, account: Account, commit: str) -> Answer:
        found = [run for run in self.check_runs if run["head_sha"] == commit]
        return Answer(200, {"total_count": len(found), "check_runs": found})

    def _start_check_run(self, request: Request, account: Account) -> Answer:
        run = bodies.check_run(self.url, self.repo, next(self.numbers), request.body)
        self.check_runs.append(run)
        return self._annotated(run, request.body, 201)

    def _go_on_check_run(self, request: Request, account: Account, number: str) -> Answer:
        run = next(one for one in self.check_runs if one["id"] == int(number))
        return self._annotated(run, request.body, 200)

    def _annotated(self, run: dict[str, Any], given: dict[str, Any], status: int) -> Answer:
        said = given.get("output", {})
        annotations = said.get("annotations", [])
        assert len(annotations) <= 50
        self.annotations += annotations
        run.update(status=given["status"], conclusion=given.get("conclusion"))
        output = run["output"]
        output.update(title=said.get("title"), summary=said.get("summary"))
        output["annotations_count"] += len(annotations)
        return Answer(status, run)

    def _get_check_run(self, request: Request, account: Account, number: str) -> Answer:
        return Answer(200, next(one for one in self.check_runs if one["id"] == int(number)))

    # what a bot asks beside

    def _post_status(self, request: Request, account: Account, commit: str) -> Answer:
        given = request.body
        assert len(given["description"]) <= 140
        self.statuses.append((commit, given["state"], given["description"]))
        return Answer(
            201, bodies.status(self.url, self.repo, next(self.numbers), commit, given, account.login)
        )

    def _permission(self, request: Request, account: Account, user: str) -> Answer:
        found = "write" if user in self.writers else "read"
        body = {"permission": found, "role_name": found, "user": None}
        return Answer(200, body)

    def _reply_to(self, request: Request, account: Account, number: str) -> Answer:
        root = self._comment(int(number))
        given = {"path": root["path"], "commit_id": self.head, "in_reply_to_id": int(number)}
        made = self._add_comment(account.login, {**given, "body": request.body["body"]}, "NONE")
        return Answer(201, self._comment(made))

    def _react(self, request: Request, account: Account, number: str) -> Answer:
        self.reactions.append((number, request.body["content"]))
        body = {"id": next(self.numbers), "node_id": "R", "user": bodies.user(self.url, account.login)}
        return Answer(201, {**body, "content": request.body["content"], "created_at": bodies.TIME})

    # GraphQL: the documents the bot may send

    def _graphql(self, request: Request, account: Account) -> Answer:
        if not self.graphql:
            return Answer(404, {"message": "Not Found", "documentation_url": DOCS})
        query, variables = request.body["query"], request.body["variables"]
        if "minimizeComment" in query:
            return self._minimize(variables["input"], account)
        if "resolveReviewThread" in query:
            return self._resolve(variables["input"]["threadId"], account)
        if "viewer" in query:
            return Answer(200, {"data": {"viewer": {"login": account.login}}})
        assert "reviewThreads" in query
        threads = [self._thread(one) for one in self.review_comments if "in_reply_to_id" not in one]
        start = int(variables["after"] or 0)
        end = start + min(100, self.page_size)
        found = {
            "pageInfo": {"hasNextPage": end < len(threads), "endCursor": str(end)},
            "nodes": threads[start:end],
        }
        return Answer(200, {"data": {"repository": {"pullRequest": {"reviewThreads": found}}}})

    def _thread(self, comment: dict[str, Any]) -> dict[str, Any]:
        who = self.resolved.get(comment["id"])
        first = {"databaseId": comment["id"], "isMinimized": comment["node_id"] in self.minimized}
        return {
            "id": f"PRRT_{comment['id']}",
            "isResolved": who is not None,
            "resolvedBy": {"login": who} if who else None,
            "comments": {"nodes": [first]},
        }

    def _resolve(self, thread: str, account: Account) -> Answer:
        if not account.writes_code:
            error = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
            return Answer(200, {"data": {"resolveReviewThread": None}, "errors": [error]})
        self.resolved[int(thread.removeprefix("PRRT_"))] = account.login
        return Answer(200, {"data": {"resolveReviewThread": {"thread": {"isResolved": True}}}})

    def _minimize(self, wish: dict[str, Any], account: Account) -> Answer:
        if not account.writes:
            error = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
            return Answer(200, {"data": {"minimizeComment": None}, "errors": [error]})
        assert wish["classifier"] == "OUTDATED"
        self.minimized.add(wish["subjectId"])
        return Answer(200, {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})

    # what is seen in the end

    def seen(self) -> dict[str, Any]:
        """All that people see, without the numbers and times of the making."""
        keys = ("path", "line", "start_line", "side", "subject_type", "body")
        return {
            "comments": sorted(
                repr(
                    [comment.get(key) for key in keys]
                    + [comment["user"]["login"], comment["node_id"] in self.minimized]
                )
                for comment in self.review_comments
            ),
            "notes": [(note["user"]["login"], note["body"]) for note in self.issue_comments],
            "checks": [self.annotations, [run["conclusion"] for run in self.check_runs]],
            "reviews": sorted({review["body"] for review in self.reviews}),
        }
