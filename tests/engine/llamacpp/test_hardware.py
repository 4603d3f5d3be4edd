"""What is read of a machine, on invented trees of proc/ and sys/."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hunkwise.engine.planning.hardware import Device, accelerators, detect

CASES = tomllib.loads((Path(__file__).parents[2] / "cases" / "hardware.toml").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"])
def test_invented_trees(case: dict[str, Any], tmp_path: Path) -> None:
    """Each tree of the table is read as the table says."""
    for name, text in case["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    machine = detect(root=tmp_path)
    for name, value in case["expect"].items():
        got = getattr(machine, name) if hasattr(machine, name) else getattr(machine.cpu, name)
        assert got == (tuple(value) if isinstance(value, list) else value), (name, machine)


def test_this_machine_is_read() -> None:
    """The machine that runs the tests has cores and memory."""
    machine = detect()
    assert machine.threads >= 1
    assert 0 < machine.memory_free <= machine.memory_total


def test_devices_that_llama_cpp_would_use_are_kept() -> None:
    """GPUs are kept, the CPU and matrix libraries are not, and a backend is known by ggml's name for it.

    One without memory keeps its place: layers are given to devices by their numbers.
    """
    listed = (
        ("CUDA0", "filled by others", "gpu", 0, 0),
        ("CUDA1", "NVIDIA H200", "gpu", 10, 20),
        ("Vulkan0", "AMD Radeon Graphics", "integrated", 5, 6),
        ("BLAS", "OpenBLAS", "accelerator", 0, 0),
        ("CPU", "AMD EPYC", "cpu", 7, 8),
    )
    assert accelerators(listed) == (
        Device("CUDA0", "filled by others", "cuda", 0, 0),
        Device("CUDA1", "NVIDIA H200", "cuda", 10, 20),
    )


def test_an_integrated_gpu_counts_where_there_is_no_other() -> None:
    """Its memory is the host's, as is that of Metal."""
    listed = [("Vulkan0", "AMD Radeon Graphics", "integrated", 5, 6)]
    assert accelerators(listed)[0].unified
    assert accelerators([("MTL0", "Apple M4 Max", "gpu", 5, 6)])[0].unified
