"""Posting to a forge that remembers: once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes.clients import patient, post, written
from fakes.reviews import PATCH, finding, long_patch, review, suggested
from fakes.server import Answer, Fault, Request

from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.publish.port import NotAllowed, StaleHead, Unavailable
from hunkwise.reviewer.types import Skipped

FINDINGS = (
    finding("a.py", 2, 3),
    suggested(finding("a.py", 22), "    return 1"),
    finding("new.py", 2, title="Not documented"),
    finding("a.py", 12, title="Outside of the diff"),
    finding("image.png", 1, title="In a binary file"),
    finding("gone.py", 1, title="In no file of the diff"),
)
both = pytest.mark.parametrize("start", ["github", "gitlab"], indirect=True)
Start = Callable[..., Any]


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Start:
    """Start the forge that the test's parameter names."""
    started: Start = request.getfixturevalue(request.param)
    return started


def roots(forge: Any) -> list[tuple[int | str, dict[str, Any]]]:
    """The comments on findings with what their threads are addressed by."""
    if hasattr(forge, "review_comments"):
        return [(one["id"], one) for one in forge.review_comments if "in_reply_to_id" not in one]
    return [(one["id"], one["notes"][0]) for one in forge.discussions if "fp=" in one["notes"][0]["body"]]


def summaries(forge: Any) -> list[str]:
    if hasattr(forge, "issue_comments"):
        return [note["body"] for note in forge.issue_comments]
    bodies = [one["notes"][0]["body"] for one in forge.discussions]
    return [body for body in bodies if "hunkwise:v1 summary" in body]


@both
def test_every_finding_is_shown_once(start: Start) -> None:
    """Lines get comments, what has no line goes to its file, the rest to the summary; the counts add up."""
    forge = start(patch=PATCH)
    counts = post(review(*FINDINGS), forge)
    assert (counts.inline, counts.summary, counts.skipped, counts.failed) == (5, 1, 0, 0)
    bodies = [one["body"] for _, one in roots(forge)]
    for one in FINDINGS[:5]:
        assert sum(one.fingerprint in body for body in bodies) == 1
    (summary,) = summaries(forge)
    assert "In no file of the diff" in summary
    assert "6 found: 5 inline, 1 in the summary, 0 skipped, 0 refused by the forge" in summary


@both
def test_a_second_run_writes_nothing(start: Start) -> None:
    """The same review, posted again by a fresh process, sends no writing request."""
    forge = start(patch=PATCH)
    post(review(*FINDINGS), forge)
    seen, forge.requests = forge.seen(), []
    post(review(*FINDINGS), forge)
    assert written(forge) == []
    assert forge.seen() == seen


@both
def test_pages_are_followed(start: Start) -> None:
    """With two items a page, nothing is taken for missing and posted again."""
    forge = start(patch=PATCH, page_size=2)
    post(review(*FINDINGS), forge)
    forge.requests = []
    post(review(*FINDINGS), forge)
    assert written(forge) == []


@both
def test_thirty_comments_at_most(start: Start) -> None:
    """The best thirty findings are inline and the rest in the summary, on the second run as well."""
    forge = start(patch=long_patch(40))
    many = [finding("long.py", line, title=f"Remark {line}") for line in range(1, 41)]
    counts = post(review(*many), forge)
    assert (counts.inline, counts.summary) == (30, 10)
    assert len(roots(forge)) == 30
    assert "Remark 31" in summaries(forge)[0]
    forge.requests = []
    post(review(*many), forge)
    assert written(forge) == []


@both
def test_what_did_not_fit_the_summary_is_counted(start: Start) -> None:
    """Findings that no comment has room for are counted as skipped, so the numbers still add up."""
    forge = start(patch=long_patch(1))
    many = [finding(f"far{n}.py", 1, title="T" * 200, message="m" * 600) for n in range(1200)]
    counts = post(review(*many), forge)
    assert counts.found == 1200
    assert counts.skipped == 1200 - counts.summary > 0
    assert f"{counts.skipped} more did not fit here" in summaries(forge)[0]


