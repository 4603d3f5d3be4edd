"""Measure the house: `.venv/bin/python scripts/rooms.py` prints its rooms, floors, arrows, and what is large.

A room is a folder or file right below `reviewer/` or `engine/`. An arrow says that one room imports another. A
room stands one floor above the highest one that it imports.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_FILES, MOST_LINES = 12, 300


def imported(path: Path) -> Iterator[str]:
    """Name what a file imports of ours, with what is imported from packages."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows(house: str) -> dict[str, set[str]]:
    """Give, for each room of a house, the rooms that it imports."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / house).rglob("*.py")):
        room = path.relative_to(ROOT / house).parts[0].removesuffix(".py")
        if room == "__init__":
            continue  # the front door, which shows what all rooms have
        below = found.setdefault(room, set())
        for name in imported(path):
            parts = name.split(".")
            if parts[:2] == ["hunkwise", house] and len(parts) > 2 and parts[2] != room:
                below.add(parts[2])
    return {room: {one for one in below if one in found} for room, below in found.items()}


def floors(below: Mapping[str, set[str]]) -> int:
    """Count the floors of a house without circles."""

    @cache
    def floor(room: str) -> int:
        return 1 + max(map(floor, below[room]), default=0)

    return max(map(floor, below))


def main() -> None:
    """Print the measures."""
    for house in ("reviewer", "engine"):
        below = arrows(house)
        files = sorted((ROOT / house).rglob("*.py"))
        folders = Counter(path.parent.relative_to(ROOT).as_posix() for path in files)
        depth = max(name.count("/") + 1 for name in folders)
        shape = f"{len(below)} rooms, {floors(below)} floors, {sum(map(len, below.values()))} arrows"
        print(f"{house}: {shape}, {len(files)} files, depth {depth}")
        for name, number in folders.most_common():
            if number > MOST_FILES:
                print(f"  {name}: {number} files, more than {MOST_FILES}")
        for path in files:
            if (lines := len(path.read_text("utf-8").splitlines())) > MOST_LINES:
                print(f"  {path.relative_to(ROOT)}: {lines} lines, more than {MOST_LINES}")


if __name__ == "__main__":
    main()
