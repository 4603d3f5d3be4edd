"""The shape of a model: what its GGUF header says about the memory it will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hunkwise.engine.errors import CorruptModel, UnusableModel
from hunkwise.engine.models.gguf.reader import ArrayInfo, GgufHeader
from hunkwise.engine.types import Pooling

# bytes per value of the KV cache; the quantized types are blocks of 32 values with a scale
KV_BYTES = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
_POOLINGS: dict[int, Pooling] = {1: "mean", 2: "cls", 3: "last"}  # enum llama_pooling_type
CELL_PADDING = 256  # llama.cpp rounds the number of cells up to this


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a model, in bytes of the file's own types and in values per token.

    Sliding-window layers count in full: the runtime keeps every cell, so that a question can fork anywhere.
    """

    architecture: str
    layer_bytes: tuple[int, ...]  # weights of each layer
    input_bytes: int  # token embedding and what else comes before the first layer; stays in host memory
    output_bytes: int  # output norm and projection; without the latter where it is tied to the embedding
    tied: bool  # the output projection is the token embedding, which a device then copies
    kv_values: tuple[int, ...]  # per layer: values that one cell of the KV cache holds
    vocabulary: int
    embedding: int  # width of the residual stream
    feed_forward: int  # width of the feed-forward part that one token activates
    heads: int
    trained_context: int  # tokens
    pooling: Pooling | None = None  # of an embedding model
    causal: bool = True  # tokens see only those before them
    parameters: int = 0

    @property
    def weights(self) -> int:
        """Bytes of all weights."""
        return sum(self.layer_bytes) + self.input_bytes + self.output_bytes

    @property
    def units(self) -> int:
        """What can be offloaded: the layers, and the output as one more."""
        return len(self.layer_bytes) + 1


def kv_bytes(values: int, n_ctx: int, kv_type: str) -> int:
    """Bytes of the KV cache for `values` per cell; exact, checked against llama.cpp's own log."""
    cells = -(-n_ctx // CELL_PADDING) * CELL_PADDING
    return int(values * cells * KV_BYTES[kv_type])


def compute_bytes(
    shape: ModelShape, n_ctx: int, n_ubatch: int, n_outputs: int, *, flash_attention: bool, output: bool
) -> int:
    """Bytes of the compute buffer of a device that holds layers, and with `output` the output too.

    An upper bound, at most a quarter too high, found by varying each argument and reading "compute buffer
    size" in llama.cpp's log: the widest moment in a layer or at the output, and the mask.
    """
    cells = -(-n_ctx // CELL_PADDING) * CELL_PADDING
    layer = n_ubatch * (3 * shape.feed_forward + 4 * shape.embedding + 8) * 4
    if not flash_attention:
        return layer + n_ubatch * cells * (shape.heads + 1) * 4
    last = (n_outputs * (shape.vocabulary + shape.embedding) + n_ubatch * shape.embedding) * 4
    return max(layer, last if output else 0) + n_ubatch * cells * 2


def shape_of(headers: Sequence[GgufHeader]) -> ModelShape:
    """Read the shape from the header of a model's file, or of all its shards in order. Raises CorruptModel."""
    whole = replace(headers[0], tensors=tuple(tensor for header in headers for tensor in header.tensors))
    _refuse(whole)
    tied = all(tensor.name != "output.weight" for tensor in whole.tensors)
    layers, output = whole.layer_bytes, whole.output_bytes - (whole.embedding_bytes if tied else 0)
    per_head = whole.key_length + whole.value_length
    return ModelShape(
        architecture=whole.architecture,
        layer_bytes=layers,
        input_bytes=whole.weight_bytes - sum(layers) - output,
        output_bytes=output,
        tied=tied,
        kv_values=tuple(heads * per_head for heads in whole.kv_head_counts),
        vocabulary=whole.vocabulary,
        embedding=whole.embedding_length,
        feed_forward=_feed_forward(whole),
        heads=max(whole.head_counts, default=0),
        trained_context=whole.context_length,
        pooling=_pooling(whole),
        causal=_causal(whole),
        parameters=whole.parameters,
    )


def _refuse(header: GgufHeader) -> None:
    """Refuse what is no model that foretells tokens. Raises UnusableModel or CorruptModel."""
    if header.kind != "model":
        raise UnusableModel(f"{header.path} is of the kind {header.kind!r}, not a model")
    if header.metadata.get(f"{header.architecture}.pooling_type", 0) not in (0, *_POOLINGS):
        raise UnusableModel(
            f"{header.path} ranks documents, and neither writes nor embeds text; choose another model"
        )
    double = next((tensor.name for tensor in header.tensors if tensor.type == "F64"), None)
    if double:  # llama.cpp crashes over them
        raise CorruptModel(
            f"{header.path}: tensor {double!r} holds 64-bit numbers, which llama.cpp can't compute with"
        )


def _causal(header: GgufHeader) -> bool:
    return bool(header.metadata.get(f"{header.architecture}.attention.causal", True))


def _pooling(header: GgufHeader) -> Pooling | None:
    """Read how an embedding model pools; None of a language model."""
    declared = header.metadata.get(f"{header.architecture}.pooling_type", 0)
    return _POOLINGS.get(declared if isinstance(declared, int) else 0, None if _causal(header) else "mean")


def _feed_forward(header: GgufHeader) -> int:
    """Take the wider of the dense part and the experts that one token activates; 0 if neither is named."""

    def widest(name: str) -> int:
        value = header.metadata.get(f"{header.architecture}.{name}", 0)
        values = value.values if isinstance(value, ArrayInfo) else (value,)
        return max((number for number in values if isinstance(number, int)), default=0)

    experts = widest("expert_used_count") * widest("expert_feed_forward_length")
    return max(widest("feed_forward_length"), experts)
