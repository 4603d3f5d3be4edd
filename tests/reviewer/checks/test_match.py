"""What a match tells."""

from __future__ import annotations

import pytest

from hunkwise.reviewer.checks.match import Hit, hits
from hunkwise.reviewer.checks.needs import Text
from hunkwise.reviewer.checks.pack import rules_for
from hunkwise.reviewer.checks.rule import read_rule
from hunkwise.reviewer.errors import ConfigError

LOG = {
    "id": "python-said-in-loop", "languages": ["python"], "dimension": "performance", "severity": "low",
    "title": "t", "message": "m", "advice": "a", "bad": ["x"], "good": ["y"],
    "rule": {"pattern": "print($X)"},
    "within": {"kind": "for_statement"},
}  # fmt: skip


def test_a_value_without_a_name_is_it() -> None:
    """What a flow follows may stand in no variable; other words that look like names stay."""
    hit = Hit("java-stream-left-open", 1, 1, {"OTHER": "in"})
    assert hit.filled("$X is not closed, $OTHER is, $HOME stays") == "it is not closed, in is, $HOME stays"


@pytest.mark.parametrize("loops", [1, 20])
def test_within_is_where_a_rule_matches(loops: int) -> None:
    """Few nodes are looked at one by one, and many together; a loop in a loop says nothing twice."""
    text = "for row in rows:\n  for cell in row:\n    print(cell)\n" * loops
    found = hits([read_rule(LOG, "here")], "python", text)
    assert [hit.start for hit in found] == list(range(3, 3 * loops + 1, 3))


def test_within_is_of_rules_alone() -> None:
    """A flow looks in functions, so the key is told as a mistake there."""
    flow = {key: value for key, value in LOG.items() if key != "rule"} | {"flow": {"kind": "unread"}}
    with pytest.raises(ConfigError, match="within is for a rule that has rule"):
        read_rule(flow, "here")


def test_rules_together_find_what_each_finds_alone() -> None:
    """Most rules are looked for in one walk; what each of them finds in its examples is the same."""
    rules = rules_for("go")
    for rule in rules:
        for text in rule.bad:
            alone = {(hit.start, hit.end) for hit in hits([rule], "go", text)}
            assert alone <= {(hit.start, hit.end) for hit in hits(rules, "go", text) if hit.rule == rule.id}


@pytest.mark.parametrize(
    ("regex", "text", "matches"),
    [
        (r"\b(?:jwt|jose)\b", "import jose", True),
        (r"\b(jwt|jose)\b", "import josef", False),
        (r"\bor\b", "a or b", True),
        (r"\bre\b", "require", False),
    ],
)
def test_whole_words_are_found_as_such(regex: str, text: str, matches: bool) -> None:
    """They are looked up among the words of the text."""
    assert Text(text).matches(regex) is matches