@both
def test_a_push_leaves_unchanged_remarks_and_marks_gone_ones(start: Start) -> None:
    """After a push that mends one finding, the others' comments stay as they are and nothing is posted."""
    forge = start(patch=PATCH)
    post(review(*FINDINGS), forge)
    before = {number: note["body"] for number, note in roots(forge)}
    forge.head = "d" * 40
    post(review(*FINDINGS[1:], head=forge.head), forge)
    after = {number: note["body"] for number, note in roots(forge)}
    changed = {number for number in before if after[number] != before[number]}
    assert set(before) == set(after)
    assert len(changed) == 1
    assert "_Outdated: no longer found as of ddddddd._" in after[changed.pop()]
    assert len(summaries(forge)) == 1


@both
def test_what_was_not_reviewed_is_not_called_gone(start: Start) -> None:
    """If a file could not be reviewed this time, its comments stay: nobody knows."""
    forge = start(patch=PATCH)
    post(review(*FINDINGS), forge)
    before = [note["body"] for _, note in roots(forge)]
    late = review(
        skipped=tuple(Skipped(path, "timeout", fault=True) for path in ("a.py", "new.py", "image.png"))
    )
    post(late, forge)
    assert [note["body"] for _, note in roots(forge)] == before
    assert "**Incomplete.**" in summaries(forge)[0]


@both
def test_a_finding_that_comes_back_is_posted_again(start: Start) -> None:
    """An outdated comment does not stand for a finding that is there again."""
    forge = start(patch=PATCH)
    for findings in (FINDINGS[:1], (), FINDINGS[:1]):
        post(review(*findings), forge)
    assert ["Outdated" in note["body"] for _, note in roots(forge)] == [True, False]


@both
def test_ignore_in_a_thread_silences_with_a_record(start: Start) -> None:
    """`hunkwise: ignore` from a member keeps the finding out of the counts' open part, and says who did it."""
    forge = start(patch=PATCH)
    post(review(*FINDINGS[:2]), forge)
    forge.reply(roots(forge)[0][0], "maintainer", "No.\nhunkwise: ignore this is on purpose")
    counts = post(review(*FINDINGS[:2]), forge)
    assert (counts.inline, counts.skipped) == (1, 1)
    assert "`ignored by maintainer`" in summaries(forge)[0]
    assert len(roots(forge)) == 2


@both
def test_a_resolved_thread_stays_resolved(start: Start) -> None:
    """What a person resolved is neither posted again nor marked as outdated when it goes."""
    forge = start(patch=PATCH)
    post(review(*FINDINGS[:1]), forge)
    number, note = roots(forge)[0]
    if hasattr(forge, "resolved"):
        forge.resolved[number] = "maintainer"
    else:
        forge.resolve(number, "maintainer")
    body = note["body"]
    assert post(review(*FINDINGS[:1]), forge).skipped == 1
    post(review(), forge)
    post(review(*FINDINGS[:1]), forge)
    assert [one["body"] for _, one in roots(forge)] == [body]
    assert "`resolved by maintainer`" in summaries(forge)[0]


@both
def test_a_pasted_marker_counts_for_nothing(start: Start) -> None:
    """Somebody who pastes our markers silences no finding and gets no summary edited."""
    forge = start(patch=PATCH)
    marker = f"<!-- hunkwise:v1 fp={FINDINGS[0].fingerprint} run=aaaaaaa -->"
    forge.say("attacker", f"looks fine\n\n{marker}")
    forge.say("attacker", "<!-- hunkwise:v1 summary run=aaaaaaa -->")
    assert post(review(*FINDINGS[:1]), forge).inline == 1
    ours = [note for _, note in roots(forge) if "attacker" not in str(note)]
    assert len(ours) == 1
    assert len([body for body in summaries(forge) if "1 found" in body]) == 1


@both
def test_a_moved_head_stops_everything(start: Start) -> None:
    """Findings of another commit are not posted, and the message names both commits."""
    forge = start(patch=PATCH, head="e" * 40)
    with pytest.raises(StaleHead, match=r"aaaaaaaaaaaa.*eeeeeeeeeeee.*nothing was posted"):
        post(review(*FINDINGS), forge)
    with pytest.raises(StaleHead, match="no head commit"):
        post(review(*FINDINGS, head=None), forge)
    assert written(forge) == []


