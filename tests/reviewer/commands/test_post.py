"""`hunkwise post` from the command line: what it reads, what it prints, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.github import FakeGitHub
from fakes.gitlab import FakeGitLab
from fakes.reviews import HEAD, PATCH, finding, review, suggested
from fakes.server import serving

from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.types import Review

FINDINGS = (suggested(finding("a.py", 2), "x = 5"), finding("far.py", 1, title="Far"))
Post = Callable[..., int]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No trace of the machine's own CI or tokens; no pause between writes."""
    for name in ("GITHUB_TOKEN", "HUNKWISE_GITHUB_TOKEN", "GITLAB_TOKEN", "HUNKWISE_GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITHUB_ACTIONS", "GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_EVENT_PATH", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITHUB_STEP_SUMMARY", "CI_SERVER_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def github(clean: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    forge = FakeGitHub(PATCH)
    with serving(forge) as url:
        clean.setenv("GITHUB_TOKEN", "secret-token")
        clean.setenv("GITHUB_API_URL", url)
        yield forge


@pytest.fixture
def gitlab(clean: pytest.MonkeyPatch) -> Iterator[FakeGitLab]:
    forge = FakeGitLab(PATCH)
    with serving(forge):
        clean.setenv("GITLAB_TOKEN", "secret-token")
        yield forge


@pytest.fixture
def post(tmp_path: Path) -> Post:
    def run_post(found: Review | bytes, *arguments: str) -> int:
        data = renderer("json")(found, View()).encode() if isinstance(found, Review) else found
        (tmp_path / "findings.json").write_bytes(data)
        return run(hunkwise, ["post", str(tmp_path / "findings.json"), *arguments])

    return run_post


PR = "https://github.com/octo/repo/pull/7"


def test_posting_says_the_counts(post: Post, github: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """The counts are on stderr, stdout is empty, and the exit code is 0."""
    assert post(review(*FINDINGS), "--pr", PR) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "hunkwise: 2 found: 1 inline, 1 in the summary, 0 skipped, 0 refused by the forge\n"
    assert len(github.review_comments) == 1


def test_a_dry_run_prints_what_would_be_sent(
    post: Post, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed requests are those that posting then sends, and the dry run sends none."""
    assert post(review(*FINDINGS), "--pr", PR, "--dry-run") == 0
    shown = json.loads(capsys.readouterr().out)
    assert {request.method for request in github.requests if request.path != "/graphql"} == {"GET"}
    github.requests.clear()
    assert post(review(*FINDINGS), "--pr", PR) == 0
    sent = [
        {"method": request.method, "path": request.path, "body": request.body}
        for request in github.requests
        if request.method != "GET" and request.path != "/graphql"
    ]
    assert shown == {"api": github.url, "requests": sent}


def test_gitlab_by_its_address(post: Post, gitlab: FakeGitLab) -> None:
    """A self-hosted GitLab is found by the merge request's address alone."""
    url = f"{gitlab.url}/group/sub/project/-/merge_requests/7"
    assert post(review(*FINDINGS), "--mr", url) == 0
    assert len(gitlab.discussions) == 2


def test_gitlab_in_its_own_ci(post: Post, gitlab: FakeGitLab, clean: pytest.MonkeyPatch) -> None:
    """In a merge request's pipeline nothing has to be named."""
    clean.setenv("GITLAB_CI", "true")
    clean.setenv("CI_SERVER_URL", gitlab.url)
    clean.setenv("CI_PROJECT_ID", "group/sub/project")
    clean.setenv("CI_MERGE_REQUEST_IID", "7")
    assert post(review(*FINDINGS)) == 0
    assert len(gitlab.discussions) == 2


EVENTS: dict[str, Any] = {
    "pull_request": {"pull_request": {"number": 7}},
    "issue_comment": {"issue": {"number": 7, "pull_request": {}}},
    "workflow_run": {
        "workflow_run": {
            "head_sha": HEAD,
            "head_branch": "topic",
            "head_repository": {"owner": {"login": "octo"}},
            "pull_requests": [],
        }
    },
}


@pytest.mark.parametrize("event", EVENTS)
def test_github_actions_names_the_pull_request(
    post: Post, github: FakeGitHub, clean: pytest.MonkeyPatch, tmp_path: Path, event: str
) -> None:
    """In a job the pull request comes from the event, for a fork's second stage by branch and commit."""
    (tmp_path / "event.json").write_text(json.dumps(EVENTS[event]))
    clean.setenv("GITHUB_ACTIONS", "true")
    clean.setenv("GITHUB_REPOSITORY", "octo/repo")
    clean.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    assert post(review(*FINDINGS)) == 0
    assert len(github.review_comments) == 1


def test_a_run_of_an_older_commit_posts_nothing(
    post: Post,
    github: FakeGitHub,
    clean: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """If the branch has moved on since the first stage, the second ends with 2 and says so."""
    event = {**EVENTS["workflow_run"]["workflow_run"], "head_sha": "9" * 40}
    (tmp_path / "event.json").write_text(json.dumps({"workflow_run": event}))
    clean.setenv("GITHUB_REPOSITORY", "octo/repo")
    clean.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    assert post(review(*FINDINGS), "--to", "github") == 2
    assert "no open pull request of octo:topic is at commit 999999999999" in capsys.readouterr().err
    assert github.review_comments == []


def test_a_token_that_may_not_post_gives_annotations(
    post: Post,
    github: FakeGitHub,
    clean: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a fork's job the findings become annotations and a step summary, and stderr says why; exit code 0."""
    github.accounts["secret-token"].writes = False
    clean.setenv("GITHUB_ACTIONS", "true")
    clean.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert post(review(*FINDINGS), "--pr", PR) == 0
    said = capsys.readouterr()
    assert said.out.startswith("::error file=a.py,line=2,endLine=2,title=high%3A Wrong value::It breaks.\n")
    assert "Resource not accessible by integration" in said.err
    assert "annotations and summary instead" in said.err
    assert "Wrong value" in (tmp_path / "summary.md").read_text("utf-8")


def test_outside_of_actions_it_is_an_error(
    post: Post, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody would see annotations in a terminal: exit code 2, and what the token needs."""
    github.accounts["secret-token"].writes = False
    assert post(review(*FINDINGS), "--pr", PR) == 2
    assert "the token needs `pull-requests: write`" in capsys.readouterr().err


def test_findings_of_another_commit_are_not_posted(
    post: Post, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """The head must be the one that was reviewed: exit code 2, nothing posted."""
    github.head = "e" * 40
    assert post(review(*FINDINGS), "--pr", PR) == 2
    assert "nothing was posted" in capsys.readouterr().err
    assert github.review_comments == github.issue_comments == []


def test_the_commit_of_a_bare_diff_is_named_by_hand(post: Post, github: FakeGitHub) -> None:
    """A review of a diff from a file names no commit; --head does, and may not contradict the file."""
    bare = review(*FINDINGS, head=None)
    assert post(bare, "--pr", PR) == 2
    assert post(bare, "--pr", PR, "--head", "abc") == 2
    assert post(review(*FINDINGS), "--pr", PR, "--head", "e" * 40) == 2
    assert github.review_comments == []
    assert post(bare, "--pr", PR, "--head", HEAD) == 0
    assert len(github.review_comments) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"form": ' * 50_000,
        b"null",
        b'{"form": "hunkwise-review", "version": 1}',
        b" " * 20_000_001,
        b"\xff\xfe\x00",
        b'{"form": "hunkwise-review", "version": 1e400}',
    ],
)
def test_a_broken_file_is_refused_in_one_sentence(
    post: Post, github: FakeGitHub, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the file holds: one sentence, exit code 2, no request at all."""
    assert post(data, "--pr", PR) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert github.requests == []


def changed(**values: Any) -> bytes:
    document = json.loads(renderer("json")(review(*FINDINGS), View()))
    document["findings"][0].update(values)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "values",
    [
        {"path": "../../etc/passwd"},
        {"path": "/etc/passwd"},
        {"path": "a\u0000b"},
        {"start_line": 0},
        {"start_line": "2"},
        {"start_line": 5, "end_line": 2},
        {"end_line": 10**30},
        {"fingerprint": "0" * 32 + " run=aaaaaaa --> <img src=x>"},
        {"severity": "approved"},
        {"confidence": 7},
        {"unknown": 1},
        {"code": [["x"]]},
    ],
)
def test_a_wrong_value_is_refused(
    post: Post, github: FakeGitHub, values: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A path that leaves the repository, a line that is none, a name that is no fingerprint: exit code 2."""
    assert post(changed(**values), "--pr", PR) == 2
    assert "review.findings[0]" in capsys.readouterr().err
    assert github.requests == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "where to post is not said"),
        (["--pr", PR, "--mr", "https://gitlab.com/a/b/-/merge_requests/1"], "choose one forge"),
        (["--pr", PR, "--to", "gitlab"], "choose one forge"),
        (["--pr", "https://github.com/octo/repo/issues/7"], "is no pull request"),
        (["--pr", "http://example.org/octo/repo/pull/7"], "is no https address"),
        (["--pr", "https://me:pw@example.org/octo/repo/pull/7"], "user name or password"),
        (["--mr", "https://gitlab.com/a/-/merge_requests/7"], "is no merge request"),
        (["--to", "github"], "GITHUB_EVENT_PATH is not set"),
        (["--to", "gitlab"], "runs for no merge request"),
    ],
)
def test_a_wrong_command_line_is_explained(
    post: Post,
    clean: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence that says what is wrong; exit code 2."""
    clean.setenv("GITHUB_TOKEN", "secret-token")
    clean.setenv("GITLAB_TOKEN", "secret-token")
    assert post(review(*FINDINGS), *arguments) == 2
    assert said in capsys.readouterr().err


def test_without_a_token_both_variables_are_named(
    post: Post, clean: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the variables to set."""
    assert post(review(*FINDINGS), "--pr", PR) == 2
    assert "set GITHUB_TOKEN (or HUNKWISE_GITHUB_TOKEN)" in capsys.readouterr().err


def test_the_token_is_never_printed(
    post: Post, github: FakeGitHub, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a dry run, nor an error, nor a log at its most talkative shows the token."""
    caplog.set_level(0)
    post(review(*FINDINGS), "--pr", PR, "--dry-run")
    post(review(*FINDINGS), "--pr", PR)
    github.accounts.clear()
    post(review(*FINDINGS), "--pr", PR)
    said = capsys.readouterr()
    assert "secret-token" not in said.out + said.err + caplog.text
