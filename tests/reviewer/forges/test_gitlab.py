"""What is GitLab's own: positions, drafts, suggestions with offsets, a diff that is not ready yet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from fakes.clients import merge, patient, post, written
from fakes.gitlab import FakeGitLab
from fakes.reviews import HEAD, PATCH, finding, review, suggested
from fakes.server import Answer, Request

from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.forges.registry import requested_change

Start = Callable[..., FakeGitLab]
ONE = finding("a.py", 2)


def test_positions_by_the_kind_of_line(gitlab: Start) -> None:
    """An added line has a new number only, an unchanged one both; a range names the codes of its ends."""
    forge = gitlab(patch=PATCH)
    post(review(finding("a.py", 2), finding("a.py", 4), finding("a.py", 2, 4, title="Range")), forge)
    first, second, third = (one["notes"][0]["position"] for one in forge.discussions[:3])
    assert (first.get("old_line"), first["new_line"]) == (None, 2)
    assert (second["old_line"], second["new_line"]) == (3, 4)
    code = hashlib.sha1(b"a.py").hexdigest()
    assert third["line_range"] == {
        "start": {"line_code": f"{code}_3_2", "type": "new", "new_line": 2},
        "end": {"line_code": f"{code}_3_4", "type": "old", "old_line": 3, "new_line": 4},
    }
    assert (first["base_sha"], first["start_sha"], first["head_sha"]) == ("b" * 40, "c" * 40, HEAD)


def test_one_notification_for_a_review(gitlab: Start) -> None:
    """The comments are drafts that are published together."""
    forge = gitlab(patch=PATCH)
    post(review(ONE, finding("new.py", 1), finding("a.py", 22)), forge)
    assert forge.published == 1
    assert forge.drafts == []


def test_suggestions_reach_upwards(gitlab: Start) -> None:
    """A suggestion for two lines starts one line above the commented one."""
    forge = gitlab(patch=PATCH)
    post(review(suggested(finding("a.py", 2, 3), "x = 1")), forge)
    assert "```suggestion:-1+0\nx = 1\n```" in forge.discussions[0]["notes"][0]["body"]


def test_a_diff_that_is_not_ready_is_waited_for(gitlab: Start) -> None:
    """While diff_refs is null the merge request is asked again, two seconds later each time."""
    forge = gitlab(patch=PATCH, unready=2)
    waits: list[float] = []
    assert post(review(ONE), forge, patient(waits)).inline == 1
    assert waits == [2.0, 2.0]
    with pytest.raises(ForgeError, match="not made the merge request's diff yet"):
        post(review(ONE), gitlab(patch=PATCH, unready=9))


def test_drafts_left_behind_are_dropped_first(gitlab: Start) -> None:
    """A draft of a run that died is not published with the others."""
    forge = gitlab(patch=PATCH)
    marker = f"<!-- hunkwise:v1 fp={ONE.fingerprint} run=0000000 -->"
    stale = {"id": 9, "author_id": 23, "merge_request_id": 11, "note": f"stale\n\n{marker}", "position": None}
    forge.drafts.append(stale)
    post(review(ONE), forge)
    assert len(forge.discussions) == 2
    assert "stale" not in str(forge.discussions)


def test_a_persons_drafts_are_not_published(gitlab: Start) -> None:
    """With a personal token whose owner has drafts, the threads are posted one by one."""
    forge = gitlab(patch=PATCH)
    forge.drafts.append({"id": 9, "author_id": 23, "merge_request_id": 11, "note": "mine", "position": None})
    post(review(ONE, finding("new.py", 1)), forge)
    assert [draft["note"] for draft in forge.drafts] == ["mine"]
    assert len(forge.discussions) == 3


def test_an_old_gitlab_without_drafts(gitlab: Start) -> None:
    """Where the drafts' address is unknown, the threads are posted one by one."""
    forge = gitlab(patch=PATCH)
    missing = Answer(404, {"error": "404 Not Found"})
    forge.fault = lambda request, _: missing if request.path.endswith("/draft_notes") else None
    assert post(review(ONE, finding("new.py", 1)), forge).inline == 2
    assert len(forge.discussions) == 3


