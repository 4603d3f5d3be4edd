"""Webhooks: what is forged is refused unread, what is only ignored never is an error, what counts is kept."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from hunkwise.reviewer.bot.hooks.delivery import LARGEST, Delivery, Forged, Hook, Ignored
from hunkwise.reviewer.bot.hooks.gitea import GiteaHook
from hunkwise.reviewer.bot.hooks.github import GitHubHook
from hunkwise.reviewer.bot.hooks.gitlab import TOLERANCE, GitLabHook
from hunkwise.reviewer.bot.hooks.routes import hook_routes
from hunkwise.reviewer.bot.port import ChangeId, Closed, Comment, Commented, Event, Pushed
from hunkwise.reviewer.bot.queue.port import QueueError, key_of, read_event, repository_of, urgency, written
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue
from hunkwise.reviewer.bot.talking import is_for_us

SECRET = "a secret of ours"
HEAD = "a" * 40
NOW = 1_800_000_000.0
KEY = base64.b64encode(b"k" * 32).decode()
GITHUB = GitHubHook(SECRET)
GITEA = GiteaHook(SECRET, "https://git.example.org")
GITLAB = GitLabHook(SECRET, f"whsec_{KEY}", clock=lambda: NOW)
HOOKS: dict[str, Hook] = {"github": GITHUB, "gitlab": GITLAB, "gitea": GITEA}


def signed(forge: str, kind: str, payload: Any, secret: str = SECRET) -> Delivery:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers: Mapping[str, str] = {
        "github": {"x-hub-signature-256": f"sha256={digest}", "x-github-event": kind},
        "gitea": {"x-gitea-signature": digest, "x-gitea-event": kind},
        "gitlab": {"x-gitlab-token": secret, "x-gitlab-event": kind},
    }[forge]
    return Delivery(headers, body)


def github_pull(action: str = "opened", **pull: Any) -> dict[str, Any]:
    whole = {"number": 7, "draft": False, "labels": [], "head": {"sha": HEAD, "ref": "topic"}, **pull}
    return {
        "action": action,
        "pull_request": whole,
        "repository": {"full_name": "octo/repo", "archived": False},
        "installation": {"id": 99},
        "sender": {"type": "User"},
    }


def github_comment(**more: Any) -> dict[str, Any]:
    comment = {"id": 5, "user": {"login": "ada", "type": "User"}, "author_association": "MEMBER"}
    return {
        "action": "created",
        "issue": {"number": 7, "pull_request": {"url": "u"}, "user": {"login": "bob"}},
        "comment": {**comment, "body": "/review", **more},
        "repository": {"full_name": "octo/repo"},
        "installation": {"id": 99},
        "sender": {"type": "User"},
    }


def gitea_comment(**permissions: bool) -> dict[str, Any]:
    """A comment whose writer, the sender, has these permissions."""
    repository = {"full_name": "octo/repo", "permissions": permissions}
    return {**github_comment(), "is_pull": True, "repository": repository, "sender": {"login": "ada"}}


def gitlab_merge(action: str = "open", changes: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    attributes = {"iid": 7, "action": action, "draft": False, "last_commit": {"id": HEAD}, **more}
    return {
        "object_kind": "merge_request",
        "project": {"path_with_namespace": "group/sub/project"},
        "object_attributes": attributes,
        "labels": [],
        "changes": changes or {},
    }


def gitlab_note(**more: Any) -> dict[str, Any]:
    attributes = {
        "id": 5,
        "note": "/ask why?",
        "noteable_type": "MergeRequest",
        "author_id": 3,
        "system": False,
    }
    return {
        "object_kind": "note",
        "user": {"username": "ada"},
        "project": {"path_with_namespace": "group/sub/project"},
        "object_attributes": {**attributes, "discussion_id": "d1", **more},
        "merge_request": {"iid": 7, "author_id": 3, "last_commit": {"id": HEAD}},
    }


HUB = ChangeId("github", "https://github.com", "octo/repo", 7, 99)
LAB = ChangeId("gitlab", "https://gitlab.com", "group/sub/project", 7)
TEA = ChangeId("gitea", "https://git.example.org", "octo/repo", 7)
SKIP = [{"name": "hunkwise: skip", "title": "hunkwise: skip"}]
ADA = Comment(5, "ada", "/review", trusted=False)
NOTE = Comment(5, "ada", "/ask why?", trusted=False, thread="d1")
PLACE = {"position": {"new_path": "a.py", "new_line": 3}}

READ: list[tuple[str, str, Any, Event | None]] = [
    ("github", "pull_request", github_pull(), Pushed(HUB, HEAD)),
    ("github", "pull_request", github_pull("synchronize"), Pushed(HUB, HEAD)),
    ("github", "pull_request", github_pull("ready_for_review"), Pushed(HUB, HEAD)),
    ("github", "pull_request", github_pull(draft=True), None),
    ("github", "pull_request", github_pull(labels=SKIP), None),
    ("github", "pull_request", github_pull("labeled", labels=SKIP), Closed(HUB)),
    ("github", "pull_request", {**github_pull("unlabeled"), "label": SKIP[0]}, Pushed(HUB, HEAD)),
    ("github", "pull_request", github_pull("labeled"), None),
    ("github", "pull_request", github_pull("converted_to_draft", draft=True), Closed(HUB)),
    ("github", "pull_request", github_pull("closed"), Closed(HUB)),
    ("github", "pull_request", github_pull("edited"), None),
    (
        "github",
        "pull_request",
        {**github_pull("edited"), "changes": {"base": {}}},
        Pushed(HUB, HEAD, again=True),
    ),
    ("github", "pull_request", github_pull(head={"sha": "--upload-pack=x"}), None),
    ("github", "pull_request", {**github_pull(), "repository": {"full_name": "../../etc"}}, None),
    ("github", "pull_request", {**github_pull(), "repository": {"full_name": f"a/{'b' * 1000}"}}, None),
    ("github", "pull_request", {**github_pull(), "repository": {"full_name": "o/r", "archived": True}}, None),
    ("github", "issue_comment", github_comment(), Commented(HUB, ADA, "bob")),
    ("github", "issue_comment", {**github_comment(), "action": "edited"}, None),
    ("github", "issue_comment", {**github_comment(), "issue": {"number": 7}}, None),
    (
        "github",
        "issue_comment",
        {**github_comment(), "sender": {"type": "Bot"}},
        Commented(HUB, Comment(5, "ada", "/review", trusted=False, by_bot=True), "bob"),
    ),
    (
        "github",
        "pull_request_review_comment",
        {
            **github_comment(in_reply_to_id=4, path="a.py", line=3),
            "pull_request": github_pull()["pull_request"],
        },
        Commented(
            HUB, Comment(5, "ada", "/review", trusted=False, reply_to=4, path="a.py", line=3), "bob", HEAD
        ),
    ),
    (
        "github",
        "check_run",
        {
            **github_pull("rerequested"),
            "check_run": {"name": "hunkwise", "head_sha": HEAD, "external_id": "hunkwise-bot/7"},
        },
        Pushed(HUB, HEAD, again=True),
    ),
    (
        "github",
        "check_run",
        {
            **github_pull("rerequested"),
            "check_run": {"name": "hunkwise", "head_sha": HEAD, "external_id": "c" * 32},
        },
        None,
    ),
    (
        "github",
        "check_suite",
        {
            **github_pull("rerequested"),
            "check_suite": {"head_sha": HEAD, "pull_requests": [{"number": 7}]},
        },
        Pushed(HUB, HEAD, again=True),
    ),
    (
        "github",
        "check_suite",
        {**github_pull("requested"), "check_suite": {"head_sha": HEAD, "pull_requests": [{"number": 7}]}},
        None,
    ),
    ("github", "check_suite", {**github_pull("rerequested"), "check_suite": {"pull_requests": []}}, None),
    ("github", "check_run", {**github_pull("rerequested"), "check_run": {"name": "tests"}}, None),
    ("github", "ping", {"zen": "yes"}, None),
    ("github", "pull_request", b"[" * 100_000, None),
    ("github", "pull_request", b"[1]", None),
    ("gitlab", "x", gitlab_merge(), Pushed(LAB, HEAD)),
    ("gitlab", "x", gitlab_merge("update", oldrev="b" * 40), Pushed(LAB, HEAD)),
    ("gitlab", "x", gitlab_merge("update"), None),
    (
        "gitlab",
        "x",
        gitlab_merge("update", {"draft": {"previous": True, "current": False}}),
        Pushed(LAB, HEAD),
    ),
    ("gitlab", "x", gitlab_merge("update", {"draft": {"current": True}}, draft=True), Closed(LAB)),
    ("gitlab", "x", gitlab_merge("update", {"target_branch": {}}), Pushed(LAB, HEAD, again=True)),
    ("gitlab", "x", {**gitlab_merge("update", {"labels": {}}), "labels": SKIP}, Closed(LAB)),
    ("gitlab", "x", {**gitlab_merge(), "labels": SKIP}, None),
    ("gitlab", "x", gitlab_merge(draft=True), None),
    ("gitlab", "x", gitlab_merge("merge"), Closed(LAB)),
    ("gitlab", "x", gitlab_merge("approved"), None),
    ("gitlab", "x", {"object_kind": "push"}, None),
    ("gitlab", "x", gitlab_note(), Commented(LAB, NOTE, "ada", HEAD)),
    (
        "gitlab",
        "x",
        gitlab_note(**PLACE),
        Commented(
            LAB, Comment(5, "ada", "/ask why?", trusted=False, path="a.py", line=3, thread="d1"), "ada", HEAD
        ),
    ),
    ("gitlab", "x", gitlab_note(system=True), None),
    ("gitlab", "x", gitlab_note(noteable_type="Issue"), None),
    ("gitea", "pull_request", github_pull(), Pushed(TEA, HEAD)),
    ("gitea", "pull_request_sync", github_pull("synchronized"), Pushed(TEA, HEAD)),
    ("gitea", "pull_request_label", github_pull("label_updated", labels=SKIP), Closed(TEA)),
    ("gitea", "push", github_pull(), None),
    (
        "gitea",
        "issue_comment",
        {**github_comment(), "is_pull": True},
        Commented(TEA, Comment(5, "ada", "/review", trusted=False), "bob"),
    ),
    (
        "gitea",
        "pull_request_comment",
        gitea_comment(push=True),
        Commented(TEA, Comment(5, "ada", "/review", trusted=True), "bob"),
    ),
    (
        "gitea",
        "issue_comment",
        gitea_comment(push=False, admin=False, pull=True),
        Commented(TEA, Comment(5, "ada", "/review", trusted=False), "bob"),
    ),
    (
        "gitea",
        "issue_comment",
        {**gitea_comment(push=True), "sender": {"login": "eve"}},
        Commented(TEA, Comment(5, "ada", "/review", trusted=False), "bob"),
    ),
    ("gitea", "issue_comment", github_comment(), None),
]


@pytest.mark.parametrize(("forge", "kind", "payload", "event"), READ)
def test_what_a_delivery_means(forge: str, kind: str, payload: Any, event: Event | None) -> None:
    delivery = signed(forge, kind, payload)

    if event is None:
        with pytest.raises(Ignored):
            HOOKS[forge].read(delivery)
    else:
        assert HOOKS[forge].read(delivery).event == event


@pytest.mark.parametrize("forge", ["github", "gitlab", "gitea"])
def test_what_is_not_signed_with_our_secret_is_forged(forge: str) -> None:
    good = signed(forge, "pull_request", gitlab_merge() if forge == "gitlab" else github_pull())
    others = [
        signed(forge, "pull_request", good.body, secret="another"),
        Delivery({}, good.body),
        Delivery(dict.fromkeys(good.headers, "ü"), good.body),
    ]
    if forge != "gitlab":  # whose token says nothing of the body
        others.append(Delivery(good.headers, good.body + b" "))

    HOOKS[forge].read(good)
    for forged in others:
        with pytest.raises(Forged):
            HOOKS[forge].read(forged)


def standard(body: bytes, stamp: str, name: str = "msg_1", key: bytes = b"k" * 32) -> Delivery:
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    text = f"v1,{base64.b64encode(digest).decode()}"
    headers = {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,AAAA {text} v2,x"}
    return Delivery(headers, body)


def test_gitlabs_signed_form_is_checked_with_its_time() -> None:
    body = json.dumps(gitlab_merge()).encode()
    good = standard(body, str(int(NOW)))

    notice = GITLAB.read(good)

    assert (notice.name, notice.event) == ("gitlab:msg_1", Pushed(LAB, HEAD))
    old = standard(body, str(int(NOW - TOLERANCE - 1)))
    moved = Delivery({**good.headers, "webhook-timestamp": str(int(NOW) - 1)}, body)
    renamed = Delivery({**good.headers, "webhook-id": "msg_2"}, body)
    other_key, timeless = standard(body, str(int(NOW)), key=b"x" * 32), standard(body, "soon")
    for bad in (old, moved, renamed, other_key, timeless):
        with pytest.raises(Forged):
            GITLAB.read(bad)


def test_a_replayed_delivery_is_known_though_its_number_was_changed() -> None:
    """The number stands in a header that nobody signed."""
    delivery = signed("github", "pull_request", github_pull())
    replayed = Delivery({**delivery.headers, "x-github-delivery": "fresh"}, delivery.body)

    assert GITHUB.read(delivery).name == GITHUB.read(replayed).name


@pytest.fixture
def client(tmp_path: Path) -> Callable[..., TestClient]:
    def make(**more: Any) -> TestClient:
        inbox = more.pop("inbox", None) or SqliteQueue(tmp_path / "q")
        return TestClient(Starlette(routes=hook_routes({"github": GITHUB}, inbox, **more)))

    return make


def test_the_route_answers_by_what_it_did(client: Callable[..., TestClient]) -> None:
    door = client()
    good = signed("github", "pull_request", github_pull())
    ping = signed("github", "ping", {})

    def post(delivery: Delivery) -> tuple[int, Any]:
        answer = door.post("/hooks/github", content=delivery.body, headers=dict(delivery.headers))
        return answer.status_code, answer.json()

    key = "https://github.com/octo/repo#7"
    assert post(good) == (202, {"accepted": True, "key": key})
    assert post(good) == (202, {"accepted": False, "key": key})
    assert post(ping)[0] == 200
    assert post(Delivery({}, good.body))[0] == 401
    assert post(Delivery(good.headers, b"x" * (LARGEST + 1)))[0] == 413


def test_a_comment_that_is_no_command_makes_no_job(client: Callable[..., TestClient]) -> None:
    delivery = signed("github", "issue_comment", github_comment())

    answer = client(wanted=lambda event: False).post(
        "/hooks/github", content=delivery.body, headers=dict(delivery.headers)
    )

    assert (answer.status_code, answer.json()) == (200, {"ignored": "no command for us"})


def test_a_queue_out_of_reach_asks_for_the_delivery_again(client: Callable[..., TestClient]) -> None:
    class Broken:
        def accept(self, delivery: str, event: Event) -> bool:
            raise QueueError("gone")

    delivery = signed("github", "pull_request", github_pull())

    answer = client(inbox=Broken()).post(
        "/hooks/github", content=delivery.body, headers=dict(delivery.headers)
    )

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("forge", ["github", "gitlab", "gitea"])
@pytest.mark.parametrize(("what", "status"), [("unsigned", 401), ("old", 401), ("too long", 413)])
def test_a_body_that_can_not_count_is_not_read(forge: str, what: str, status: int, tmp_path: Path) -> None:
    """Whoever it is: no stranger makes us hold 25 MiB."""
    headers = dict(signed(forge, "pull_request", {}).headers)
    if what == "old" and forge == "gitlab":
        headers = dict(standard(b"", str(int(NOW - TOLERANCE - 1))).headers)
    elif what != "too long":
        headers = dict.fromkeys(headers, "sha256=0")
    headers["content-length"] = str(LARGEST + 1 if what == "too long" else 5)

    async def unread() -> Any:
        raise AssertionError("the body was asked for")

    assert answered(forge, headers, unread, tmp_path) == status


def test_a_delivery_that_breaks_off_is_no_fault_of_ours(tmp_path: Path) -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    assert answered("github", signed("github", "pull_request", {}).headers, gone, tmp_path) == 408


def answered(forge: str, headers: Mapping[str, str], receive: Any, folder: Path) -> int:
    """The status of the answer to a request whose body is received so."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    app = Starlette(routes=hook_routes({forge: HOOKS[forge]}, SqliteQueue(folder / "q")))  # type: ignore[dict-item]
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/hooks/{forge}",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app(scope, receive, send))
    return int(sent[0]["status"])


