"""A file that was hashed is not hashed again, unless anything about it changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hunkwise.engine.errors import CorruptModel, StoreError
from hunkwise.engine.models.store.seals import Seals, check_seals


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.gguf"
    path.write_bytes(b"weights")
    return path


def hashed(seals: Seals, path: Path) -> bool:
    """Ask for a file's sha256, check it, and say whether the file was read for that."""
    heard: list[int] = []
    assert seals.of(path, heard.append).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return bool(heard)


def touched(path: Path) -> None:
    path.touch()


def replaced(path: Path) -> None:
    path.with_name("new").write_bytes(b"others!")
    path.with_name("new").replace(path)


def rewritten(path: Path) -> None:
    """Change the bytes and set the old times again."""
    status = path.stat()
    path.write_bytes(b"others!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", [touched, replaced, rewritten])
def test_changes_are_noticed(weights: Path, tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Other times, another file under the name, and a rewrite that hides its time."""
    file = tmp_path / "seals.json"
    assert hashed(Seals(file), weights)
    assert not hashed(Seals(file), weights)
    change(weights)
    assert hashed(Seals(file), weights)
    assert not hashed(Seals(file), weights)


@pytest.mark.parametrize(
    "text", ["", "{", "3", '{"a": 1}', "[3]", '[{"path": 3}]', '[{"path": "/x", "more": 1}]', "[" * 100_000]
)
def test_broken(weights: Path, tmp_path: Path, text: str) -> None:
    """What is wrong in the file of seals costs a hash, and is written anew."""
    file = tmp_path / "seals.json"
    file.write_text(text)
    assert hashed(Seals(file), weights)
    assert not hashed(Seals(file), weights)


def test_nowhere_to_write(weights: Path, tmp_path: Path) -> None:
    """Where nothing can be kept each process hashes once."""
    (tmp_path / "plain").write_text("a file, no folder")
    seals = Seals(tmp_path / "plain" / "seals.json")
    assert hashed(seals, weights)
    assert not hashed(seals, weights)
    assert hashed(Seals(tmp_path / "plain" / "seals.json"), weights)


def test_the_oldest_are_forgotten(tmp_path: Path) -> None:
    """The file of seals does not grow for ever."""
    file = tmp_path / "seals.json"
    for number in range(250):
        path = tmp_path / str(number)
        path.write_bytes(b"x")
        Seals(file).note(path, "0" * 64)
    assert file.read_text().count('"sha256"') == 200
    assert Seals(file).of(tmp_path / "249").sha256 == "0" * 64
    assert hashed(Seals(file), tmp_path / "0")


def test_absent(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(StoreError, match="gone"):
        Seals(tmp_path / "seals.json").of(tmp_path / "gone")


def test_check(weights: Path, tmp_path: Path) -> None:
    """The same bytes in another file pass; others, and none, do not."""
    seal = Seals(tmp_path / "seals.json").of(weights)
    check_seals([seal])
    weights.unlink()
    with pytest.raises(CorruptModel, match="it was there"):
        check_seals([seal])
    weights.write_bytes(b"weights")
    check_seals([seal])
    weights.write_bytes(b"others!")
    with pytest.raises(CorruptModel, match="was changed"):
        check_seals([seal])
