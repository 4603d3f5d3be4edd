"""From a change to what it breaks elsewhere: calls that fit only what was there, and names that are gone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hunkwise.reviewer.knowledge.reach.calls import misfits, overriders
from hunkwise.reviewer.knowledge.reach.definitions import Changed, fielded, gone, reshaped
from hunkwise.reviewer.knowledge.reach.keys import asked, gone_keys
from hunkwise.reviewer.knowledge.reach.leftovers import leftovers, of_module
from hunkwise.reviewer.knowledge.reach.meaning import CONSTRUCTORS, called_name
from hunkwise.reviewer.knowledge.reach.modules import SCRIPTS, is_kin, module_name
from hunkwise.reviewer.knowledge.reach.results import revalued, stale
from hunkwise.reviewer.knowledge.reach.slips import Slip, slips
from hunkwise.reviewer.knowledge.reach.values import Broken, Kind, Place, Reached
from hunkwise.reviewer.knowledge.reach.world import (
    LARGEST_FILE,
    MOST_FILES,
    MOST_NAMES,
    OutOfTime,
    World,
    is_written,
)
from hunkwise.reviewer.languages.symbols.read import language_of, symbols
from hunkwise.reviewer.languages.symbols.values import Symbols
from hunkwise.reviewer.source.git import Repository
from hunkwise.reviewer.types import Change, FileDiff

BUDGET = (
    3.0  # seconds that a busy machine is given; sizes (world.py) bound the work, which takes well under one
)
MOST_CHANGED = 60  # files of a change whose definitions are compared
SHORTEST_NAME = 3


def reach(change: Change, repository: Repository, commit: str, budget: float | None = None) -> Reached:
    """Find what a change breaks elsewhere; `commit` is the tree that its files lie over. Raises GitError."""
    search = _Search(change, _world(change, repository, commit, BUDGET if budget is None else budget))
    search.found += within(change)
    try:
        search.compare()
        search.look_for_keys()
        search.look()
    except OutOfTime:
        return Reached(_together(search.found), late=True)
    return Reached(_together(search.found), late=search.partly)


def within(change: Change) -> tuple[Broken, ...]:
    """Find names that were left in what was copied; the texts of the change say it, and no repository."""
    found: list[Broken] = []
    for file in change.files[:MOST_CHANGED]:
        path, text = file.new_path or "", change.new_texts.get(file.new_path or "")
        if text is not None and not file.part and language_of(path) and _is_read(text):
            added = {line.new_no or 0 for hunk in file.hunks for line in hunk.added}
            found += [_copied(file, one) for one in slips(text.split("\n"), added)]
    return tuple(found)


def altered(
    change: Change, repository: Repository, commit: str, budget: float
) -> list[tuple[FileDiff, Kind, Changed | None]]:
    """Give what a change alters or takes away: definitions, and files (None); () where the time did not do."""
    search = _Search(change, _world(change, repository, commit, budget))
    try:
        search.compare()
    except OutOfTime:
        return []
    kinds: tuple[tuple[Kind, list[tuple[FileDiff, Changed]]], ...] = (
        ("arguments", search.reshaped), ("result", search.revalued), ("removed", search.gone),
    )  # fmt: skip
    found = [(file, kind, one) for kind, every in kinds for file, one in every]
    return [*found, *((file, "module", None) for file in search.modules)]


def _world(change: Change, repository: Repository, commit: str, budget: float) -> World:
    changed: dict[str, str | None] = {f.old_path: None for f in change.files if f.old_path is not None}
    changed |= {path: text for path, text in change.new_texts.items() if text is not None}
    return World(repository, commit, changed, time.monotonic() + budget)


def _together(found: Sequence[Broken]) -> tuple[Broken, ...]:
    """Make one of all that is gone from a file."""
    kept: dict[tuple[object, ...], Broken] = {}
    for each in found:
        key = (each.file.key, each.kind, each.name if each.kind != "removed" else "")
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
    revalued: list[tuple[FileDiff, Changed]] = field(default_factory=list)
    gone: list[tuple[FileDiff, Changed]] = field(default_factory=list)
    modules: list[FileDiff] = field(default_factory=list)
    where: dict[str, set[str]] = field(default_factory=dict)  # of the names that are looked for, by file
    partly: bool = False  # not all names were looked for

    def compare(self) -> None:
        """Compare the definitions of each changed file. Raises OutOfTime."""
        for file in self.change.files[:MOST_CHANGED]:
            text, language = self.change.old_texts.get(file.old_path or ""), language_of(file.old_path or "")
            moved = file.new_path != file.old_path
            if moved and (language == "python" or language in SCRIPTS):
                self.modules.append(file)
            elif (
                file.old_path
                and language
                and text is not None
                and file.hunks
                and not file.part
                and _is_read(text)
            ):
                self.world.check()
                old = symbols(language, text, ())
                new = Symbols() if moved else self.world.symbols(file.old_path)
                if old is not None and new is not None:
                    both = (fielded(old), fielded(new)) if language == "python" else (old, new)
                    self._compared(file, file.old_path, language, *both)

    def _compared(self, file: FileDiff, path: str, language: str, old: Symbols, new: Symbols) -> None:
        self.reshaped += [(file, one) for one in reshaped(path, language, old, new)]
        self.revalued += [(file, one) for one in revalued(path, language, old, new)]
        for was in gone(old, new, self.world.text(path) or ""):
            self.gone.append((file, Changed(path, language, was, None)))

    def look(self) -> None:
        """Look for uses of what changed. Raises OutOfTime."""
        names = {called_name(one) for _, one in (*self.reshaped, *self.revalued, *self.gone)}
        names |= {module_name(file.old_path or "") for file in self.modules}
        names = self._search({name for name in names if len(name) >= SHORTEST_NAME})
        self.world.names = {*names, *CONSTRUCTORS}
        for file, one in self.reshaped:
            if called_name(one) in names:
                held, line = self._holding(called_name(one)), _first_added(file, one)
                self._say(file, line, "arguments", one, misfits(self.world, one, held))
                self._say(file, line, "override", one, overriders(self.world, one, held))
        for file, one in self.revalued:
            if called_name(one) in names:
                left = stale(self.world, one, self._holding(called_name(one)))
                self._say(file, _first_added(file, one), "result", one, left)
        for file, one in self.gone:
            if one.old.name in names:
                left = leftovers(self.world, one, self._holding(one.old.name))
                self._say(file, _nearest(file, one.old.line), "removed", one, left)
        for file in self.modules:
            path = file.old_path or ""
            if module_name(path) in names and not self.world.is_ignored(path):
                places = tuple(of_module(self.world, path, self._holding(module_name(path))))
                self.found += [Broken(file, _nearest(file, 1), "module", path, places)] if places else []

    def look_for_keys(self) -> None:
        """Look for code that asks for texts that are gone. Raises OutOfTime."""
        for file in self.change.files[:MOST_CHANGED]:
            path = file.new_path or ""
            old, new = self.change.old_texts.get(file.old_path or ""), self.change.new_texts.get(path)
            if old is None or new is None or file.part or max(len(old), len(new)) > LARGEST_FILE:
                continue
            keys = gone_keys(path, old, new)
            for key, places in asked(self.world, path, keys) if keys else ():
                at = old[: max(0, old.find(f'"{key.rpartition(".")[2]}"'))].count("\n") + 1
                self.found.append(Broken(file, _nearest(file, at), "removed", key, tuple(places)))

    def _search(self, names: set[str]) -> set[str]:
        """Find and load the files that hold names; gives those that were looked for: of many the rarest."""
        asked = set(sorted(names, key=lambda name: (-len(name), name))[:MOST_NAMES])
        every = (*self.reshaped, *self.revalued, *self.gone)
        languages = {one.language for _, one in every} | {
            language_of(each.old_path or "") for each in self.modules
        }

        def kin(paths: set[str]) -> set[str]:
            return {path for path in paths if any(is_kin(path, language) for language in languages)}

        found = kin(self.world.holding(asked))
        if len(found) > MOST_FILES:
            holders = self.world.holders(asked)
            asked, found = set(), set()
            for name in sorted(holders, key=lambda name: (len(holders[name]), name)):
                more = found | kin(holders[name])
                if len(more) <= MOST_FILES:
                    asked.add(name)
                    found = more
        self.partly = len(asked) < len(names)
        self.world.load(found)
        self.where = {path: self.world.held(path, asked) for path in found}
        return asked

    def _holding(self, name: str) -> set[str]:
        self.world.check()
        return {path for path, names in self.where.items() if name in names}

    def _say(self, file: FileDiff, line: int, kind: Kind, one: Changed, found: Iterator[Place]) -> None:
        """Keep what is found, also where the time is over before all was looked at. Raises OutOfTime."""
        places: dict[Place, None] = {}
        try:
            for place in found:
                places[place] = None
        finally:
            if places:
                now = _brief(one.new.head) if one.new is not None else ""
                before = _brief(one.old.head)
                self.found.append(Broken(file, line, kind, one.old.qualified, tuple(places), before, now))


def _is_read(text: str) -> bool:
    return len(text) <= LARGEST_FILE and is_written(text)


def _copied(file: FileDiff, one: Slip) -> Broken:
    place = Place(file.new_path or "", one.first, f"has `{one.name}` in the block that was copied")
    return Broken(file, one.line, "copy", one.name, (place,), one.name, one.renamed)


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