def test_a_collapsed_file_gets_its_remarks_as_a_whole(gitlab: Start) -> None:
    """GitLab shows no lines of a collapsed diff; the remark goes to the file and names the line."""
    forge = gitlab(patch=PATCH, collapsed={"a.py"})
    assert post(review(ONE), forge).inline == 1
    note = forge.discussions[0]["notes"][0]
    assert note["position"]["position_type"] == "file"
    assert "At `a.py:2`" in note["body"]
    assert [skip.path for skip in merge(forge).fetch().change.skipped] == ["a.py"]


def test_gone_threads_are_resolved_where_that_is_allowed(gitlab: Start) -> None:
    """What we resolved ourselves is not taken for a person's word: the finding can come back."""
    forge = gitlab(patch=PATCH)
    post(review(ONE), forge)
    post(review(), forge)
    assert forge.discussions[0]["notes"][0]["resolved"] is True
    assert post(review(ONE), forge).inline == 1
    assert len(forge.discussions) == 3


def test_without_the_right_to_resolve_the_rest_is_done(gitlab: Start) -> None:
    """A Reporter's token marks the comment as outdated and leaves the thread open."""
    forge = gitlab(patch=PATCH)
    forge.accounts["secret-token"].resolves = False
    post(review(ONE), forge)
    assert post(review(), forge).found == 0
    note = forge.discussions[0]["notes"][0]
    assert "_Outdated" in note["body"]
    assert note["resolved"] is False


def test_a_renamed_file_has_both_paths(gitlab: Start) -> None:
    """The position names the old path and the new one."""
    patch = (
        "diff --git a/old.py b/fresh.py\nsimilarity index 90%\nrename from old.py\nrename to fresh.py\n"
        "--- a/old.py\n+++ b/fresh.py\n@@ -1,2 +1,2 @@\n x = 1\n-y = 1\n+y = 2\n"
    )
    forge = gitlab(patch=patch)
    assert post(review(finding("fresh.py", 2)), forge).inline == 1
    position = forge.discussions[0]["notes"][0]["position"]
    assert (position["old_path"], position["new_path"]) == ("old.py", "fresh.py")


@pytest.mark.parametrize("body", ["<html>Sign in</html>", {}, [], {"diff_refs": 5}])
def test_an_unknown_answer_is_no_traceback(gitlab: Start, body: object) -> None:
    """A proxy's page or another form than GitLab's ends in one sentence."""
    forge = gitlab(patch=PATCH, check=False)
    forge.fault = lambda request, _: Answer(200, body)
    with pytest.raises(ForgeError):
        post(review(ONE), forge)


def test_the_change_of_a_merge_request(gitlab: Start) -> None:
    """`review --mr URL` reads the forge's diff, with the commits a report then names."""
    forge = gitlab(patch=PATCH)
    url = f"{forge.url}/group/sub/project/-/merge_requests/7"
    change = requested_change("gitlab", url, {"GITLAB_TOKEN": "secret-token"})
    assert (change.base, change.head) == ("b" * 40, HEAD)
    assert [file.path for file in change.files] == ["a.py", "new.py", "image.png"]


def test_a_gitlab_below_a_path(gitlab: Start) -> None:
    """CI_SERVER_URL says where the project's path begins."""
    forge = gitlab(patch=PATCH, check=False)
    real = forge.answer

    def below(request: Request, _: int) -> Answer:
        assert request.path.startswith("/git/api/v4/")
        return real(Request(request.method, request.path[4:], request.query, request.headers, request.body))

    forge.fault = below
    url = f"{forge.url}/git/group/sub/project/-/merge_requests/7"
    environment = {"GITLAB_TOKEN": "secret-token", "CI_SERVER_URL": f"{forge.url}/git"}
    assert requested_change("gitlab", url, environment).head == HEAD


def test_a_second_run_with_a_longer_list(gitlab: Start) -> None:
    """More threads than a page holds are all read before anything is posted."""
    forge = gitlab(patch=PATCH, page_size=1)
    findings = [finding("a.py", line) for line in (1, 2, 3, 4)]
    post(review(*findings), forge)
    forge.requests = []
    post(review(*findings), forge)
    assert written(forge) == []
