"""What the header of a model says about the memory it takes, against what llama.cpp itself reported."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from hunkwise.engine.models.gguf.header import TensorInfo
from hunkwise.engine.models.gguf.reader import ArrayInfo, GgufHeader
from hunkwise.engine.planning.shape import ModelShape, compute_bytes, kv_bytes, shape_of

CASES = Path(__file__).parents[2] / "cases"
MEASURED = tomllib.loads((CASES / "buffers.toml").read_text())["case"]
SHAPES = tomllib.loads((CASES / "plans.toml").read_text())["shapes"]
MiB = 1 << 20


def header(tensors: dict[str, int], **more: Any) -> GgufHeader:
    metadata: dict[str, Any] = {
        "general.architecture": "toy",
        "toy.block_count": 2,
        "toy.context_length": 4096,
        "toy.embedding_length": 64,
        "toy.attention.head_count": 4,
        "toy.feed_forward_length": 256,
        "tokenizer.ggml.tokens": ArrayInfo("string", 1000),
    } | {key.replace("__", "."): value for key, value in more.items()}
    listed = tuple(TensorInfo(name, (size // 4,), "F32", 0, size) for name, size in tensors.items())
    return GgufHeader(Path("toy.gguf"), 3, MappingProxyType(metadata), listed, 32, 0, sum(tensors.values()))


def test_weights_are_sorted_by_where_they_go() -> None:
    """Layers, what comes before them, and the output are counted apart, and nothing is lost."""
    tensors = {"token_embd.weight": 400, "blk.0.a": 40, "blk.1.a": 44, "rope_freqs": 4, "output_norm": 8}
    shape = shape_of([header(tensors)])
    assert (shape.layer_bytes, shape.input_bytes, shape.output_bytes) == ((40, 44), 404, 8)
    assert shape.tied
    assert shape.weights == sum(tensors.values())
    assert shape.kv_values == (4 * 32, 4 * 32)


def test_shards_are_one_model() -> None:
    """The first shard has the metadata; all have tensors."""
    first, second = (
        header({"token_embd.weight": 400, "blk.0.a": 40}),
        header({"blk.1.a": 44, "output.weight": 80}),
    )
    shape = shape_of([first, second])
    assert shape.layer_bytes == (40, 44)
    assert shape.output_bytes == 80
    assert not shape.tied


def test_a_mixture_of_experts_counts_the_experts_in_use() -> None:
    """The buffer grows with the experts that one token activates, not with all there are."""
    shape = shape_of([header({}, toy__expert_used_count=8, toy__expert_feed_forward_length=128)])
    assert shape.feed_forward == 1024


@pytest.mark.parametrize("case", MEASURED, ids=str)
def test_estimates_bound_what_llama_cpp_allocates(case: dict[str, Any]) -> None:
    """KV is exact to the rounding of the log; the compute buffer is never below it and at most a quarter above."""
    fields = dict(SHAPES[case["shape"]])
    layers = fields.pop("layers")
    per_layer = {key: (fields.pop(key),) * layers for key in ("layer_bytes", "kv_values")}
    shape = ModelShape(tied=False, **fields, **per_layer)
    kv = kv_bytes(sum(shape.kv_values), case["n_ctx"], case["kv_type"])
    assert kv == pytest.approx(case["kv_mib"] * MiB, abs=0.01 * MiB)
    estimate = compute_bytes(
        shape,
        case["n_ctx"],
        case["n_ubatch"],
        case["n_outputs"],
        flash_attention=case["flash_attention"],
        output=True,
    )
    assert case["compute_mib"] * MiB - 0.02 * MiB <= estimate <= 1.25 * case["compute_mib"] * MiB
