"""LoRA adapters change what a model computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from hunkwise.engine import Bundle, Choice, Choose, ModelSpec, Segment
from hunkwise.engine.errors import CorruptModel
from hunkwise.engine.llamacpp.runner import load
from hunkwise.engine.planning.plan import Plan

pytestmark = pytest.mark.model

PLAN = Plan(n_ctx=256, n_seq=1, n_threads=1)
BUNDLE = Bundle((), (Choose("q", (Segment("Is water wet?"),), ("Yes", "No")),))


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A LoRA file of rank 1 for one matrix of qwen2.5-coder:0.5b (hidden size 896)."""
    path = tmp_path / "adapter.gguf"
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 1.0)
    writer.add_tensor("blk.20.attn_q.weight.lora_a", np.ones((1, 896), np.float32))
    writer.add_tensor("blk.20.attn_q.weight.lora_b", np.ones((896, 1), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def probabilities(spec: ModelSpec) -> tuple[float, ...]:
    with load(spec, PLAN) as engine:
        (answer,) = engine.ask(BUNDLE)
        assert isinstance(answer, Choice)
        return answer.probabilities


def test_an_adapter_counts_by_its_scale(small_model: ModelSpec, adapter: Path) -> None:
    """At scale 0 nothing changes; at scale 1 the probabilities do."""
    plain = probabilities(small_model)

    assert probabilities(replace(small_model, adapters=((adapter, 0.0),))) == pytest.approx(plain, abs=1e-6)
    assert probabilities(replace(small_model, adapters=((adapter, 1.0),))) != pytest.approx(plain, abs=1e-3)


def test_a_file_that_is_no_adapter_is_refused(small_model: ModelSpec, tmp_path: Path) -> None:
    """A missing or broken adapter is named before anything is asked."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\x00")
    for path in (broken, tmp_path / "missing.gguf"):
        with pytest.raises(CorruptModel, match=path.name):
            load(replace(small_model, adapters=((path, 1.0),)), PLAN)
