"""What models take in memory, by our own planner, from what their published configurations say.

    python benchmarks/memory.py [--context N] [--lanes N] [--check]

A GGUF header has the shapes of all tensors. So has a configuration, and how llama.cpp stores each in Q4_K_M is a
rule (`src/llama-quant.cpp`). From both the bytes are counted as they would stand in the file, and the planner
prices a load on the CPU alone. --check compares with the headers of the models that are on this machine.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

from hunkwise.engine import library_from_environment, read_header
from hunkwise.engine.errors import EngineError
from hunkwise.engine.planning.fit import LoadOptions, make_plan
from hunkwise.engine.planning.hardware import Cpu, Machine
from hunkwise.engine.planning.shape import ModelShape, shape_of

GIB = 1 << 30
Q4, Q6 = 4.5 / 8, 6.5625 / 8  # bytes a weight
FALLBACK = {Q4: 22 / 32, Q6: 34 / 32}  # where a row is no multiple of 256: Q5_0, Q8_0
F32 = 4.0


@dataclass(frozen=True, slots=True)
class Published:
    """A model's published configuration: `tied` says whether the GGUF has no output tensor of its own."""

    name: str
    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    experts: int = 0
    active: int = 0
    tied: bool = False
    context: int = 32768


MODELS = (
    Published("qwen2.5-coder:0.5b", 24, 896, 4864, 14, 2, 64, 151936),
    Published("qwen2.5-coder:1.5b", 28, 1536, 8960, 12, 2, 128, 151936),
    Published("qwen2.5-coder:3b", 36, 2048, 11008, 16, 2, 128, 151936),
    Published("qwen2.5-coder:7b", 28, 3584, 18944, 28, 4, 128, 152064),
    Published("qwen2.5-coder:14b", 48, 5120, 13824, 40, 8, 128, 152064),
    Published("qwen2.5-coder:32b", 64, 5120, 27648, 40, 8, 128, 152064),
    Published(
        "qwen3-coder:30b-a3b", 48, 2048, 768, 32, 4, 128, 151936, experts=128, active=8, context=262144
    ),
    Published("devstral:24b", 40, 5120, 32768, 32, 8, 128, 131072, context=131072),
)


def more_bits(layer: int, layers: int) -> bool:
    """Tell whether Q4_K_M stores a layer's values and its feed-forward's last part in Q6_K."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def stored(kind: float, row: int) -> float:
    """Give the bytes of a weight in rows of such a length."""
    return FALLBACK[kind] if row % 256 else kind


def shape(model: Published) -> ModelShape:
    """Count a model's tensors as a GGUF of Q4_K_M would hold them."""
    width, queries, keys = model.width, model.heads * model.head, model.kv_heads * model.head
    inner = model.feed_forward * max(model.experts, 1)
    part = width * inner
    layers: list[int] = []
    for layer in range(model.layers):
        last = Q6 if more_bits(layer, model.layers) else Q4
        attention = width * (queries + keys) * stored(Q4, width) + width * keys * stored(last, width)
        attention += width * queries * stored(Q4, queries)
        forward = 2 * part * stored(Q4, width) + part * stored(last, model.feed_forward)
        router = F32 * width * model.experts
        layers.append(int(attention + forward + router + F32 * 2 * width))
    vocabulary = model.vocabulary * width
    weights = model.layers * (2 * width * queries + 2 * width * keys + 3 * part) + vocabulary * (
        2 - model.tied
    )
    return ModelShape(
        architecture="published",
        layer_bytes=tuple(layers),
        input_bytes=int(vocabulary * stored(Q6 if model.tied else Q4, width)),
        output_bytes=int(0 if model.tied else vocabulary * stored(Q6, width)),
        tied=model.tied,
        kv_values=(2 * keys,) * model.layers,
        vocabulary=model.vocabulary,
        embedding=width,
        feed_forward=model.feed_forward * max(model.active, 1),
        heads=model.heads,
        trained_context=model.context,
        parameters=weights,
    )


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--lanes", type=int, default=16)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    machine = Machine(Cpu("any", 8, 8, ()), 512 * GIB, 500 * GIB)
    want = LoadOptions(n_ctx=given.context, n_seq=given.lanes)
    print("| model | parameters | weights | KV | in all |\n| --- | --- | --- | --- | --- |")
    for model in MODELS:
        found = shape(model)
        row = make_plan(found, machine, want=want).estimate
        sizes = " | ".join(f"{row[part] / GIB:.1f} GiB" for part in ("weights", "kv", "total"))
        print(f"| {model.name} | {found.parameters / 1e9:.1f} billion | {sizes} |")
        if given.check:
            check(model, found)


def check(model: Published, found: ModelShape) -> None:
    """Compare with the file, if it is here."""
    try:
        spec = library_from_environment(os.environ, offline=True).find(model.name)
    except EngineError:
        return
    real = shape_of([read_header(path) for path in spec.weights])
    for what in ("weights", "parameters", "kv_values", "feed_forward"):
        ours, theirs = getattr(found, what), getattr(real, what)
        print(
            f"  {what}: counted {ours if what != 'kv_values' else sum(ours)}, in the header "
            f"{theirs if what != 'kv_values' else sum(theirs)}"
        )


if __name__ == "__main__":
    main()
