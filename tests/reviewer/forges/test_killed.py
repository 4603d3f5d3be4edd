"""The poster dies between any two requests, and is run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes.clients import post
from fakes.reviews import PATCH, finding, review, suggested
from fakes.wire import Killed, Wire

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


@pytest.mark.parametrize("after_accepting", [False, True])
@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_dying_at_any_request_changes_nothing(
    name: str, after_accepting: bool, wire: Wire, request: pytest.FixtureRequest
) -> None:
    """Dead before or after the n-th request, for every n: the second run ends where one run would have."""
    start = request.getfixturevalue(name)
    calm = prepared(start)
    wire.sent = 0
    post(review(*NEW), calm)
    wanted, requests = calm.seen(), wire.sent
    assert requests > 10
    for number in range(requests):
        forge = prepared(start)
        wire.sent, wire.cut_at, wire.after_accepting = 0, number, after_accepting
        with pytest.raises(Killed):
            post(review(*NEW), forge)
        wire.cut_at = None
        post(review(*NEW), forge)
        assert forge.seen() == wanted, f"dead at request {number}"