class AnyInbox:
    """Takes in what a queue could keep."""

    def accept(self, delivery: str, event: Event) -> bool:
        assert read_event(written(event)) == event
        assert all(part.isprintable() for part in (key_of(event), repository_of(event)))
        assert urgency(event) in (0, 1, 2)
        return True


ROUTES = hook_routes(HOOKS, AnyInbox(), lambda event: is_for_us(event, "hunkwise"))  # type: ignore[arg-type]
DOOR = TestClient(Starlette(routes=ROUTES))
WHOLE = [row for row in READ if isinstance(row[2], dict)]
TEXTS = st.text() | st.sampled_from(
    ["\ud800", "\0", "../..", "--upload-pack=x", "/review", "A" * 70_000, "٣"]
)
NUMBERS = st.integers() | st.sampled_from([0, -1, 2**53, 2**63, 2**64]) | st.floats()
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3)
)


def places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """All fields of a payload."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield (*path, name)
            yield from places(part, (*path, name))


@settings(max_examples=400, deadline=None)
@given(row=st.sampled_from(WHOLE), data=st.data(), many=st.integers(1, 3))
def test_a_signed_delivery_is_never_an_error(row: Any, data: st.DataObject, many: int) -> None:
    forge, kind, payload, _ = row
    payload = copy.deepcopy(payload)
    for _ in range(many):
        *above, name = data.draw(st.sampled_from(list(places(payload)) or [("action",)]))
        part = payload
        for each in above:
            part = part[each]
        part[name] = data.draw(VALUES)
    delivery = signed(forge, kind, payload)

    answer = DOOR.post(f"/hooks/{forge}", content=delivery.body, headers=dict(delivery.headers))

    assert answer.status_code in (200, 202)


@settings(max_examples=200, deadline=None)
@given(forge=st.sampled_from(sorted(HOOKS)), kind=st.sampled_from([row[1] for row in READ]), body=st.binary())
@example("github", "pull_request", b'{"a":' * 100_000)
@example("github", "pull_request", b'{"a":' + b"9" * 5_000 + b"}")
@example("gitea", "pull_request", b'{"action": "closed", "action": "opened"}')
@example("gitlab", "x", '{"object_kind": "note"}'.encode("utf-16"))
@example("gitlab", "x", b'{"object_kind": NaN}')
def test_a_signed_body_of_any_bytes_is_never_an_error(forge: str, kind: str, body: bytes) -> None:
    delivery = signed(forge, kind, body)

    answer = DOOR.post(f"/hooks/{forge}", content=delivery.body, headers=dict(delivery.headers))

    assert answer.status_code in (200, 202)
