"""What can't be seen is made visible."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.text.visible import defuse, visible, visible_line


def test_no_control_or_format_character_passes() -> None:
    """Of all of Unicode's control, format, separator and surrogate characters, newline and tab alone pass."""
    unseen = {
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }
    assert {char for char in unseen if visible(char) == char} == {"\n", "\t"}


def test_letters_and_emoji_pass() -> None:
    """Ordinary text in any script is left alone."""
    text = "naïve 数据 данные 🐍 « » “ ” … — é می\u200cخواهم 👩\u200d💻 ❤\ufe0f"
    assert visible(text) == text


def test_a_secret_is_hidden_wherever_it_is_printed() -> None:
    """Also in a path, and behind characters that nobody sees."""
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    assert visible(f"keys/{secret}.txt: not found") == f"keys/{'*' * 20}.txt: not found"
    assert visible_line(f"{secret[:5]}\u200b{secret[5:]}") == "*" * 21


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_making_visible_is_done_once(text: str) -> None:
    """What is visible stays as it is, and one line stays one line."""
    assert visible(visible(text)) == visible(text)
    assert len(visible_line(text).splitlines()) <= 1


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=":#[ \nab\t", max_size=30))
def test_nothing_defused_is_a_command(text: str) -> None:
    """No line starts with a command of the runner, and none holds one of its older form."""
    safe = defuse(text)
    assert "##[" not in safe
    assert not any(line.strip().startswith("::") for line in safe.split("\n"))
