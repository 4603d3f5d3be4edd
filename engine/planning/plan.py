"""The plan of a load: how much context, how many lanes, which layers where, and what that costs in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from hunkwise.engine.planning.hardware import Machine
from hunkwise.engine.planning.shape import ModelShape, compute_bytes, kv_bytes
from hunkwise.engine.types import Pooling

KvType = Literal["f16", "q8_0", "q4_0"]
_PARTS = ("weights", "kv", "compute", "outputs")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is to be loaded. Everything the runtime needs to know about the machine is in here.

    `estimate` is in bytes: "weights", "kv", "compute", "outputs", "total", and for each device the name of
    the device with its share ("CPU", "CUDA0" …). The shares add up to "total"; "CUDA0 kv" is what of a share
    is one part.
    """

    n_ctx: int  # cells of the one KV pool that all lanes share; shared part + one question may fill it
    n_seq: int  # lanes: questions decoded side by side
    n_gpu_layers: int = 0  # layers on devices, counted from the last; layer count + 1 takes the output too
    kv_type: KvType = "f16"
    flash_attention: bool = True
    n_batch: int = 512  # most tokens in one llama_decode
    n_ubatch: int = 512  # most tokens computed at once; at most n_batch
    n_outputs: int = 64  # most rows of logits one llama_decode may give (n_outputs_max)
    n_threads: int = 1
    main_gpu: int = 0  # 0-based, among the devices
    tensor_split: tuple[float, ...] = ()  # share of the offloaded layers per device; () for at most one
    use_mmap: bool = True
    repack: bool = False  # copy weights into the CPU's favourite layout (use_extra_bufts)
    pooling: Pooling | None = None  # of an embedding model, which writes no text
    causal: bool = True  # tokens see only those before them; else a text is computed in one batch
    estimate: Mapping[str, int] = field(default_factory=dict)
    parameters: int = 0  # of the model
    notes: tuple[str, ...] = ()  # sentences on what was given up or overridden, and why


def resized(plan: Plan, n_ctx: int, n_seq: int, kv_type: KvType) -> Plan:
    """Change how much a plan holds; where tokens see those after them, a batch holds all of a text."""
    batch, outputs = (plan.n_ubatch, 4 * n_seq) if plan.causal else (n_ctx, n_ctx)
    size = replace(plan, n_ctx=n_ctx, n_seq=n_seq, kv_type=kv_type)
    return replace(size, n_batch=batch, n_ubatch=batch, n_outputs=outputs)


def describe(plan: Plan) -> str:
    """Say a plan in one line."""
    where = f"{plan.n_gpu_layers} layers offloaded" if plan.n_gpu_layers else "no layers offloaded"
    return f"a context of {plan.n_ctx} tokens, {plan.n_seq} lanes, KV in {plan.kv_type}, {where}"


def estimate_of(plan: Plan, shape: ModelShape, machine: Machine) -> dict[str, int]:
    """Bytes that a plan takes, by part and by device; see `Plan.estimate`."""
    first = shape.units - plan.n_gpu_layers
    parts = {device.name: (0, 0, 0) for device in machine.devices}
    for device, count in zip(machine.devices, counts_of(plan, machine), strict=True):
        parts[device.name] = on_device(plan, shape, first, count)
        first += count
    placed = {"CPU": (*_on_host(plan, shape), plan.n_outputs * shape.vocabulary * 4)}
    placed |= {name: (*part, 0) for name, part in parts.items()}
    by_part = dict(zip(_PARTS, map(sum, zip(*placed.values(), strict=True)), strict=True))
    return {
        **by_part,
        "total": sum(by_part.values()),
        **{name: sum(share) for name, share in placed.items()},
        **{
            f"{name} {part}": size
            for name, share in placed.items()
            for part, size in zip(_PARTS, share, strict=True)
        },
    }


def counts_of(plan: Plan, machine: Machine) -> tuple[int, ...]:
    """Layers on each device; `tensor_split` holds them as floats, which llama.cpp reads as shares."""
    if plan.tensor_split:
        return tuple(map(int, plan.tensor_split))
    return tuple(plan.n_gpu_layers if index == 0 else 0 for index in range(len(machine.devices)))


def on_device(plan: Plan, shape: ModelShape, first: int, count: int) -> tuple[int, int, int]:
    """Bytes of weights, KV and compute buffer for `count` units from `first`; the last unit is the output."""
    if count == 0:
        return 0, 0, 0
    output = first + count == shape.units
    weights = sum(shape.layer_bytes[first : first + count])
    if output:
        weights += shape.output_bytes + (shape.input_bytes if shape.tied else 0)
    kv = kv_bytes(sum(shape.kv_values[first : first + count]), plan.n_ctx, plan.kv_type)
    return weights, kv, _compute(plan, shape, output=output)


def _on_host(plan: Plan, shape: ModelShape) -> tuple[int, int, int]:
    """Bytes of weights, KV and compute buffer in host memory."""
    if plan.n_gpu_layers == shape.units:
        staging = compute_bytes(shape, plan.n_ctx, plan.n_ubatch, 0, flash_attention=True, output=False)
        return shape.input_bytes, 0, staging
    here = shape.units - plan.n_gpu_layers
    weights = shape.input_bytes + sum(shape.layer_bytes[:here])
    weights += shape.output_bytes if plan.n_gpu_layers == 0 else 0
    kv = kv_bytes(sum(shape.kv_values[:here]), plan.n_ctx, plan.kv_type)
    return weights, kv, _compute(plan, shape, output=plan.n_gpu_layers == 0)


def _compute(plan: Plan, shape: ModelShape, *, output: bool) -> int:
    # Where only some layers are on a device llama.cpp does without flash attention, unless the cache needs it.
    # Measured on CUDA: 636 MiB for 12 of 25 layers, and the very logits of a load without it.
    split = 0 < plan.n_gpu_layers < shape.units and plan.kv_type == "f16"
    arguments = (shape, plan.n_ctx, plan.n_ubatch, plan.n_outputs)
    return compute_bytes(*arguments, flash_attention=plan.flash_attention and not split, output=output)
