"""Bytes as text."""

from __future__ import annotations

import re

_UNDECODABLE = re.compile("[\udc80-\udcff]")


def decode(data: bytes) -> str:
    """Text of a file or a line; each byte that is no UTF-8 becomes one U+FFFD."""
    text = data.decode("utf-8", "surrogateescape")
    return text if text.isascii() else _UNDECODABLE.sub("\ufffd", text)