@both
def test_a_refused_line_costs_only_its_own_finding(start: Start) -> None:
    """The forge refuses one file's lines: the other comments are posted, that finding goes to its file."""
    forge = start(patch=PATCH, refused_paths={"new.py"})
    counts = post(review(*FINDINGS), forge)
    assert (counts.inline, counts.summary, counts.failed) == (5, 1, 0)
    whole = next(note for _, note in roots(forge) if FINDINGS[2].fingerprint in note["body"])
    assert whole.get("subject_type") == "file" or whole["position"]["position_type"] == "file"
    assert "At `new.py:2`, which the diff does not show." in whole["body"]
    forge.requests = []
    post(review(*FINDINGS), forge)
    assert written(forge) == []


@both
def test_what_is_refused_everywhere_is_told_in_the_summary(start: Start) -> None:
    """A finding whose line and file are both refused is counted as failed, and its text is in the summary."""
    forge = start(patch=PATCH, refused_paths={"new.py"})

    def no_files(request: Request, _: int) -> Answer | None:
        body = request.body or {}
        whole = body.get("subject_type") or (body.get("position") or {}).get("position_type")
        status = 422 if hasattr(forge, "reviews") else 400
        why = {"message": "Validation Failed", "documentation_url": "x", "errors": []}
        return Answer(status, why) if whole == "file" else None

    forge.fault = no_files
    for _ in range(2):
        counts = post(review(*FINDINGS[:3]), forge)
        assert (counts.inline, counts.summary, counts.failed) == (2, 0, 1)
        assert "**High**: Not documented" in summaries(forge)[0]
        assert len(roots(forge)) == 2
        assert len(summaries(forge)) == 1


@both
@pytest.mark.parametrize("bad", [0, 7, 14, 29])
def test_the_bad_one_of_thirty_is_found(start: Start, bad: int) -> None:
    """Wherever the refused comment stands, the other twenty-nine are posted, each once."""
    forge = start(patch=long_patch(29) + long_patch(1, "bad.py"), refused_paths={"bad.py"})
    many = [finding("long.py", line, title=f"Remark {line}") for line in range(1, 30)]
    many.insert(bad, finding("bad.py", 1))
    counts = post(review(*many), forge)
    assert (counts.inline, counts.failed) == (30, 0)
    names = [one.fingerprint for one in many]
    posted = [next(name for name in names if name in note["body"]) for _, note in roots(forge)]
    assert sorted(posted) == sorted(names)


def once(matching: str, answer: Answer, *, accepted: bool, forge: Any) -> Fault:
    """Answer the first request on a path otherwise, before or after doing what it asks."""
    left = [1]

    def fault(request: Request, _: int) -> Answer | None:
        if left and f"{request.method} {request.path}".endswith(matching):
            left.pop()
            if accepted:
                forge.answer(request)
            return answer
        return None

    return fault


POSTS = {
    "github": [
        "/reviews",
        "POST /repos/octo/repo/pulls/7/comments",
        "POST /repos/octo/repo/issues/7/comments",
    ],
    "gitlab": [
        "POST /api/v4/projects/group%2Fsub%2Fproject/merge_requests/7/draft_notes",
        "/bulk_publish",
        "7/notes",
    ],
}


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize(
    ("start", "path"), [(name, path) for name in POSTS for path in POSTS[name]], indirect=["start"]
)
def test_an_uncertain_post_is_looked_for_before_it_is_repeated(
    start: Start, path: str, accepted: bool
) -> None:
    """After a 502 the state is read again: what was accepted is not posted twice, what was not is posted."""
    calm = start(patch=PATCH)
    post(review(*FINDINGS), calm)
    forge = start(patch=PATCH)
    forge.fault = once(path, Answer(502, {"message": "Bad gateway"}), accepted=accepted, forge=forge)
    waits: list[float] = []
    post(review(*FINDINGS), forge, patient(waits))
    assert waits == [1.0]
    assert forge.seen() == calm.seen()


LIMITS = [
    (403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "7"}, 7.0),
    (403, {"message": "You have exceeded a secondary rate limit"}, {}, 60.0),
    (429, {"message": "Too many requests"}, {"Retry-After": "9"}, 9.0),
]


