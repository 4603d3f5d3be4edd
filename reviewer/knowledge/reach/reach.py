"""From a change to what it breaks elsewhere: calls that fit only what was there, and names that are gone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hunkwise.reviewer.knowledge.reach.calls import misfits
from hunkwise.reviewer.knowledge.reach.definitions import Changed, gone, reshaped
from hunkwise.reviewer.knowledge.reach.leftovers import documents, is_document, leftovers, of_module
from hunkwise.reviewer.knowledge.reach.meaning import called_name
from hunkwise.reviewer.knowledge.reach.modules import SCRIPTS, module_name
from hunkwise.reviewer.knowledge.reach.values import Broken, Kind, Place, Reached
from hunkwise.reviewer.knowledge.reach.world import LARGEST_FILE, MOST_NAMES, OutOfTime, World
from hunkwise.reviewer.languages.symbols.read import language_of, symbols
from hunkwise.reviewer.languages.symbols.values import Symbols
from hunkwise.reviewer.source.git import Repository
from hunkwise.reviewer.types import Change, FileDiff, FileKey

BUDGET = (
    3.0  # seconds that a busy machine is given; sizes (world.py) bound the work, which takes well under one
)
MOST_CHANGED = 60  # files of a change whose definitions are compared
SHORTEST_NAME = 3


def reach(change: Change, repository: Repository, commit: str, budget: float | None = None) -> Reached:
    """Find what a change breaks elsewhere; `commit` is the tree that its files lie over. Raises GitError."""
    search = _Search(change, _world(change, repository, commit, BUDGET if budget is None else budget))
    try:
        search.compare()
        search.look()
    except OutOfTime:
        return Reached(_together(search.found), late=True)
    return Reached(_together(search.found))


def altered(change: Change, repository: Repository, commit: str, budget: float) -> list[FileKey]:
    """Name the file of each definition that a change alters or takes away; () where the time did not do."""
    search = _Search(change, _world(change, repository, commit, budget))
    try:
        search.compare()
    except OutOfTime:
        return []
    return [file.key for file, _ in (*search.reshaped, *search.gone)] + [file.key for file in search.modules]


def _world(change: Change, repository: Repository, commit: str, budget: float) -> World:
    changed: dict[str, str | None] = {f.old_path: None for f in change.files if f.old_path is not None}
    changed |= {f.new_path: change.new_texts.get(f.new_path) for f in change.files if f.new_path is not None}
    return World(repository, commit, changed, time.monotonic() + budget)


def _together(found: Sequence[Broken]) -> tuple[Broken, ...]:
    """Make one of all that is gone from a file."""
    kept: dict[tuple[object, ...], Broken] = {}
    for each in found:
        alone = each.kind not in ("removed", "docs")
        key = (each.file.key, each.kind, (each.line, each.name) if alone else "")
        first = kept.setdefault(key, each)
        if first is not each:
            places = tuple(sorted({*first.places, *each.places}, key=lambda place: (place.path, place.line)))
            kept[key] = replace(first, name=f"{first.name}, {each.name}", places=places)
    return tuple(kept.values())


@dataclass
class _Search:
    """A search under way: what changed, and what was found of it so far."""

    change: Change
    world: World
    found: list[Broken] = field(default_factory=list)
    reshaped: list[tuple[FileDiff, Changed]] = field(default_factory=list)
    gone: list[tuple[FileDiff, Changed]] = field(default_factory=list)
    modules: list[FileDiff] = field(default_factory=list)

    def compare(self) -> None:
        """Compare the definitions of each changed file. Raises OutOfTime."""
        for file in self.change.files[:MOST_CHANGED]:
            text = self.change.old_texts.get(file.old_path or "")
            if text is None or file.part or len(text) > LARGEST_FILE or not file.hunks:
                continue
            assert file.old_path is not None
            language = language_of(file.old_path)
            moved = file.new_path != file.old_path
            if moved and (language == "python" or language in SCRIPTS):
                self.modules.append(file)
            elif language:
                self.world.check()
                old = symbols(language, text)
                new = Symbols() if moved else self.world.symbols(file.old_path)
                if old is not None and new is not None:
                    self._compared(file, file.old_path, language, old, new)

    def _compared(self, file: FileDiff, path: str, language: str, old: Symbols, new: Symbols) -> None:
        self.reshaped += [(file, one) for one in reshaped(path, language, old, new)]
        for was in gone(old, new, self.world.text(path) or ""):
            self.gone.append((file, Changed(path, language, was, None)))

    def look(self) -> None:
        """Look for uses of what changed. Raises OutOfTime."""
        names = {called_name(one) for _, one in (*self.reshaped, *self.gone)}
        names |= {module_name(file.old_path or "") for file in self.modules}
        known = sorted(
            (name for name in names if len(name) >= SHORTEST_NAME), key=lambda name: (-len(name), name)
        )
        holding = self.world.holding(known[:MOST_NAMES])
        self.world.load(path for path in holding if language_of(path) or is_document(path))
        for file, one in self.reshaped:
            for kind, places in misfits(self.world, one, holding).items():
                self._say(file, _first_added(file, one), kind, one, places)
        for file, one in self.gone:
            line = _nearest(file, one.old.line)
            self._say(file, line, "removed", one, leftovers(self.world, one, holding))
            self._say(file, line, "docs", one, documents(self.world, one, holding))
        for file in self.modules:
            left = tuple(of_module(self.world, file.old_path or "", holding))
            if left:
                self.found.append(Broken(file, _nearest(file, 1), "module", file.old_path or "", left))

    def _say(self, file: FileDiff, line: int, kind: Kind, one: Changed, found: Iterable[Place]) -> None:
        places = tuple(dict.fromkeys(found))
        if places:
            now = _brief(one.new.head) if one.new is not None else ""
            self.found.append(Broken(file, line, kind, one.old.qualified, places, _brief(one.old.head), now))


def _brief(head: str) -> str:
    text = " ".join(head.split())
    return text if len(text) <= 200 else text[:200] + "…"


def _first_added(file: FileDiff, one: Changed) -> int:
    """Give the first line of a definition's head that the change adds; else where it stands."""
    assert one.new is not None
    last = one.new.start + one.new.head.count("\n")
    added = (line.new_no or 0 for hunk in file.hunks for line in hunk.added)
    return next((number for number in added if one.new.start <= number <= last), one.new.line)


def _nearest(file: FileDiff, old: int) -> int:
    """Give the new line that stands where an old one was, or right before."""
    at = 1
    for hunk in file.hunks:
        for line in hunk.lines:
            if line.old_no is not None and line.old_no > old:
                return at
            at = line.new_no if line.new_no is not None else at
    return at
