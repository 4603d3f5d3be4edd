"""Our adapters, connected to the fake forges, without waiting."""

from __future__ import annotations

from fakes.github import FakeGitHub
from fakes.gitlab import FakeGitLab

from hunkwise.engine import RetryPolicy
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.github.pull import GitHubPull
from hunkwise.reviewer.forges.gitlab.merge import GitLabMerge
from hunkwise.reviewer.publish.comment import GITHUB, GITLAB
from hunkwise.reviewer.publish.deliver import deliver
from hunkwise.reviewer.publish.summary import Counts
from hunkwise.reviewer.types import Review

TOKEN = "secret-token"


def patient(waits: list[float] | None = None, tries: int = 4) -> RetryPolicy:
    """A clock that only notes how long it was asked to wait."""
    noted = waits if waits is not None else []
    return RetryPolicy(tries=tries, first_wait=1.0, longest_wait=60.0, sleep=noted.append)


def pull(forge: FakeGitHub, token: str = TOKEN) -> GitHubPull:
    return GitHubPull(Address(forge.url, forge.name, 7), token)


def merge(forge: FakeGitLab, token: str = TOKEN) -> GitLabMerge:
    return GitLabMerge(Address(forge.url, forge.name, 7), token)


def post(review: Review, forge: FakeGitHub | FakeGitLab, policy: RetryPolicy | None = None) -> Counts:
    """Post as a fresh process would."""
    if isinstance(forge, FakeGitHub):
        client = pull(forge)
        return deliver(review, client, client, GITHUB, policy or patient())
    other = merge(forge)
    return deliver(review, other, other, GITLAB, policy or patient())


def written(forge: FakeGitHub | FakeGitLab) -> list[str]:
    """The writing requests so far; questions to GraphQL are none."""
    sent = (one for one in forge.requests if one.method != "GET")
    return [
        f"{one.method} {one.path}"
        for one in sent
        if "{ viewer" not in str(one.body) and "reviewThreads" not in str(one.body)
    ]
