"""What still names a definition that is gone: imports, parts of a module, calls."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from hunkwise.reviewer.knowledge.reach.definitions import Changed
from hunkwise.reviewer.knowledge.reach.meaning import brings, knows_class
from hunkwise.reviewer.knowledge.reach.modules import SCRIPTS, dotted, go_folder, is_kin, is_missing, origin
from hunkwise.reviewer.knowledge.reach.values import Place
from hunkwise.reviewer.knowledge.reach.world import World
from hunkwise.reviewer.languages.symbols.values import Symbols

_ENUMS = (
    "Enum",
    "IntEnum",
    "StrEnum",
    "Flag",
    "IntFlag",
    "str",
    "int",
    "object",
    "TextChoices",
    "IntegerChoices",
)


def leftovers(world: World, one: Changed, paths: set[str]) -> Iterator[Place]:
    """Find code that names a definition that is gone. Raises OutOfTime."""
    plain = not one.holder and one.language in ("go", "c", "cpp", "rust")
    if plain and _stands(world, one, paths, posixpath.dirname(one.path) if one.language == "go" else None):
        return
    for path in sorted(paths):
        found = world.symbols(path) if is_kin(path, one.language) else None
        if found is None:
            continue
        if one.holder:
            yield from _parts_of_class(world, one, path, found)
        elif one.language == "python" or one.language in SCRIPTS:
            yield from _by_import(world, one, path, found)
        elif one.language == "go":
            yield from _of_package(world, one, path, found)
        elif plain:
            yield from _of_program(one, path, found)


def of_module(world: World, gone: str, paths: set[str]) -> Iterator[Place]:
    """Find imports of a file that is gone. Raises OutOfTime."""
    for path in sorted(paths):
        found = world.symbols(path)
        lines = (world.text(path) or "").split("\n")
        for one in found.imports if found is not None else ():
            if is_missing(world, path, one.module, gone) and not _is_tried(lines, one.line):
                yield Place(path, one.line, f"imports {one.module}")


def _by_import(world: World, one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    name, lines = one.old.name, (world.text(path) or "").split("\n")
    for taken in brings(world, one, path, found):
        if not _is_tried(lines, taken.line):
            yield Place(path, taken.line, "imports it")
    modules = {
        taken.alias
        for taken in found.imports
        if taken.alias and origin(world, path, taken.module, taken.name) == (one.path, "")
    }
    for use in found.uses:
        if use.name == name and use.receiver in modules and not _is_tried(lines, use.line):
            yield Place(path, use.line, "uses it")
    if one.language == "python" and dotted(one.path).count("."):
        whole = re.compile(rf"[\"']{re.escape(dotted(one.path))}[.:]{re.escape(name)}\b")
        for number, line in enumerate(lines, 1):
            if whole.search(line[:500]):
                yield Place(path, number, "names it in a text")


def _parts_of_class(world: World, one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    """Find `Class.name`, where the class is known, still there, and has its names from nowhere else."""
    home = world.symbols(one.path)
    around = one.old.qualified.rpartition(".")[0]
    holder = next((each for each in home.definitions if each.qualified == around), None) if home else None
    if (
        holder is None
        or holder.kind not in ("class", "type")
        or any(base.rpartition(".")[2] not in _ENUMS for base in holder.bases)
        or "." in around
    ):
        return
    if one.language not in ("python", "java", *SCRIPTS) or holder.marks[:1] == ("@",):
        return
    known = path == one.path or knows_class(world, one, path, found)
    for use in found.uses if known else ():
        if use.name == one.old.name and use.receiver == one.holder:
            yield Place(path, use.line, "uses it")


def _stands(world: World, one: Changed, paths: set[str], folder: str | None = None) -> bool:
    """Tell whether the name is still defined, in a folder or anywhere."""
    for path in sorted(paths):
        if folder is None or posixpath.dirname(path) == folder:
            found = world.symbols(path) if is_kin(path, one.language) else None
            if found is not None and any(each.name == one.old.name for each in found.definitions):
                return True
    return False


def _of_package(world: World, one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    folder = posixpath.dirname(one.path)
    if posixpath.dirname(path) == folder:
        aliases = {""} if one.old.kind == "function" else set()
    else:
        aliases = {taken.alias for taken in found.imports if go_folder(world, taken.module) == folder}
    for use in found.uses:
        if (
            use.name == one.old.name
            and use.receiver in aliases
            and (use.receiver or use.arguments is not None)
        ):
            yield Place(path, use.line, "uses it")


def _of_program(one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    if one.old.kind != "function" or ("static" in one.old.marks and path != one.path):
        return
    if one.language == "rust":
        stem = one.path.removesuffix(".rs").removesuffix("/mod").rpartition("/")[2]
        for taken in found.imports:
            if taken.name == one.old.name and taken.module.rpartition("::")[2] == stem:
                yield Place(path, taken.line, "imports it")
        return
    for use in found.uses:
        if use.name == one.old.name and not use.receiver and use.arguments is not None:
            yield Place(path, use.line, "calls it")


def _is_tried(lines: list[str], number: int) -> bool:
    """Tell whether a line of Python stands where its failure is caught, or is wanted."""
    indent = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    for line in reversed(lines[max(0, number - 40) : number - 1]):
        here = len(line) - len(line.lstrip())
        if line.strip() and here < indent:
            indent = here
            if re.match(r"\s*(?:try\s*[:{]|with\s.*(?:raises|suppress))", line):
                return True
    return False
