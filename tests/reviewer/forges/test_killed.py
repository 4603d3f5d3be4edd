"""The poster dies between any two requests, and is run again."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from fakes.clients import patient, post, pull
from fakes.reviews import PATCH, finding, review, suggested
from fakes.wire import Killed, Wire

from hunkwise.reviewer.publish.deliver import deliver_check

OLD = (finding("a.py", 2), finding("a.py", 23, title="Old"), finding("new.py", 1, title="Answered"))
NEW = (
    finding("a.py", 2),
    finding("a.py", 2, 3, title="Range"),
    suggested(finding("a.py", 22), "    return 1"),
    finding("new.py", 2, title="Refused"),
    finding("image.png", 1, title="Binary"),
    finding("gone.py", 1, title="Nowhere"),
)


def prepared(start: Callable[..., Any]) -> Any:
    """A request with an old review, an answer to it, and things the new review has to tidy up."""
    forge = start(patch=PATCH, check=False, refused_paths={"new.py"})
    forge.refused_paths = set()
    post(review(*OLD), forge)
    forge.refused_paths = {"new.py"}
    if hasattr(forge, "discussions"):
        forge.reply(forge.discussions[2]["id"], "maintainer", "Really?")
        stale = {"note": "stale\n\n<!-- hunkwise:v1 fp=" + "0" * 32 + " run=0000000 -->", "position": None}
        forge.drafts.append({"id": 9, "author_id": 23, "merge_request_id": 11, **stale})
    else:
        forge.reply(forge.review_comments[2]["id"], "maintainer", "Really?")
    return forge


def dies_anywhere(forge: Any, wire: Wire, do: Callable[[], object]) -> None:
    """Kill `do` before its n-th request, for every n, and do it again: people must see what one run shows.

    Dying before a request is the same as dying after the one before it was accepted and before its answer came.
    """
    before = copy.deepcopy(vars(forge))
    wire.sent = 0
    do()
    wanted, requests = forge.seen(), wire.sent
    assert requests > 5
    for number in range(requests):
        vars(forge).update(copy.deepcopy(before))
        wire.sent, wire.cut_at = 0, number
        with pytest.raises(Killed):
            do()
        wire.cut_at = None
        do()
        assert forge.seen() == wanted, f"dead at request {number}"


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_dying_anywhere_changes_nothing(name: str, wire: Wire, request: pytest.FixtureRequest) -> None:
    """With old remarks to keep and to mark, a refused line, and drafts left behind: one run or two, no matter."""
    forge = prepared(request.getfixturevalue(name))
    dies_anywhere(forge, wire, lambda: post(review(*NEW), forge))


def test_a_check_run_is_gone_on_with(github: Callable[..., Any], wire: Wire) -> None:
    """A check run has each of 120 annotations once, in requests of 50, and one conclusion."""
    forge = github(patch=PATCH)
    many = review(*(finding("a.py", line) for line in range(1, 121)))

    def check() -> None:
        client = pull(forge)
        deliver_check(lambda: client.check(many, "120 remarks"), patient())

    dies_anywhere(forge, wire, check)
    assert [one["start_line"] for one in forge.annotations] == list(range(1, 121))
    assert [run["conclusion"] for run in forge.check_runs] == ["neutral"]
