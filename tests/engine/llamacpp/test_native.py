"""Loading llama.cpp: what is said where it does not work."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny

pytest.importorskip("llama_cpp")

from hunkwise.engine.llamacpp import native

ABORT = """
from hunkwise.engine.llamacpp.native import library
library._LOG += ["CUDA error: out of memory\\n", "  current device: 0\\n"]
library.libggml.ggml_abort(b"a.cu", 7, b"CUDA error")
"""
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


@pytest.mark.parametrize(("layers", "asked"), [(0, []), (1, None)])
def test_a_model_on_the_cpu_alone_takes_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers: int, asked: list[int] | None
) -> None:
    """Without layers on a GPU llama.cpp is handed an empty list of them; else it chooses by itself."""
    llama, lists = native.library.llama, []
    loading = llama.llama_model_load_from_file

    def load(path: bytes, parameters: Any) -> Any:
        start = parameters.devices
        first = start and ctypes.c_void_p.from_address(start).value
        lists.append(start and [device for device in [first] if device])
        return loading(path, parameters)

    monkeypatch.setattr(llama, "llama_model_load_from_file", load)
    with native.Model([tiny.write(tmp_path / "m.gguf")], gpu_layers=layers):
        assert lists == [asked]


def test_an_abort_says_what_was_logged_before() -> None:
    """The message of a GPU's failure does not say why; the lines that were logged before it do."""
    done = subprocess.run(
        [sys.executable, "-c", ABORT], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == -signal.SIGABRT
    assert done.stderr.splitlines()[:2] == ["a.cu:7: CUDA error", "CUDA error: out of memory"]
