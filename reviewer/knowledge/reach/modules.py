"""Which file of the repository an import names, and where a name that is handed on comes from."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator
from functools import lru_cache

from hunkwise.reviewer.knowledge.reach.world import World
from hunkwise.reviewer.languages.symbols.read import language_of
from hunkwise.reviewer.languages.symbols.values import Symbols

_SCRIPTS = (".ts", ".tsx", ".d.ts", ".json", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_DEEPEST = 4  # modules that hand a name on
_GO_MODULE = re.compile(r"^module[ \t]+\"?([\w./~-]{1,300})", re.MULTILINE)
_MOST_MODULES = 20  # of Go
_MOST_STARS = 40  # modules that one hands on whole
_PATHS = re.compile(r"\"([^\"\n*]+)(\*?)\"\s*:\s*\[\s*\"([^\"\n*]+)\*?\"")  # of tsconfig.json
_BASE = re.compile(r"\"baseUrl\"\s*:\s*\"([^\"\n]+)\"")
_TEST = re.compile(r"(?:^|[/_.-])(?:tests?|specs?|testing|__tests__)(?:[/_.-]|$)|Tests?\.\w+$", re.IGNORECASE)
SCRIPTS = ("javascript", "typescript", "tsx")


def is_kin(path: str, language: str) -> bool:
    """Tell whether a file is in a language that shares names with another."""
    other = language_of(path)
    return any(language in kin and other in kin for kin in (SCRIPTS, ("c", "cpp"), (language,)))


def module_name(path: str) -> str:
    """Give the last part of a module's name, by its file."""
    stem = posixpath.basename(path).partition(".")[0]
    return posixpath.basename(posixpath.dirname(path)) if stem in ("__init__", "index") else stem


def is_test(path: str) -> bool:
    """Tell whether a file is of the tests, by its name and folders."""
    return _TEST.search(path) is not None


def dotted(path: str) -> str:
    """Give the module that a file of Python is, from the root of the repository."""
    return path.removesuffix(".py").removesuffix(".pyi").removesuffix("/__init__").replace("/", ".")


def module_file(world: World, importer: str, module: str) -> str | None:
    """Give the file that a module is, as a file names it; None where it is none of the repository, or unsure."""
    language = language_of(importer)
    if language == "python":
        return _python(world, importer, module)
    if language in SCRIPTS:
        found = (_script(world.paths, stem) for stem in _stems(world, posixpath.dirname(importer), module))
        return next((path for path in found if path is not None), None)
    return None


def is_missing(world: World, importer: str, module: str, path: str) -> bool:
    """Tell whether a module is the file at `path`, which is there no more, and nothing has taken its place."""
    language, folder = language_of(importer), posixpath.dirname(importer)
    if language == "python":
        if module.startswith("."):
            stem = _joined(folder, module)
            meant = stem == dotted(path).replace(".", "/")
        else:
            stem = dotted(path).replace(".", "/")
            meant = "." in module and dotted(path) in (module, f"src.{module}", f"lib.{module}")
            meant = meant and not _named(world.paths, module)
        return meant and not any(each.startswith((f"{stem}.", f"{stem}/")) for each in world.paths)
    if language in SCRIPTS and module_file(world, importer, module) is None:
        return any(path in _tried(stem) for stem in _named_stems(world, folder, module))
    return False


def origin(
    world: World, importer: str, module: str, name: str, gone: str = "", depth: int = 0
) -> tuple[str, str] | None:
    """Give the file that a name comes from and what it is called there; "" for the name of a whole module.

    A module that hands it on (`from .a import name`) is looked through. Where nobody defines it, it is that of
    the last one, or of the file `gone` if all of that is handed on. None where it comes from elsewhere, or that is
    unsure.
    """
    path = module_file(world, importer, module)
    if name and language_of(importer) == "python":
        joint = "" if module.endswith(".") else "."
        inner = module_file(world, importer, f"{module}{joint}{name}")
        if inner is not None and (path is None or not _defines(world, path, name)):
            return inner, ""
    if path is None or not name:
        return (path, "") if path is not None else None
    found = world.symbols(path)
    if found is None or depth > _DEEPEST:
        return None
    if _defines(world, path, name) or name == "default" or path == gone:
        return path, name
    for one in found.imports:
        if name == (one.alias or one.name) and one.name not in ("", "*"):
            return origin(world, path, one.module, one.name, gone, depth + 1)
    every = [one.module for one in found.imports if one.name == "*"][:_MOST_STARS]
    handed = [origin(world, path, each, name, gone, depth + 1) for each in every]
    sure = [each for each in handed if each is not None and (each[0] == gone or _defines(world, *each))]
    if every:
        return sure[0] if len(set(sure)) == 1 else None
    return path, name


def _defines(world: World, path: str, name: str) -> bool:
    found = world.symbols(path)
    return found is not None and any(each.qualified == name for each in found.definitions)


