"""Which file of the repository an import names, and where a name that is handed on comes from."""

from __future__ import annotations

import posixpath
import re
import sys
from functools import lru_cache

from hunkwise.reviewer.knowledge.reach.world import World
from hunkwise.reviewer.languages.symbols.read import language_of

_SCRIPTS = (".ts", ".tsx", ".d.ts", ".json", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_DEEPEST = 4  # modules that hand a name on
_GO_MODULE = re.compile(r"^module[ \t]+\"?([\w./~-]{1,300})", re.MULTILINE)
SCRIPTS = ("javascript", "typescript", "tsx")


def is_kin(path: str, language: str) -> bool:
    """Tell whether a file is in a language that shares names with another."""
    other = language_of(path)
    return any(language in kin and other in kin for kin in (SCRIPTS, ("c", "cpp"), (language,)))


def module_name(path: str) -> str:
    """Give the last part of a module's name, by its file."""
    stem = posixpath.basename(path).partition(".")[0]
    return posixpath.basename(posixpath.dirname(path)) if stem in ("__init__", "index") else stem


def dotted(path: str) -> str:
    """Give the module that a file of Python is, from the root of the repository."""
    return path.removesuffix(".py").removesuffix(".pyi").removesuffix("/__init__").replace("/", ".")


def module_file(world: World, importer: str, module: str) -> str | None:
    """Give the file that a module is, as a file names it; None where it is none of the repository, or unsure."""
    language = language_of(importer)
    if language == "python":
        return _python(world, importer, module)
    if language in SCRIPTS:
        return _script(world.paths, posixpath.dirname(importer), module) if module.startswith(".") else None
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
    if language in SCRIPTS and module.startswith("."):
        stem = posixpath.normpath(posixpath.join(folder, module))
        meant = path in (
            stem,
            *(stem + each for each in _SCRIPTS),
            *(f"{stem}/index{each}" for each in _SCRIPTS),
        )
        return meant and _script(world.paths, folder, module) is None
    return False


def origin(world: World, importer: str, module: str, name: str, depth: int = 0) -> tuple[str, str] | None:
    """Give the file that a name comes from and what it is called there; "" for the name of a whole module.

    A module that hands it on (`from .a import name`) is looked through. Where nobody defines it, it is that of the
    last one. None where it comes from elsewhere, or that is unsure.
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
    if _defines(world, path, name) or name == "default":
        return path, name
    for one in found.imports:
        if name == (one.alias or one.name) and one.name not in ("", "*"):
            return origin(world, path, one.module, one.name, depth + 1)
    if any(one.name == "*" for one in found.imports):
        return None
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


def _script(paths: frozenset[str], folder: str, module: str) -> str | None:
    stem = posixpath.normpath(posixpath.join(folder, module))
    bare = re.sub(r"\.[cm]?jsx?$", "", stem)
    tried = [stem, *(base + each for base in (stem, bare) for each in _SCRIPTS)]
    tried += [f"{stem}/index{each}" for each in _SCRIPTS]
    return next((path for path in tried if path in paths), None)


def go_folder(world: World, module: str) -> str | None:
    """Give the folder of a package of Go; None where it is none of the repository."""
    found = _GO_MODULE.search(world.text("go.mod") or "") if "go.mod" in world.paths else None
    if found is None or not (module == found[1] or module.startswith(found[1] + "/")):
        return None
    return module[len(found[1]) :].strip("/")
