from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from hunkwise.engine import ModelSpec, ScriptedEngine
from hunkwise.reviewer.app.diagnosis import measure_speed, timed

QUIET = "import sys; from hunkwise.reviewer.cli import hunkwise, run; sys.exit(run(hunkwise, sys.argv[1:]))"
LIGHT = f"import sys; sys.modules['llama_cpp'] = sys.modules['llguidance'] = None; {QUIET}"


def doctor(home: Path, *arguments: str, code: str = QUIET) -> tuple[int, str]:
    """Run the verb in an empty home; return exit code and output."""
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor", *arguments],
        cwd=home,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def write_model(path: Path, *, layers: int = 2) -> Path:
    """Write a GGUF whose header is complete and whose weights mean nothing."""
    writer: Any = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_block_count(layers)
    writer.add_context_length(8192)
    writer.add_embedding_length(32)
    writer.add_head_count(4)
    writer.add_feed_forward_length(64)
    writer.add_vocab_size(100)
    writer.add_file_type(15)
    for name in ("token_embd.weight", *(f"blk.{layer}.attn_q.weight" for layer in range(layers))):
        writer.add_tensor(name, np.zeros((8, 32), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_without_a_model_the_next_command_is_named(tmp_path: Path) -> None:
    """On a fresh machine doctor exits 2 and names the pull, having fetched nothing."""
    code, output = doctor(tmp_path)
    assert code == 2
    assert "hunkwise model pull" in output
    assert not list(tmp_path.rglob("*.gguf"))


def test_a_light_install_is_told_what_to_install(tmp_path: Path) -> None:
    """Without llama-cpp-python the plan is still made, and the pip install is named."""
    model = write_model(tmp_path / "toy.gguf")
    code, output = doctor(tmp_path, "--model", str(model), code=LIGHT)
    assert code == 2
    assert "pip install 'hunkwise[local]'" in output
    assert "lanes" in output


def test_a_model_that_fits_is_ready(tmp_path: Path) -> None:
    """With packages and a model doctor exits 0 and tells model, plan and memory."""
    model = write_model(tmp_path / "toy.gguf")
    code, output = doctor(tmp_path, "--model", str(model))
    assert code == 0
    for part in ("toy.gguf", "qwen2", "Q4_K_M", "2 layers", "sha256 ", "8192 tokens of context", "weights 0"):
        assert part in output
    assert output.splitlines()[-1] == "ready     a review could run"


def test_json_holds_the_same(tmp_path: Path) -> None:
    """`--json` prints one object with every part."""
    code, output = doctor(tmp_path, "--json", "--model", str(write_model(tmp_path / "toy.gguf")))
    found = json.loads(output)
    assert code == 0
    assert found["ready"]
    assert found["model"]["layers"] == 2
    assert found["plan"]["estimate"]["total"] > 0
    assert found["machine"]["cpu"]["physical_cores"] >= 1
    assert found["speed"] is None


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model at all", b"GGUF\x03\0\0\0" + b"\xff" * 64])
def test_a_broken_model_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """A file that is no model gives a problem, not a traceback."""
    (tmp_path / "bad.gguf").write_bytes(content)
    code, output = doctor(tmp_path, "--model", str(tmp_path / "bad.gguf"))
    assert code == 2
    assert "PROBLEM" in output
    assert "Traceback" not in output


def test_a_model_that_llama_cpp_refuses_is_found_out_by_measuring(tmp_path: Path) -> None:
    """Only loading shows that weights are missing; `--measure` then says so."""
    code, output = doctor(tmp_path, "--measure", "--model", str(write_model(tmp_path / "toy.gguf")))
    assert code == 2
    assert "can't load" in output


def test_timing_counts_tokens() -> None:
    """Reading and writing are timed by what the engine says it computed."""
    read, write = timed(ScriptedEngine())
    assert read > 0
    assert write > 0


@pytest.mark.model
def test_the_real_model_is_measured(small_model: ModelSpec) -> None:
    """The speed of the real model is a positive number."""
    speed = measure_speed(small_model)
    assert speed.prefill > 0
    assert speed.decode > 0
