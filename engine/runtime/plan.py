"""The plan of a load: how much context, how many lanes, which layers where, and what that costs in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

KvType = Literal["f16", "q8_0", "q4_0"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is to be loaded. Everything the runtime needs to know about the machine is in here.

    `estimate` is in bytes: "weights", "kv", "compute", "outputs", "total", and for each device the name of
    the device with its share ("CPU", "CUDA0" …). The shares add up to "total".
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
    estimate: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # sentences on what was given up or overridden, and why
