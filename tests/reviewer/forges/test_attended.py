"""What a bot sends to GitHub and GitLab beside remarks, held to their descriptions in both directions."""

from __future__ import annotations

from collections.abc import Callable

from fakes.github import Account, FakeGitHub
from fakes.gitlab import FakeGitLab
from fakes.reviews import HEAD, PATCH, finding, review

from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.attended import Heard, Progress, Stage
from hunkwise.reviewer.forges.github.attended import GitHubAttended
from hunkwise.reviewer.forges.gitlab.attended import GitLabAttended
from hunkwise.reviewer.publish.port import OwnComment


def attended(forge: FakeGitHub, *, checks: bool) -> GitHubAttended:
    return GitHubAttended(Address(forge.url, forge.name, 7), "secret-token", checks=checks)


def test_a_check_run_from_queued_to_done(github: Callable[..., FakeGitHub]) -> None:
    forge = github(patch=PATCH, accounts={"secret-token": Account("hunk-bot", app=True)})
    desk = attended(forge, checks=True)
    many = review(*(finding("a.py", 2, title=f"Wrong value {number}") for number in range(60)))

    for stage in (Stage.QUEUED, Stage.RUNNING):
        desk.show(HEAD, Progress(stage, "a line"))
    desk.show(HEAD, Progress(Stage.DONE, "60 remarks", "a page"), many)
    desk.show(HEAD, Progress(Stage.QUEUED, "again"))
    desk.show(HEAD, Progress(Stage.LEFT, "superseded"))

    assert [(run["status"], run["conclusion"]) for run in forge.check_runs] == [
        ("completed", "neutral"),
        ("completed", "cancelled"),
    ]
    assert len(forge.annotations) == 60


def test_what_a_bot_asks_and_answers(github: Callable[..., FakeGitHub]) -> None:
    forge = github(patch=PATCH, labels=["hunkwise: skip"], writers={"ada"})
    desk = attended(forge, checks=False)
    remark = forge.say("ada", "/explain", line=2, side="RIGHT")

    standing = desk.standing()
    desk.show(HEAD, Progress(Stage.FAILED, "x" * 500))
    on_code, below = Heard(remark, on_code=True, root=remark), Heard(77)
    desk.react(below)  # reactions to comments in the diff are not in the part of the description that we have
    for heard in (on_code, below):
        desk.edit(heard, desk.answer(heard, "one moment"), "an answer")

    assert (standing.labels, standing.open, standing.archived) == (frozenset({"hunkwise: skip"}), True, False)
    assert (desk.may_write("ada"), desk.may_write("eve")) == (True, False)
    assert forge.statuses == [(HEAD, "error", "x" * 140)]
    assert [forge.review_comments[-1]["body"], forge.issue_comments[-1]["body"]] == ["an answer"] * 2


def test_what_a_bot_asks_and_answers_on_gitlab(gitlab: Callable[..., FakeGitLab]) -> None:
    """Statuses, members and emoji are not in the part of the description that we have."""
    forge = gitlab(patch=PATCH, labels=["hunkwise: skip"], draft=True)
    desk = GitLabAttended(Address(forge.url, forge.name, 7), "secret-token")
    thread = forge.say("ada", "/explain")
    heard = Heard(77, thread)

    standing = desk.standing()
    note = desk.answer(heard, "one moment")
    desk.edit(heard, note, "an answer")
    desk.resolve(OwnComment("1", thread, "a.py", "body"))

    assert (standing.project, standing.labels) == (forge.name, frozenset({"hunkwise: skip"}))
    assert (standing.open, standing.draft, standing.archived) == (True, True, False)
    assert [(one.id, one.body) for one in desk.answers(heard)] == [(note, "an answer")]
    assert forge.discussions[-1]["notes"][0]["resolved"]
