"""Loading llama.cpp: what is said where it does not work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llama_cpp")

BUILD = """
from hunkwise import engine
from hunkwise.engine.errors import BrokenExtra
try:
    engine.build()
except BrokenExtra as error:
    print(error)
print(engine.survey().devices)
"""


@pytest.mark.parametrize("library", [None, b"no library"])
def test_a_library_that_does_not_load_is_said_so(tmp_path: Path, library: bytes | None) -> None:
    """An installed llama-cpp-python whose library is gone or broken is not called missing; a plan needs none."""
    if library is not None:
        (tmp_path / "libllama.so").write_bytes(library)

    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        env={**os.environ, "LLAMA_CPP_LIB_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    sentence, devices = done.stdout.splitlines()
    assert sentence.startswith("llama-cpp-python is installed, but its library does not load (")
    assert "pip install --force-reinstall" in sentence
    assert devices == "()"
