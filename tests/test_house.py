"""The rules of the house that a program can check."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("engine", "reviewer", "prompts")
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

# outside library -> the files of ours that may import it
FACES = {
    "ast_grep_py": {"reviewer/languages/syntax.py"},
    "llama_cpp": {"engine/llamacpp/native/library.py"},
    "llguidance": {"engine/llamacpp/grammar.py"},
    "unidiff": {"reviewer/diff/parse.py"},
    "redis": {"engine/store/redis.py", "reviewer/bot/queue/redis.py"},
    "github": {"reviewer/forges/github/pull.py", "reviewer/forges/github/api.py"},
    "gitlab": {"reviewer/forges/gitlab/merge.py"},
    "jinja2": {
        "reviewer/text/templates.py",
        "reviewer/report/html.py",
        "engine/llamacpp/template.py",
    },
    "matplotlib": {"reviewer/bench/reliability/png.py"},
    "uvicorn": {"reviewer/server/run.py", "reviewer/server/guard/heads.py"},
    "prometheus_client": {"reviewer/server/observe/metrics.py"},
    "limits": {"reviewer/server/guard/rates.py"},
    "pypdf": {"reviewer/knowledge/reading/pdf.py"},
    "qdrant_client": {"reviewer/knowledge/vectors/remote.py"},
    "wcwidth": {"reviewer/text/columns.py"},
}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager"}


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """List what a module imports when it runs; imports for the type checker alone don't count."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_one_file_faces_each_library(path: Path) -> None:
    """A library's types never leave the one file that imports it."""
    wrong = [
        f"line {line}: {module}"
        for module, line in _imports(path)
        if (allowed := FACES.get(module.split(".")[0])) and _name(path) not in allowed
    ]

    assert wrong == []


def test_the_reviewer_sees_the_engine_through_its_front_door() -> None:
    """Only names of hunkwise.engine and its errors are used outside the engine."""
    wrong = [
        f"{_name(path)}:{line}: {module}"
        for path in MODULES
        if _name(path).startswith("reviewer/")
        for module, line in _imports(path)
        if module.startswith("hunkwise.engine.") and module != "hunkwise.engine.errors"
    ]

    assert wrong == []


def test_every_folder_is_packaged() -> None:
    """The list of packages is that of the folders, so that the wheel misses nothing."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in MODULES}

    assert set(listed) == {"hunkwise." + folder.as_posix().replace("/", ".") for folder in folders}


def test_every_folder_has_an_init() -> None:
    """Editable installs lose a folder without one."""
    assert [_name(path.parent) for path in MODULES if not (path.parent / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_names_say_something(path: Path) -> None:
    """A file is a noun of the field."""
    assert not set(path.relative_to(ROOT).with_suffix("").parts) & EMPTY_NAMES


@pytest.mark.parametrize("door", ["engine", "reviewer"])
def test_a_front_door_is_typed(door: str) -> None:
    """What a package imports on first use is what a type checker is told of, and all of it is public."""
    module = import_module(f"hunkwise.{door}")
    tree = ast.parse((ROOT / door / "__init__.py").read_text("utf-8"))
    (typed,) = (
        node for node in tree.body if isinstance(node, ast.If) and "not" not in ast.unparse(node.test)
    )
    told = {
        alias.name: node.module
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert told == module._LAZY
    assert told.keys() <= set(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