@pytest.mark.parametrize(("status", "body", "headers", "wait"), LIMITS)
@pytest.mark.parametrize("path", ["POST /repos/octo/repo/pulls/7/reviews", "GET /repos/octo/repo/pulls/7"])
def test_github_says_how_long_to_wait(
    github: Start, path: str, status: int, body: dict[str, Any], headers: dict[str, str], wait: float
) -> None:
    """A rate limit is waited out as GitHub asks, a minute where it names no time, and nothing is lost."""
    forge = github(patch=PATCH)
    forge.fault = once(path, Answer(status, body, headers), accepted=False, forge=forge)
    waits: list[float] = []
    assert post(review(*FINDINGS), forge, patient(waits)).found == 6
    assert waits == [wait]


@pytest.mark.parametrize("path", ["/draft_notes", "GET /api/v4/user", "/discussions"])
def test_gitlab_says_how_long_to_wait(gitlab: Start, path: str) -> None:
    """A 429 is waited out as its Retry-After asks, on reading and on writing."""
    forge = gitlab(patch=PATCH)
    limited = Answer(429, {"message": "Too many requests"}, {"Retry-After": "9"})
    forge.fault = once(path, limited, accepted=False, forge=forge)
    waits: list[float] = []
    assert post(review(*FINDINGS), forge, patient(waits)).found == 6
    assert waits == [9.0]


@both
def test_a_long_wait_ends_the_run(start: Start) -> None:
    """A wait of an hour is not waited: the job ends with the reason."""
    forge = start(patch=PATCH)
    forge.fault = lambda request, _: Answer(429, {"message": "Too many requests"}, {"Retry-After": "3600"})
    with pytest.raises(Unavailable, match="429"):
        post(review(*FINDINGS), forge)


@both
def test_a_forge_that_is_down_is_given_up(start: Start) -> None:
    """Four failures in a row end the run; each wait was twice the one before."""
    forge = start(patch=PATCH, fault=lambda request, _: Answer(503, {"message": "unavailable"}))
    waits: list[float] = []
    with pytest.raises(Unavailable, match="503"):
        post(review(*FINDINGS), forge, patient(waits))
    assert waits == [1.0, 2.0, 4.0]


@both
def test_without_permission_nothing_is_posted(start: Start) -> None:
    """A token that may only read is told what it lacks."""
    forge = start(patch=PATCH)
    forge.accounts["secret-token"].writes = False
    with pytest.raises(NotAllowed, match=r"403.*the token needs"):
        post(review(*FINDINGS), forge)
    assert roots(forge) == []


@both
def test_a_bad_token_is_named_without_being_shown(start: Start) -> None:
    """A 401 asks about the token and does not print it."""
    forge = start(patch=PATCH, accounts={})
    with pytest.raises(ForgeError, match=r"401.*is the token still good") as caught:
        post(review(*FINDINGS), forge)
    assert "secret-token" not in str(caught.value)


@both
def test_two_posters_at_once_leave_one_comment(start: Start) -> None:
    """If two runs posted the same, the next marks the younger comment as outdated and drops its summary."""
    forge = start(patch=PATCH)
    post(review(*FINDINGS[:1]), forge)
    if hasattr(forge, "review_comments"):
        twin = forge.review_comments[0]
        forge.review_comments.append({**twin, "id": 5000, "node_id": "PRRC_5000"})
        forge.issue_comments.append({**forge.issue_comments[0], "id": 5001})
    else:
        thread = forge.discussions[0]
        forge.discussions.append({**thread, "id": "ff", "notes": [{**thread["notes"][0], "id": 5000}]})
        note = forge.discussions[1]["notes"][0]
        forge.discussions.append({"id": "fe", "individual_note": True, "notes": [{**note, "id": 5001}]})
    post(review(*FINDINGS[:1]), forge)
    assert ["Outdated" in note["body"] for _, note in roots(forge)] == [False, True]
    assert len(summaries(forge)) == 1


def test_a_review_keeps_its_findings_apart(github: Start) -> None:
    """Two equal findings in one review have two comments, and keep them."""
    forge = github(patch=PATCH)
    twins = [finding("a.py", 2), replace(finding("a.py", 2), start_line=22, end_line=22)]
    assert post(review(*twins), forge).inline == 2
    forge.requests = []
    post(review(*twins), forge)
    assert written(forge) == []
