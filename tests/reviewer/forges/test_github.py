"""What is GitHub's own: accounts, GraphQL, diffs that are too big, refusals with a special meaning."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from fakes.clients import patient, post, pull, written
from fakes.github import DOCS, Account, FakeGitHub
from fakes.reviews import HEAD, PATCH, finding, review, suggested
from fakes.server import Answer, Request

from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.github.pull import GitHubPull
from hunkwise.reviewer.forges.registry import requested_change
from hunkwise.reviewer.publish.port import StaleHead

Start = Callable[..., FakeGitHub]
ONE = finding("a.py", 2)


def test_a_range_and_a_single_line(github: Start) -> None:
    """A range has both ends on the right side; of one line start_line is left out, or GitHub answers 422."""
    forge = github(patch=PATCH)
    post(review(suggested(finding("a.py", 2, 3), "x = 1"), finding("new.py", 1)), forge)
    (sent,) = [request.body for request in forge.requests if request.path.endswith("/reviews")]
    assert sent["event"] == "COMMENT"
    assert sent["commit_id"] == HEAD
    bodies = [one.pop("body") for one in sent["comments"]]
    assert sent["comments"] == [
        {"path": "a.py", "start_line": 2, "start_side": "RIGHT", "line": 3, "side": "RIGHT"},
        {"path": "new.py", "line": 1, "side": "RIGHT"},
    ]
    assert "```suggestion\nx = 1\n```" in bodies[0]
    assert "suggestion" not in bodies[1]


@pytest.mark.parametrize("graphql", [True, False])
def test_a_jobs_token_knows_its_own_comments(github: Start, graphql: bool) -> None:
    """GITHUB_TOKEN may not ask GET /user: its login comes from GraphQL, or is that of every job's token."""
    bot = Account("github-actions[bot]", app=True)
    forge = github(patch=PATCH, accounts={"secret-token": bot}, graphql=graphql)
    post(review(ONE), forge)
    forge.requests = []
    post(review(ONE), forge)
    assert written(forge) == []
    assert len(forge.review_comments) == 1


def test_gone_remarks_are_minimised(github: Start) -> None:
    """A comment whose finding is gone is edited and folded away; one with an answer is only edited."""
    forge = github(patch=PATCH)
    answered = finding("a.py", 3, title="Answered")
    post(review(ONE, answered), forge)
    forge.reply(forge.review_comments[1]["id"], "author", "Why?", association="NONE")
    post(review(), forge)
    assert forge.minimized == {forge.review_comments[0]["node_id"]}
    assert all("_Outdated" in note["body"] for note in forge.review_comments[:2])


def test_without_graphql_gone_remarks_are_still_edited(github: Start) -> None:
    """Only the folding needs GraphQL."""
    forge = github(patch=PATCH, graphql=False)
    post(review(ONE), forge)
    post(review(), forge)
    assert "_Outdated" in forge.review_comments[0]["body"]


def test_ignore_counts_from_members_only(github: Start) -> None:
    """A stranger who writes `hunkwise: ignore` on his own pull request silences nothing."""
    forge = github(patch=PATCH)
    post(review(ONE), forge)
    forge.reply(forge.review_comments[0]["id"], "author", "hunkwise: ignore", association="CONTRIBUTOR")
    assert post(review(ONE), forge).skipped == 0
    forge.reply(forge.review_comments[0]["id"], "maintainer", "hunkwise: ignore", association="MEMBER")
    assert post(review(ONE), forge).skipped == 1


@pytest.mark.parametrize("size", [1, 100])
def test_a_diff_that_is_too_big_is_read_file_by_file(github: Start, size: int) -> None:
    """After a 406 the diff is put together from the list of files, page by page; the remarks sit as before."""
    calm, forge = github(patch=PATCH), github(patch=PATCH, diff_too_big=True, page_size=size)
    findings = (ONE, finding("new.py", 2), finding("image.png", 1))
    post(review(*findings), calm)
    assert post(review(*findings), forge).inline == 3
    assert forge.seen() == calm.seen()


def test_a_push_while_posting_stops_the_poster(github: Start) -> None:
    """If the head moves between reading and posting, GitHub's 422 is looked into, and nothing is posted."""
    forge = github(patch=PATCH)

    def push(request: Request, _: int) -> None:
        if request.path.endswith("/reviews"):
            forge.head = "e" * 40

    forge.fault = push
    with pytest.raises(StaleHead, match="while we were posting"):
        post(review(ONE), forge)
    assert forge.review_comments == forge.issue_comments == []


