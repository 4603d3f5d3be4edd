"""Packages of strangers: put on the path as an installer would, with entry points in their metadata."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def install(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, points: dict[str, str], **modules: str
) -> None:
    """Install a package: `points` maps "group:name" to "module:attribute", `modules` their source."""
    site = folder / f"site-{name}"
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for key, value in points.items():
        group, _, point = key.partition(":")
        lines.append(f"[{group}]\n{point} = {value}\n")
    (metadata / "entry_points.txt").write_text("".join(lines))
    for module, source in modules.items():
        (site / f"{module}.py").write_text(source)
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.syspath_prepend(site)
