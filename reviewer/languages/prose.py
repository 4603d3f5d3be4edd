"""Files that are written for people to read."""

from __future__ import annotations

_PROSE = (".md", ".mdx", ".markdown", ".rst", ".adoc", ".asciidoc", ".org")


def is_prose(path: str) -> bool:
    """Tell by its name whether a file is written for people to read."""
    return path.lower().endswith(_PROSE)