def test_a_review_begun_by_hand_is_named(github: Start) -> None:
    """With an unsubmitted review of the same account nothing can be posted: the message says what to do."""
    why = ["User can only have one pending review per pull request"]
    said = {"message": "Unprocessable Entity", "documentation_url": DOCS, "errors": why}
    forge = github(patch=PATCH)
    forge.fault = lambda request, _: Answer(422, said) if "reviews" in request.path else None
    with pytest.raises(ForgeError, match="submit or discard the review"):
        post(review(ONE), forge)


def test_the_primary_limit_is_waited_out_until_its_reset(github: Start) -> None:
    """Without Retry-After the time comes from x-ratelimit-reset."""
    forge = github(patch=PATCH)
    left = [1]
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 20)}

    def limit(request: Request, _: int) -> Answer | None:
        said = {"message": "API rate limit exceeded for installation ID 1."}
        return Answer(403, said, headers) if left and left.pop() else None

    forge.fault = limit
    waits: list[float] = []
    post(review(ONE), forge, patient(waits))
    assert 15 < waits[0] <= 21


def test_a_list_is_not_followed_to_another_server(github: Start) -> None:
    """A next page elsewhere would be sent the token."""
    link = {"Link": '<https://evil.example/comments?page=2>; rel="next"'}
    forge = github(patch=PATCH)
    forge.fault = lambda request, _: Answer(200, [], link) if request.path.endswith("/comments") else None
    with pytest.raises(ForgeError, match="not followed"):
        post(review(ONE), forge)


@pytest.mark.parametrize("body", ["<html>Sign in</html>", {}, [], {"base": None}, None])
def test_an_unknown_answer_is_no_traceback(github: Start, body: object) -> None:
    """A proxy's page or another form than GitHub's ends in one sentence."""
    forge = github(patch=PATCH, check=False)
    forge.fault = lambda request, _: Answer(200, body)
    with pytest.raises(ForgeError, match="in a form we don't know"):
        post(review(ONE), forge)


def test_an_enterprise_servers_paths(github: Start) -> None:
    """Below /api/v3 everything works as on github.com, GraphQL at /api/graphql."""
    forge = github(patch=PATCH, check=False)
    real = forge.answer

    def enterprise(request: Request, _: int) -> Answer:
        assert request.path.startswith(("/api/v3/", "/api/graphql"))
        path = request.path.removeprefix("/api/v3").replace("/api/graphql", "/graphql")
        return real(Request(request.method, path, request.query, request.headers, request.body))

    forge.fault = enterprise
    client = GitHubPull(Address(f"{forge.url}/api/v3", forge.name, 7), "secret-token")
    assert client.fetch().head == HEAD
    assert client.existing().comments == ()
    assert any(request.path == "/api/graphql" for request in forge.requests)


def test_nobody_listens(github: Start) -> None:
    """A server that can't be reached is named by the request, after as many tries as patience has."""
    client = GitHubPull(Address("http://127.0.0.1:9", "octo/repo", 7), "secret-token")
    with pytest.raises(ForgeError, match=r"GET /repos/octo/repo/pulls/7: no answer"):
        client.fetch()


def test_the_change_of_a_pull_request(github: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """`review --pr URL` reads the forge's diff, with the commits a report then names."""
    forge = github(patch=PATCH)
    environment = {"GITHUB_TOKEN": "secret-token", "GITHUB_API_URL": forge.url}
    change = requested_change("github", "https://github.com/octo/repo/pull/7", environment)
    assert (change.base, change.head) == ("b" * 40, HEAD)
    assert [file.path for file in change.files] == ["a.py", "new.py", "image.png"]


def test_a_very_long_message_is_posted_shortened(github: Start) -> None:
    """No body is over GitHub's limit, whatever a model writes, and each keeps its marker."""
    forge = github(patch=PATCH)
    long = suggested(finding("a.py", 2, message="`code` and words. " * 20_000), "y\n" * 50_000)
    post(review(long, finding("far.py", 1, message="m\n" * 70_000)), forge)
    forge.requests = []
    post(review(long, finding("far.py", 1, message="m\n" * 70_000)), forge)
    assert written(forge) == []


def test_pull_reads_by_itself(github: Start) -> None:
    """The title and the commits are those of the pull request."""
    request = pull(github(patch=PATCH, title="Mend it")).fetch()
    assert (request.title, request.head) == ("Mend it", HEAD)


def test_a_list_that_lags_behind_makes_no_twins(github: Start) -> None:
    """What GitHub accepted and does not list yet, as its replicas may, is not posted a second time."""
    forge = github(patch=PATCH)
    forge.fault = lambda request, _: (
        Answer(200, []) if request.method == "GET" and request.path.endswith("/comments") else None
    )
    assert post(review(ONE, finding("image.png", 1)), forge).inline == 2
    assert (len(forge.review_comments), len(forge.issue_comments)) == (2, 1)
