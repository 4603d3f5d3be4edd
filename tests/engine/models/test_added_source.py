"""A source of models that another package adds: nothing of this repository is touched for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from strangers import install

from hunkwise.engine import library_from_environment
from hunkwise.engine.errors import ModelError, PluginError

TOY = """
from hashlib import sha256
from pathlib import Path

from hunkwise.engine import Item, Offer, copy_file


class Shelf:
    label = "the office's shelf"

    def __init__(self, folder):
        self._folder = Path(folder)

    def offer(self, wanted):
        path = self._folder / f"{wanted.name.model}.gguf"
        if not path.exists():
            return None
        data = path.read_bytes()
        return Offer((Item.weights(sha256(data).hexdigest(), len(data), str(path)),))

    def fetch(self, item, target, told):
        copy_file(Path(item.place), item.layer, target, told)


def open_source(environ):
    return Shelf(environ["ACME_SHELF"])
"""


def _environment(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> dict[str, str]:
    install(
        monkeypatch,
        folder,
        "acme-shelf",
        {"hunkwise.sources:acme": "acme_shelf:open_source"},
        acme_shelf=source,
    )
    shelf = folder / "shelf"
    shelf.mkdir()
    return {
        "HOME": str(folder),
        "HUNKWISE_MODELS": str(folder / "models"),
        "HUNKWISE_SOURCES": "acme",
        "ACME_SHELF": str(shelf),
    }


def test_it_brings_models_as_ours_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_gguf: Callable[..., bytes]
) -> None:
    """One module and one entry point: a pull asks it, checks what it brings, and keeps that."""
    environ = _environment(monkeypatch, tmp_path, TOY)
    data = tiny_gguf()
    (tmp_path / "shelf/tiny.gguf").write_bytes(data)

    spec = library_from_environment(environ).pull("acme/tiny:1b")

    assert spec.digest == hashlib.sha256(data).hexdigest()
    assert library_from_environment({**environ, "HUNKWISE_SOURCES": ""}).find("acme/tiny:1b") == spec


def test_offline_it_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environ = _environment(monkeypatch, tmp_path, "raise SystemExit('imported')")

    library_from_environment(environ, offline=True)


def test_a_broken_one_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environ = _environment(monkeypatch, tmp_path, "def open_source(environ):\n    return 1 / 0\n")

    with pytest.raises(PluginError, match=r"'acme' of the package acme-shelf 1\.0 fails: ZeroDivisionError"):
        library_from_environment(environ)


def test_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message knows those of other packages too."""
    environ = _environment(monkeypatch, tmp_path, TOY)

    with pytest.raises(ModelError, match=r"unknown source 'shelf'; known are .*, registry, acme,"):
        library_from_environment({**environ, "HUNKWISE_SOURCES": "shelf"})
