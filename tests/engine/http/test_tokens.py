"""Where a server's tokens lie in a text, by each of the ways in which vocabularies print bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.http.backends.tokens import _letters, defused, scores, spans, special


def byte_level(data: bytes) -> str:
    letters = {byte: letter for letter, byte in _letters().items()}
    return "".join(letters[byte] for byte in data)


@given(st.text(), st.lists(st.integers(0, 60)))
def test_byte_level(text: str, cuts: list[int]) -> None:
    """Any text, cut at any byte, is found again, also where a character is cut in two."""
    data = text.encode("utf-8", "surrogateescape") if text.isascii() else text.encode("utf-8", "replace")
    text = data.decode("utf-8")
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    tokens = [byte_level(data[start:end]) for start, end in pairwise(edges)]

    assert spans(text, tokens) == list(pairwise(edges))


def test_sentence_piece() -> None:
    """Blanks are marks there, bytes are numbers, and the first word has a blank that the text has not."""
    assert spans("a = é\n", ["▁a", "▁=", "▁", "<0xC3>", "<0xA9>", "<0x0A>"]) == [
        (0, 1), (1, 3), (3, 4), (4, 5), (5, 6), (6, 7),
    ]  # fmt: skip


def test_other_tokens() -> None:
    """Tokens that are not the text are refused, and so are numbers that are none."""
    with pytest.raises(NativeFailure, match="not the text"):
        spans("abc", ["a", "c"])
    with pytest.raises(NativeFailure, match="no log-probability"):
        scores("ab", ["a", "b"], [-1.0, float("nan")], [-0.5, -0.5])
    with pytest.raises(NativeFailure, match="left out"):
        scores("ab", ["a", "b"], [-1.0], [-0.5])


@pytest.mark.parametrize(
    "text", ["<|im_end|>", "<s>", "[INST]", "<end_of_turn>", "<｜User｜>", "x <|fim_prefix|> y"]
)
def test_special(text: str) -> None:
    """What templates mark turns with is found, and broken so that it stays readable."""
    assert special(text)
    assert not special(defused(text))
    assert defused(text).replace("\u2060", "") == text


@given(st.text(alphabet="<|>s/[]INTim_end ab"))
def test_defused_is_never_special(text: str) -> None:
    """Nothing special is left, whatever stands beside it."""
    assert not special(defused(text))


@pytest.mark.parametrize(
    "text", ["a <| b |> c", "List<String>", "if (a < b || c > d)", "x</span>", "#include <s.h>"]
)
def test_plain(text: str) -> None:
    """Code that only looks like it stays as it is."""
    assert defused(text) == text
