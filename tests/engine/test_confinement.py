"""What a child process can't do any more, as the kernel tells it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hunkwise.engine import ModelSpec
from hunkwise.engine.worker.isolation import IsolatedEngine

SPEC = ModelSpec("fake", "0" * 64, (Path("/nowhere.gguf"),))
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def child() -> dict[str, str]:
    """What /proc tells of a child that serves an engine: its limits by name (soft, hard), and its status."""
    with IsolatedEngine(SPEC, "hunkwise.engine.testing:fragile", environ=os.environ) as engine:
        assert engine._child is not None
        place = Path(f"/proc/{engine._child._process.pid}")
        limits, status = (place / "limits").read_text(), (place / "status").read_text()
    found = re.findall(r"^(Max .*?)  +(\S+) +(\S+)", limits, re.MULTILINE)
    return {name: f"{soft} {hard}" for name, soft, hard in found} | dict(
        line.split(":\t", 1) for line in status.splitlines()
    )


@linux
@pytest.mark.parametrize(
    ("name", "most"), [("Max core file size", 0), ("Max file size", 64 << 20), ("Max open files", 1024)]
)
def test_limits(child: dict[str, str], name: str, most: int) -> None:
    """Soft and hard limits are lowered, so that the process can't raise them again."""
    soft, hard = child[name].split()
    assert soft == hard
    assert int(hard) <= most


@linux
def test_no_new_privileges(child: dict[str, str]) -> None:
    """A set-uid program started from there would not get its owner's rights."""
    assert child["NoNewPrivs"] == "1"


def test_a_lower_limit_stays() -> None:
    """What was stricter before is not loosened."""
    code = (
        "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (100, 500))\n"
        "from hunkwise.engine.worker.confinement import confine; confine()\n"
        "assert r.getrlimit(r.RLIMIT_NOFILE) == (100, 100), r.getrlimit(r.RLIMIT_NOFILE)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_resource() -> None:
    """Where Python has no such module a child still starts."""
    code = (
        "import sys; sys.modules['resource'] = None\n"
        "import hunkwise.engine.worker.child\n"
        "from hunkwise.engine.worker.confinement import confine; confine()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
