"""Keys of translations that are gone, and that code still asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from hunkwise.reviewer.knowledge.reach.values import Place
from hunkwise.reviewer.knowledge.reach.world import World

MOST_GONE = 60  # keys; more is a file that was turned over
MOST_TABLES = 20  # files of the same language
SHORTEST_KEY = 6

# English is what texts are written in first, and what is shown where another language lacks a key.
_TABLE = re.compile(r"(?:^|/)en(?:[-_]\w{2,4})?(?:\.json|/(?:[^/]+/)?[^/]+\.json)\Z")
_CODE = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".vue", ".svelte", ".html")
_CALL = r"(?<![\w.])(?:\$?tc?|i18n(?:ext)?\.t|this\.\$tc?|translate)\(\s*([\"'`]){}\1\s*[,)]"
_TELLING = re.compile(r"[._:]|[a-z][A-Z]")  # a plain word may be another thing's key


def gone_keys(path: str, old: str, new: str) -> set[str]:
    """Give the keys that a file of English texts has no more; none where it is not one, or was turned over."""
    if not _TABLE.search(path):
        return set()
    before, after = _keys(old), _keys(new)
    found = {key for key in before - after if len(key) >= SHORTEST_KEY and _TELLING.search(key)}
    return found if after and len(found) <= MOST_GONE else set()


def asked(world: World, path: str, keys: set[str]) -> Iterator[tuple[str, list[Place]]]:
    """Find the code that asks for keys that no English text has any more. Raises OutOfTime."""
    tables = [each for each in world.paths if each != path and _TABLE.search(each)]
    code = {each for each in world.holding(keys) if each.endswith(_CODE)}
    if len(tables) > MOST_TABLES or not code:
        return
    world.load({*tables, *code})
    kept = {key for table in tables for key in _keys(world.text(table) or "")}
    for key in sorted(keys - kept):
        call = re.compile(_CALL.format(re.escape(key)))
        places = [
            Place(each, number, "asks for it")
            for each in sorted(code)
            for number, line in enumerate((world.text(each) or "").split("\n"), 1)
            if key in line and call.search(line[:500])
        ]
        if places:
            yield key, places


def _keys(text: str) -> set[str]:
    """Give the keys of all texts, with those that they stand under before them."""
    try:
        todo = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return set()
    found = set()
    while todo:
        above, value = todo.pop()
        if isinstance(value, dict):
            todo += [(f"{above}.{key}" if above else key, each) for key, each in value.items()]
        else:
            found.add(above)
    return found
