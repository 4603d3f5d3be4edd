"""What a match tells."""

from __future__ import annotations

from hunkwise.reviewer.checks.match import Hit


def test_a_value_without_a_name_is_it() -> None:
    """What a flow follows may stand in no variable; other words that look like names stay."""
    hit = Hit("java-stream-left-open", 1, 1, {"OTHER": "in"})
    assert hit.filled("$X is not closed, $OTHER is, $HOME stays") == "it is not closed, in is, $HOME stays"