def _python(world: World, importer: str, module: str) -> str | None:
    if module.startswith("."):
        stem = _joined(posixpath.dirname(importer), module)
        return next((p for p in (f"{stem}.py", f"{stem}/__init__.py") if p in world.paths), None)
    found = _named(world.paths, module)
    if "." not in module:
        beside = [path for path in found if posixpath.dirname(path) == posixpath.dirname(importer)]
        packages = [path for path in found if path.endswith("/__init__.py")]
        found = () if module in sys.stdlib_module_names else tuple(beside or packages)
    return found[0] if len(found) == 1 else None


def _joined(folder: str, module: str) -> str:
    """Give the path, without suffix, of a module that is named from a folder: `..a.b`."""
    name = module.lstrip(".")
    for _ in range(len(module) - len(name) - 1):
        folder = posixpath.dirname(folder)
    return posixpath.join(folder, name.replace(".", "/")).lstrip("/") if name else folder


@lru_cache(maxsize=4096)
def _named(paths: frozenset[str], module: str) -> tuple[str, ...]:
    """Find the files that a module of Python may be, whatever folder they are looked for in."""
    stem = module.replace(".", "/")
    ends = (f"{stem}.py", f"{stem}/__init__.py")
    return tuple(
        sorted(
            p for p in paths if p.endswith(ends) and (p in ends or p.endswith(("/" + ends[0], "/" + ends[1])))
        )
    )


def _script(paths: frozenset[str], stem: str) -> str | None:
    return next((path for path in _tried(stem) if path in paths), None)


def _tried(stem: str) -> list[str]:
    """List the files that a module of JavaScript may be, in the order in which they are looked for."""
    bare = re.sub(r"\.[cm]?jsx?$", "", stem)
    tried = [stem, *(base + each for base in (stem, bare) for each in _SCRIPTS)]
    return tried + [f"{stem}/index{each}" for each in _SCRIPTS]


def _stems(world: World, folder: str, module: str) -> Iterator[str]:
    """Give the paths, without suffix, of a module of JavaScript: relative, by `paths`, or by workspace."""
    yield from _named_stems(world, folder, module)
    for name, home in world.packages().items() if not module.startswith(".") else ():
        if module == name or module.startswith(name + "/"):
            for inner in ("src", "", "lib"):
                yield posixpath.normpath(posixpath.join(home, inner, module[len(name) + 1 :]))


def _named_stems(world: World, folder: str, module: str) -> Iterator[str]:
    """Give those that are relative, or by `paths` of the configuration of TypeScript."""
    if module.startswith("."):
        yield posixpath.normpath(posixpath.join(folder, module))
        return
    while True:
        for name in ("tsconfig.json", "jsconfig.json", "tsconfig.base.json"):
            config = posixpath.join(folder, name)
            text = world.text(config) or "" if config in world.paths else ""
            base = _BASE.search(text)
            if base is not None:
                yield posixpath.normpath(posixpath.join(folder, base[1], module))
            for start, star, there in _PATHS.findall(text):
                if module == start or (star and module.startswith(start)):
                    rest = there + module[len(start) :]
                    yield posixpath.normpath(posixpath.join(folder, base[1] if base else "", rest))
        if not folder:
            break
        folder = posixpath.dirname(folder)


def go_folder(world: World, module: str) -> str | None:
    """Give the folder of a package of Go; None where it is none of the repository."""
    for path in _go_files(world.paths):
        found = _GO_MODULE.search(world.text(path) or "")
        if found is not None and (module == found[1] or module.startswith(found[1] + "/")):
            return posixpath.join(posixpath.dirname(path), module[len(found[1]) :].strip("/"))
    return None


def go_aliases(world: World, path: str, found: Symbols, folder: str) -> set[str]:
    """Give what a file of Go puts before the names of a package: "" in the package itself.

    A test beside a package may stand in a package of its own, and import the one that it tests.
    """
    aliases = {one.alias for one in found.imports if go_folder(world, one.module) == folder}
    return aliases | ({""} if posixpath.dirname(path) == folder else set())


@lru_cache(maxsize=8)
def _go_files(paths: frozenset[str]) -> tuple[str, ...]:
    """Find the files that name modules of Go, those deep down first."""
    found = [path for path in paths if f"/{path}".endswith("/go.mod")]
    return tuple(sorted(found, key=lambda path: (-path.count("/"), path)))[-_MOST_MODULES:]


def is_rust_module(importer: str, module: str, path: str) -> bool:
    """Tell whether a path of Rust names the module that a file is: from its crate, from near, or by its crate."""
    parts, (crate, inner) = module.split("::"), _crate(path)
    here, folder = _crate(importer)
    if parts[0] == "crate":
        return crate == here and parts[1:] == inner
    if parts[0] in ("self", "super"):
        place = folder
        while parts and parts[0] == "super":
            parts, place = parts[1:], place[:-1]
        return crate == here and place + [each for each in parts if each != "self"] == inner
    if parts[0] == posixpath.basename(crate).replace("-", "_"):
        return parts[1:] == inner
    return crate == here and (folder[:-1] + parts == inner or folder + parts == inner)


def _crate(path: str) -> tuple[str, list[str]]:
    """Give the folder of the crate that a file of Rust is in, and the names of the modules down to it."""
    folder, _, inner = f"/{path}".rpartition("/src/")
    names = inner.removesuffix(".rs").split("/")
    return folder, names[:-1] if names[-1] in ("mod", "lib", "main") else names
