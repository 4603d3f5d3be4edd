"""How wide a text is on a terminal: wide characters take two columns, combining ones none (wcwidth's tables)."""

from __future__ import annotations

from functools import cache

ELLIPSIS = "…"


def columns(text: str) -> int:
    """Count the terminal columns of a text without control characters."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def clip(text: str, width: int) -> str:
    """Cut a text to at most `width` columns; one that was cut ends in an ellipsis."""
    if len(text) <= width // 2 or columns(text) <= width:
        return text
    used = 0
    for at, char in enumerate(text):
        used += _width(char)
        if used > width - 1:
            return text[:at] + ELLIPSIS
    return text


@cache
def _width(char: str) -> int:
    if char.isascii():
        return 1
    from wcwidth import wcwidth  # its tables take time to import, and most reviews are ASCII

    return max(0, wcwidth(char))
