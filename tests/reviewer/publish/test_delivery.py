"""Any series of pushes, failures and refusals ends with each finding shown once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fakes.clients import patient
from fakes.reviews import PATCH, finding, review
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.publish.comment import GITHUB
from hunkwise.reviewer.publish.deliver import deliver, rehearse
from hunkwise.reviewer.publish.marker import read_marker
from hunkwise.reviewer.publish.port import (
    Action,
    Call,
    ChangeRequest,
    EditComment,
    EditSummary,
    Existing,
    HideComment,
    OwnComment,
    OwnNote,
    PostReview,
    PostSummary,
    Refused,
    Unavailable,
)

FINDINGS = [
    *(finding("a.py", line) for line in (1, 2, 3, 22)),
    finding("new.py", 2),
    finding("a.py", 12),
    finding("image.png", 1),
    finding("gone.py", 1),
]
CHANGE = parse_diff(PATCH.encode())


@dataclass
class Memory:
    """A forge in memory: a call is one action, all or nothing; `luck` says how each call ends."""

    luck: Iterator[str]
    refused: frozenset[str] = frozenset()
    comments: list[OwnComment] = field(default_factory=list)
    summaries: list[OwnNote] = field(default_factory=list)
    waiting: dict[str, Action] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def fetch(self) -> ChangeRequest:
        return ChangeRequest("title", "b" * 40, "a" * 40, CHANGE)

    def existing(self) -> Existing:
        return Existing(tuple(self.comments), tuple(self.summaries))

    def calls(self, action: Action, request: ChangeRequest) -> tuple[Call, ...]:
        path = f"/{next(self.numbers)}"
        self.waiting[path] = action
        names = [one.fingerprint for one in action.comments] if isinstance(action, PostReview) else []
        return (Call("POST", path, None, tuple(names)),)

    def send(self, call: Call) -> None:
        luck = next(self.luck)
        if luck == "lost":
            raise Unavailable("lost")
        self.do(self.waiting[call.path])
        if luck == "unanswered":
            raise Unavailable("unanswered")

    def do(self, action: Action) -> None:
        match action:
            case PostReview(comments):
                if any(one.lines and one.fingerprint in self.refused for one in comments):
                    raise Refused("refused")
                for one in comments:
                    number = str(next(self.numbers))
                    self.comments.append(OwnComment(number, number, one.file.path, one.body, hidden=False))
            case PostSummary(body):
                self.summaries.append(OwnNote(str(next(self.numbers)), body))
            case EditSummary(note, body):
                self.summaries[self.summaries.index(note)] = replace(note, body=body)
            case EditComment(comment, body):
                self.comments[self.comments.index(comment)] = replace(comment, body=body)
            case HideComment(comment):
                self.comments[self.comments.index(comment)] = replace(comment, hidden=True)

    def live(self) -> list[str]:
        markers = [read_marker(comment.body) for comment in self.comments]
        return sorted(marker.fingerprint for marker in markers if marker and not marker.outdated)


pushes = st.lists(st.sets(st.integers(0, len(FINDINGS) - 1)), min_size=1, max_size=4)
fortunes = st.lists(st.sampled_from(["well", "well", "lost", "unanswered"]), max_size=40)
refusals = st.sets(st.integers(0, len(FINDINGS) - 1), max_size=3)


@settings(max_examples=60, deadline=None)
@given(pushes, fortunes, refusals)
def test_each_finding_is_shown_once(pushed: list[set[int]], luck: list[str], refused: set[int]) -> None:
    """After every push: one live comment for each finding that can have one, one summary, and nothing to do."""
    names = frozenset(FINDINGS[number].fingerprint for number in refused)
    forge = Memory(itertools.chain(luck, itertools.repeat("well")), names)
    for numbers in pushed:
        made = review(*(FINDINGS[number] for number in sorted(numbers)))
        counts = deliver(made, forge, forge, GITHUB, patient(tries=60))
        shown = [one.fingerprint for one in made.findings if one.path != "gone.py"]
        assert forge.live() == sorted(shown)
        assert (counts.found, counts.inline) == (len(numbers), len(shown))
        assert len(forge.summaries) == 1
        assert str(counts) in forge.summaries[0].body
        assert rehearse(made, forge, forge, GITHUB) == ()
        assert all(comment.hidden == ("outdated=" in comment.body) for comment in forge.comments)
