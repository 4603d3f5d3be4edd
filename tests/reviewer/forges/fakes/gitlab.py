"""A GitLab that remembers, and refuses what GitLab refuses."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fakes.server import Answer, Fault, Request, numbered, page

TIME = "2026-11-22T12:00:00.000Z"
FENCED = re.compile(r"^(`{3,}).*?^\1`*\s*$", re.MULTILINE | re.DOTALL)
QUICK_ACTION = re.compile(r"^/[a-z_]+", re.MULTILINE)


@dataclass
class Account:
    username: str
    number: int
    writes: bool = True
    resolves: bool = True


@dataclass
class FakeGitLab:
    """One project with one merge request, number 7."""

    patch: str
    base: str = "b" * 40
    start: str = "c" * 40
    head: str = "a" * 40
    title: str = "A change"
    name: str = "group/sub/project"
    accounts: dict[str, Account] = field(default_factory=lambda: {"secret-token": Account("hunk-bot", 23)})
    state: str = "opened"
    draft: bool = False
    archived: bool = False
    labels: list[str] = field(default_factory=list)
    description: str | None = None
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    writers: set[str] = field(default_factory=set)
    statuses: list[tuple[str, str, str]] = field(default_factory=list)  # commit, state, description
    reactions: list[tuple[str, str]] = field(default_factory=list)  # note, name
    unready: int = 0  # how often diff_refs is null
    collapsed: set[str] = field(default_factory=set)
    refused_paths: set[str] = field(default_factory=set)
    page_size: int = 100
    fault: Fault | None = None
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    discussions: list[dict[str, Any]] = field(default_factory=list)
    drafts: list[dict[str, Any]] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)  # quick actions that a note set off
    published: int = 0  # notifications
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(300))

    # what people do

    def reply(self, thread: str, username: str, body: str) -> None:
        self._thread(thread)["notes"].append(self._note(Account(username, 99), body, None))

    def resolve(self, thread: str, username: str) -> None:
        for note in self._thread(thread)["notes"]:
            note.update(resolved=True, resolved_by=self._user(Account(username, 99)))

    def say(self, username: str, body: str) -> str:
        return self._start(Account(username, 99), body, None)

    # requests

    def handle(self, request: Request) -> Answer:
        if self.fault is not None and (answer := self.fault(request, len(self.requests))) is not None:
            return answer
        return self.answer(request)

    def answer(self, request: Request) -> Answer:
        account = self.accounts.get(request.headers.get("private-token", ""))
        if account is None:
            return Answer(401, {"message": "401 Unauthorized"})
        if request.path == "/api/v4/user":
            return Answer(200, self._user(account))
        found = re.fullmatch(r"/api/v4/projects/([^/]+)(/merge_requests/7)?(/.*)?", request.path)
        if found is None or unquote(found[1]) != self.name:
            return Answer(404, {"message": "404 Not found"})
        if not found[2]:
            return self._of_project(request, account, found[3] or "")
        if request.method != "GET" and not account.writes:
            return Answer(403, {"message": "403 Forbidden"})
        for method, pattern, action in self._routes():
            inner = re.fullmatch(pattern, found[3] or "")
            if inner and method == request.method:
                answer: Answer = action(self, request, account, *inner.groups())
                return answer
        return Answer(404, {"message": "404 Not found"})

    def _routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", "", FakeGitLab._get),
            ("GET", "/diffs", FakeGitLab._diffs),
            ("GET", "/discussions", FakeGitLab._list_discussions),
            ("POST", "/discussions", FakeGitLab._post_discussion),
            ("GET", "/discussions/([0-9a-f]+)", FakeGitLab._get_discussion),
            ("PUT", "/discussions/([0-9a-f]+)", FakeGitLab._resolve),
            ("PUT", r"/discussions/([0-9a-f]+)/notes/(\d+)", FakeGitLab._edit),
            ("POST", "/notes", FakeGitLab._post_note),
            ("PUT", r"/notes/(\d+)", FakeGitLab._edit_note),
            ("DELETE", r"/notes/(\d+)", FakeGitLab._drop_note),
            ("POST", "/discussions/([0-9a-f]+)/notes", FakeGitLab._answer),
            ("POST", r"/notes/(\d+)/award_emoji", FakeGitLab._react),
            ("GET", "/draft_notes", FakeGitLab._list_drafts),
            ("POST", "/draft_notes", FakeGitLab._post_draft),
            ("DELETE", r"/draft_notes/(\d+)", FakeGitLab._drop_draft),
            ("POST", "/draft_notes/bulk_publish", FakeGitLab._publish),
        ]

    def _user(self, account: Account) -> dict[str, Any]:
        return {"id": account.number, "username": account.username, "name": account.username}

    def _get(self, request: Request, account: Account) -> Answer:
        self.unready -= 1
        refs = {"base_sha": self.base, "start_sha": self.start, "head_sha": self.head}
        body = {
            "id": 11,
            "iid": 7,
            "project_id": 5,
            "title": self.title,
            "description": self.description,
            "state": self.state,
            "draft": self.draft,
            "labels": self.labels,
            "sha": self.head,
            "source_branch": "topic",
            "target_branch": "main",
            "author": self._user(Account("author", 8)),
            "web_url": f"{self.url}/{self.name}/-/merge_requests/7",
            "diff_refs": None if self.unready >= 0 else refs,
        }
        return Answer(200, body)

    def _of_project(self, request: Request, account: Account, path: str) -> Answer:
        """Answer what a bot asks of the project."""
        if request.method == "GET" and path == "":
            where = f"{self.url}/{self.name}"
            last = self.name.rpartition("/")[2]
            body = {"id": 5, "name": last, "path": last, "path_with_namespace": self.name}
            body |= {"archived": self.archived, "web_url": where}
            return Answer(200, {**body, "http_url_to_repo": f"{where}.git", "default_branch": "main"})
        if request.method == "GET" and (asked := re.fullmatch(r"/issues/(\d+)", path)):
            issue = self.issues.get(int(asked[1]))
            if issue is None:
                return Answer(404, {"message": "404 Issue Not Found"})
            told = {"iid": int(asked[1]), "title": issue["title"], "description": issue["body"]}
            return Answer(200, {**told, "confidential": issue.get("confidential", False)})
        if request.method == "GET" and path == "/members/all":
            named = [name for name in self.writers if request.query["query"] in name]
            return Answer(200, [{"id": 9, "username": name, "access_level": 30} for name in named])
        if request.method == "POST" and (found := re.fullmatch(r"/statuses/([0-9a-f]+)", path)):
            given = request.body
            same = [one for one in self.statuses if one[0] == found[1]][-1:]
            if same and same[0][1] == given["state"] == "running":
                return Answer(400, {"message": "Cannot transition status via :run from :running"})
            self.statuses.append((found[1], given["state"], given["description"]))
            return Answer(201, {"id": next(self.numbers), "sha": found[1], "status": given["state"]})
        return Answer(404, {"message": "404 Not found"})

    def _answer(self, request: Request, account: Account, thread: str) -> Answer:
        note = self._note(account, request.body["body"], None)
        self._thread(thread)["notes"].append(note)
        return Answer(201, note)

    def _react(self, request: Request, account: Account, number: str) -> Answer:
        self.reactions.append((number, request.body["name"]))
        return Answer(201, {"id": next(self.numbers), "name": request.body["name"]})

    def _diffs(self, request: Request, account: Account) -> Answer:
        parts = [part for part in re.split(r"^(?=diff --git )", self.patch, flags=re.MULTILINE) if part]
        shown, headers = page([self._file(part) for part in parts], request, self.url, self.page_size)
        return Answer(200, shown, headers)

    def _file(self, part: str) -> dict[str, Any]:
        path = part.splitlines()[0].rpartition(" b/")[2]
        old = found[1] if (found := re.search(r"^rename from (.*)$", part, re.MULTILINE)) else path
        start = part.find("\n@@ ")
        cut = path in self.collapsed
        return {
            "old_path": old,
            "new_path": path,
            "diff": "" if cut or start < 0 else part[start + 1 :],
            "new_file": "\nnew file" in part,
            "deleted_file": "\ndeleted file" in part,
            "renamed_file": old != path,
            "collapsed": cut,
            "a_mode": "100644",
            "b_mode": "100644",
        }

    def _list_discussions(self, request: Request, account: Account) -> Answer:
        shown, headers = page(self.discussions, request, self.url, self.page_size)
        return Answer(200, shown, headers)

    def _get_discussion(self, request: Request, account: Account, thread: str) -> Answer:
        return Answer(200, self._thread(thread))

    def _list_drafts(self, request: Request, account: Account) -> Answer:
        mine = [draft for draft in self.drafts if draft["author_id"] == account.number]
        shown, headers = page(mine, request, self.url, self.page_size)
        return Answer(200, shown, headers)

    def _post_discussion(self, request: Request, account: Account) -> Answer:
        if (why := self._wrong(request.body.get("position"))) is not None:
            return Answer(400, {"message": f'400 Bad request - Note {{:line_code=>["{why}"]}}'})
        self.published += 1
        thread = self._start(account, request.body["body"], request.body.get("position"))
        return Answer(201, self._thread(thread))

    def _post_draft(self, request: Request, account: Account) -> Answer:
        if (why := self._wrong(request.body.get("position"))) is not None:
            return Answer(400, {"message": {"line_code": [why]}})
        draft = {
            "id": next(self.numbers),
            "author_id": account.number,
            "merge_request_id": 11,
            "note": request.body["note"],
            "position": request.body.get("position"),
        }
        self.drafts.append(draft)
        return Answer(201, draft)

    def _drop_draft(self, request: Request, account: Account, number: str) -> Answer:
        before = len(self.drafts)
        mine = (int(number), account.number)
        self.drafts = [draft for draft in self.drafts if (draft["id"], draft["author_id"]) != mine]
        return Answer(204 if len(self.drafts) < before else 404, {"message": "404 Not found"})

    def _publish(self, request: Request, account: Account) -> Answer:
        mine = [draft for draft in self.drafts if draft["author_id"] == account.number]
        self.drafts = [draft for draft in self.drafts if draft not in mine]
        for draft in mine:
            self._start(account, draft["note"], draft["position"])
        self.published += 1
        return Answer(204)

    def _post_note(self, request: Request, account: Account) -> Answer:
        thread = self._start(account, request.body["body"], None, individual=True)
        return Answer(201, self._thread(thread)["notes"][0])

    def _edit_note(self, request: Request, account: Account, number: str) -> Answer:
        for thread in self.discussions:
            for note in thread["notes"]:
                if note["id"] == int(number) and note["author"]["id"] == account.number:
                    note["body"] = self._taken(request.body["body"])
                    return Answer(200, note)
        return Answer(404, {"message": "404 Not found"})

    def _drop_note(self, request: Request, account: Account, number: str) -> Answer:
        self.discussions = [one for one in self.discussions if one["notes"][0]["id"] != int(number)]
        return Answer(204)

    def _edit(self, request: Request, account: Account, thread: str, number: str) -> Answer:
        return self._edit_note(request, account, number)

    def _resolve(self, request: Request, account: Account, thread: str) -> Answer:
        if not account.resolves:
            return Answer(403, {"message": "403 Forbidden"})
        for note in self._thread(thread)["notes"]:
            note.update(resolved=request.body["resolved"], resolved_by=self._user(account))
        return Answer(200, self._thread(thread))

    def _thread(self, thread: str) -> dict[str, Any]:
        return next(one for one in self.discussions if one["id"] == thread)

    def _start(
        self, account: Account, body: str, position: dict[str, Any] | None, *, individual: bool = False
    ) -> str:
        note = self._note(account, body, position)
        name = hashlib.sha1(str(note["id"]).encode()).hexdigest()
        self.discussions.append({"id": name, "individual_note": individual, "notes": [note]})
        return name

    def _note(self, account: Account, body: str, position: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "id": next(self.numbers),
            "body": self._taken(body),
            "author": self._user(account),
            "created_at": TIME,
            "updated_at": TIME,
            "system": False,
            "noteable_type": "MergeRequest",
            "type": "DiffNote" if position else None,
            "resolvable": position is not None,
            **({"position": position, "resolved": False, "resolved_by": None} if position else {}),
        }

    def _taken(self, body: str) -> str:
        """Carry out quick actions as GitLab does: at a line's start, outside of code blocks."""
        self.executed += QUICK_ACTION.findall(FENCED.sub("", body))
        return body

    def _wrong(self, position: dict[str, Any] | None) -> str | None:
        if position is None:
            return None
        if [position[key] for key in ("base_sha", "start_sha", "head_sha")] != [
            self.base,
            self.start,
            self.head,
        ]:
            return "must be of the current version"
        lines = numbered(self.patch).get(position["new_path"])
        if lines is None or (
            position["new_path"] in self.refused_paths and position["position_type"] == "text"
        ):
            return "can't be blank"
        if position["position_type"] == "file":
            return None
        pairs = {
            (None if line.mark == "+" else line.old, None if line.mark == "-" else line.new): line
            for line in lines
        }
        if (position.get("old_line"), position.get("new_line")) not in pairs:
            return "can't be blank"
        codes = set()
        for line in lines:
            digest = hashlib.sha1(position["new_path"].encode()).hexdigest()
            codes.add(f"{digest}_{line.old}_{line.new}")
        ends = position.get("line_range", {})
        return None if all(end["line_code"] in codes for end in ends.values()) else "line_range is invalid"

    # what is seen in the end

    def seen(self) -> dict[str, Any]:
        """All that people see, without the numbers and times of the making."""

        def shown(note: dict[str, Any]) -> str:
            return repr(
                [note["body"], note["author"]["username"], note.get("position"), note.get("resolved")]
            )

        threads = sorted(repr([shown(note) for note in one["notes"]]) for one in self.discussions)
        return {"threads": threads, "drafts": [draft["note"] for draft in self.drafts]}
