"""What still names a definition that is gone: imports, parts of a module, calls."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from hunkwise.reviewer.knowledge.reach.definitions import Changed
from hunkwise.reviewer.knowledge.reach.meaning import brings, holder_of, is_of_class, knows_class
from hunkwise.reviewer.knowledge.reach.modules import (
    SCRIPTS,
    dotted,
    go_aliases,
    is_kin,
    is_missing,
    is_rust_module,
    module_file,
    origin,
)
from hunkwise.reviewer.knowledge.reach.values import Place
from hunkwise.reviewer.knowledge.reach.world import World
from hunkwise.reviewer.languages.symbols.values import Import, Symbols

_ENUMS = (
    "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "str", "int", "object", "TextChoices", "IntegerChoices",
)  # fmt: skip
_ENUMERATOR = re.compile(r"[A-Z]+(?:_[A-Z0-9]+)+\s*(?:=.*)?", re.DOTALL)
_GO_OWN = ("any", "append", "cap", "clear", "close", "complex", "copy", "delete", "error", "imag", "len", "make",
           "max", "min", "new", "panic", "print", "println", "real", "recover")  # fmt: skip


def leftovers(world: World, one: Changed, paths: set[str]) -> Iterator[Place]:
    """Find code that names a definition that is gone. Raises OutOfTime."""
    if one.holder:
        yield from _parts_of_class(world, one, paths)
        return
    if one.language in ("c", "cpp") and _stands(world, one, paths):
        return
    if one.language == "go" and _stands(world, one, paths, posixpath.dirname(one.path)):
        return
    for path in sorted(paths):
        found = world.symbols(path) if is_kin(path, one.language) else None
        if found is None:
            continue
        if one.language == "python" or one.language in SCRIPTS:
            yield from _by_import(world, one, path, found)
        elif one.language == "go":
            yield from _of_package(world, one, path, found)
        elif one.language == "rust":
            yield from _of_crate(world, one, path, found)
        elif one.language == "java" and one.old.kind in ("class", "type"):
            yield from _of_java(world, one, path, found)
        elif one.language in ("c", "cpp"):
            yield from _of_program(one, path, found)


def of_module(world: World, gone: str, paths: set[str]) -> Iterator[Place]:
    """Find imports of a file that is gone. Raises OutOfTime."""
    for path in sorted(paths):
        found = world.symbols(path)
        lines = (world.text(path) or "").split("\n")
        for one in found.imports if found is not None else ():
            named = (one.module, *_module_of(world, path, one))
            lacking = next((each for each in named if is_missing(world, path, each, gone)), "")
            if lacking and not _is_tried(lines, one.line):
                yield Place(path, one.line, f"imports {lacking}")


def _module_of(world: World, path: str, one: Import) -> Iterator[str]:
    """Give the module that `from package import module` names, if the package has no other thing of that name."""
    if not path.endswith((".py", ".pyi")) or one.name in ("", "*"):
        return
    package = module_file(world, path, one.module)
    found = world.symbols(package) if package is not None and package != path else None
    known: set[str] = set()
    if found is not None:
        known = {each.name for each in found.definitions} | {
            each.alias or each.name for each in found.imports
        }
    if known.isdisjoint({one.name, "*", "__getattr__"}):
        yield f"{one.module}{'' if one.module.endswith('.') else '.'}{one.name}"


def _by_import(world: World, one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    name, lines = one.old.name, (world.text(path) or "").split("\n")
    for taken in brings(world, one, path, found):
        if not _is_tried(lines, taken.line):
            yield Place(path, _named_at(lines, taken.line, name), "imports it")
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


def _parts_of_class(world: World, one: Changed, paths: set[str]) -> Iterator[Place]:
    """Find uses of a part of a class, where nothing else has one of that name."""
    kin = [path for path in sorted(paths) if is_kin(path, one.language)]
    name = re.escape(one.old.name)
    left = re.compile(
        rf"\.{name}\s*=(?!=)|[\"'][^\"'\n]{{0,99}}\b{name}\b|\bSimpleNamespace\("
        if one.language == "python"
        else rf"(?<![.\w$]){name}\b"
    )
    alone = one.old.kind in ("method", "member") and not _stands(world, one, paths)
    if one.language in ("python", *SCRIPTS):  # which need no definition
        alone = alone and not any(left.search(world.text(path) or "") for path in kin)
    for path in kin:
        found = world.symbols(path)
        if found is None:
            continue
        yield from _static_imports(world, one, path, found)
        known = _is_named(world, one, path, found)
        lines = (world.text(path) or "").split("\n")
        for use in found.uses:
            if use.name != one.old.name or _is_tried(lines, use.line):
                continue
            elsewhere = alone and path != one.path
            if (known and use.receiver == one.holder) or (
                elsewhere and (_is_member(one, use.receiver) or is_of_class(world, one, path, use, found))
            ):
                yield Place(path, use.line, "uses it")


def _static_imports(world: World, one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    """Find `import static a.Class.name` of Java, where the class is there, extends none and has no such part."""
    home = world.symbols(one.path)
    holder = next((each for each in home.definitions if each.name == one.holder), None) if home else None
    if one.language != "java" or home is None or holder is None or holder.bases:
        return
    if any(each.name == one.old.name for each in home.definitions):
        return
    for taken in found.imports:
        if taken.name == one.old.name and _is_java(one.path, taken.module):
            yield Place(path, taken.line, "imports it")


def _is_member(one: Changed, receiver: str) -> bool:
    """Tell whether a use is of a member of C, C++ or Rust: behind its type's name, or an enumerator's alone."""
    if one.language in ("c", "cpp") and one.old.kind == "member":
        return _ENUMERATOR.fullmatch(one.old.head) is not None and not re.search(r"[.…>]", receiver)
    return one.language in ("cpp", "rust") and receiver.rpartition("::")[2] == one.holder


def _is_named(world: World, one: Changed, path: str, found: Symbols) -> bool:
    """Tell whether a file knows the class, which is there and has its parts from nowhere else."""
    around, holder = holder_of(world, one)
    if (
        holder is None
        or holder.kind not in ("class", "type")
        or any(base.rpartition(".")[2] not in _ENUMS for base in holder.bases)
        or "." in around
        or one.language not in ("python", "java", *SCRIPTS)
        or holder.marks[:1] == ("@",)
    ):
        return False
    return path == one.path or knows_class(world, one, path, found)


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
    aliases = go_aliases(world, path, found, folder)
    if one.old.name in _GO_OWN:
        aliases.discard("")
    called = one.old.kind == "function"
    for use in found.uses:
        whole = use.receiver or not called or use.arguments is not None
        if use.name == one.old.name and use.receiver in aliases and whole:
            yield Place(path, use.line, "uses it")


def _of_crate(world: World, one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    """Find paths of Rust that end in the file, which hands on no module whole."""
    if re.search(r"\bpub\b.*\buse\b.*\*\s*[;,}]", world.text(one.path) or ""):
        return
    for taken in found.imports:
        if taken.name == one.old.name and is_rust_module(path, taken.module, one.path):
            yield Place(path, taken.line, "imports it")
    for use in found.uses:
        if use.name == one.old.name and use.receiver and is_rust_module(path, use.receiver, one.path):
            yield Place(path, use.line, "uses it")


def _of_java(world: World, one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    """Find imports of a class, which no file has any more, and uses of it within its package."""
    name, folder = one.old.name, posixpath.dirname(one.path)
    if one.path.rpartition("/")[2] != f"{name}.java":
        return
    for taken in found.imports:
        whole = f"{taken.module}.{taken.name}"
        if _is_java(one.path, whole) and not any(
            _is_java(each, whole) for each in world.paths if each != one.path
        ):
            yield Place(path, taken.line, "imports it")
    others = {each.name for each in found.imports} | {each.name for each in found.definitions}
    if posixpath.dirname(path) == folder and others.isdisjoint({name, "*"}):
        for use in found.uses:
            if use.name == name and not use.receiver:
                yield Place(path, use.line, "uses it")


def _is_java(path: str, whole: str) -> bool:
    """Tell whether a file is that of a class of Java, by its whole name."""
    return f"/{path}".endswith(f"/{whole.replace('.', '/')}.java")


def _of_program(one: Changed, path: str, found: Symbols) -> Iterator[Place]:
    function = one.old.kind == "function"
    if not (function or one.old.kind in ("class", "type")) or (
        "static" in one.old.marks and path != one.path
    ):
        return
    if not re.search(r"[A-Z]|.*_(?!t\Z)", one.old.name):
        return  # the system may have it
    for use in found.uses:
        if use.name == one.old.name and not use.receiver and (use.arguments is not None or not function):
            yield Place(path, use.line, "calls it" if function else "uses it")


def _named_at(lines: list[str], start: int, name: str) -> int:
    """Give the line of an import that has a name; its first one if none does."""
    word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    return next(
        (at for at in range(start, min(start + 200, len(lines) + 1)) if word.search(lines[at - 1])), start
    )


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
