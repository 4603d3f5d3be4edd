"""Bundles become tokens without the template ever seeing a content."""

from __future__ import annotations

import pytest

from hunkwise.engine.errors import CorruptModel
from hunkwise.engine.runtime.chat import cut, turns
from hunkwise.engine.types import Segment


def test_neighbours_of_one_role_are_one_message() -> None:
    """Segments are grouped by role, in order."""
    a, b, c, d = Segment("a", "system"), Segment("b"), Segment("c"), Segment("d", "assistant")

    assert turns((a, b, c, d)) == (("system", (a,)), ("user", (b, c)), ("assistant", (d,)))


def test_a_rendered_template_is_cut_at_its_placeholders() -> None:
    """Words stay words, placeholders become numbers of messages."""
    rendered = "<s>@@hunkwise-message-0@@</s><u>@@hunkwise-message-1@@</u>"

    assert cut(rendered, 2) == ("<s>", 0, "</s><u>", 1, "</u>")


def test_a_template_that_drops_a_message_is_refused() -> None:
    """No segment of a prompt may vanish silently."""
    with pytest.raises(CorruptModel, match="drops message 1 of 2"):
        cut("<u>@@hunkwise-message-1@@</u>", 2)
